"""Use cases that train in seconds: real churn rows, few columns, small models."""

from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from app.command_result import CommandResult
from noria.config import UseCase, load_use_case
from noria.system.workspace import PROJECT

COLUMNS = ["tenure", "contract", "internet_service", "payment_method", "monthly_charges", "total_charges", "churn"]


def churn_table(rows: int | None = None) -> pd.DataFrame:
    """Customers of the churn table, with the columns that tell most."""
    table = pd.read_csv(PROJECT / "data" / "telco_churn.csv", usecols=COLUMNS)[COLUMNS]
    return table if rows is None else table.sample(rows, random_state=0).reset_index(drop=True)


def small_case(name: str, table: Path, **sections: dict[str, Any]) -> UseCase:
    """The churn case on a table of these columns, cut down; `sections` replace keys of its sections."""
    raw = load_use_case(PROJECT / "configs" / "telco_churn.yaml").model_dump(mode="json", exclude_unset=True)
    del raw["data"]["expectations"]["columns"]["senior_citizen"]
    raw["name"] = name
    raw["data"]["sources"] = [{"name": "customers", "path": str(table)}]
    raw["models"] = {
        "candidates": {
            "dummy": {},
            "linear": {"tune": False},
            "tree": {"tune": False},
            "xgboost": {
                "params": {"n_estimators": 20, "max_depth": 3},
                "search": {"learning_rate": {"low": 0.1, "high": 0.5, "log": True}},
            },
        },
        "trials": 2,
        "folds": 2,
    }
    raw["evaluation"] |= {"bootstrap": 200, "slices": ["contract"], "mistakes": 3}
    for section, keys in sections.items():
        raw[section] = {**raw.get(section, {}), **keys}
    return UseCase.model_validate(raw)


def write_config(use_case: UseCase, path: Path) -> Path:
    """The use case as a file for `--config`."""
    path.write_text(yaml.safe_dump(use_case.model_dump(mode="json", exclude_unset=True)), encoding="utf-8")
    return path


def url_of(deployed: CommandResult) -> str:
    """Where a service that has been deployed answers."""
    return str(deployed.fact("try it at")).rstrip("/")
