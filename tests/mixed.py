"""A table with every kind of column, one use case for each task, and rows as requests bring them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from noria.bundle import Bundle, write_bundle
from noria.config import UseCase, load_use_case
from noria.models.fitted_model import FittedModel, fit
from noria.models.policy_choice import DecisionPolicy
from noria.system.workspace import PROJECT

TARGETS = {"binary": "left", "multiclass": "plan", "regression": "spent"}
KINDS = ("rules", "dummy", "linear", "tree", "forest", "xgboost")
PARAMS: dict[str, dict[str, Any]] = {
    "tree": {"max_depth": 5},
    "forest": {"n_estimators": 12, "max_depth": 6},
    "xgboost": {"n_estimators": 25, "max_depth": 4, "learning_rate": 0.3},
}
_RULES: dict[str, dict[str, Any]] = {
    "binary": {"conditions": [{"when": 'age > 60 or region == "north"', "then": "Yes"}], "otherwise": "No"},
    "multiclass": {"conditions": [{"when": "code in [1, 3]", "then": "gold"}], "otherwise": "basic"},
    "regression": {"conditions": [{"when": 'joined > "2024-06-01"', "then": 12.5}], "otherwise": 70},
}
_PROBLEMS: dict[str, dict[str, Any]] = {
    "binary": {"positive": "Yes"},
    "multiclass": {"worth": {"right": 1, "wrong": -1}},
    "regression": {"worth": {"right": 1, "tolerance": 5, "too_high_per_unit": 1, "too_low_per_unit": 1}},
}
_METRICS = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "mae"}
_POLICIES = {
    "binary": DecisionPolicy(threshold=0.4),
    "multiclass": DecisionPolicy(review_below=0.5),
    "regression": DecisionPolicy(act_from=60.0),
}


@cache
def table(rows: int = 900) -> pd.DataFrame:
    """Numbers, whole numbers, texts, truth values, coded categories and dates, with values missing in most."""
    random = np.random.default_rng(5)
    days = pd.Timestamp("2023-01-01") + pd.to_timedelta(random.integers(0, 900, rows), unit="D")
    found = pd.DataFrame(
        {
            "customer": [f"c{number}" for number in range(rows)],
            "age": random.integers(18, 90, rows).astype(float),
            "amount": random.gamma(2.0, 40.0, rows).round(2),
            "visits": random.integers(0, 30, rows),
            "region": random.choice(["north", "south", "east", "west"], rows),
            "code": random.integers(1, 6, rows),
            "member": random.random(rows) < 0.4,
            "joined": days,
        }
    )
    drive = found["amount"] / 40 + found["code"] - found["member"] * 2 + (found["region"] == "north")
    drive += random.normal(0, 1, rows)
    for name in ("age", "amount", "region", "joined"):
        found[name] = found[name].mask(random.random(rows) < 0.08)
    found["left"] = np.where(drive > drive.median(), "Yes", "No")
    found["plan"] = np.select([drive > 5.5, drive > 4], ["gold", "silver"], "basic")
    found["spent"] = (drive * 20).round(3)
    return found


@cache
def use_case(task: str) -> UseCase:
    """The use case that predicts this task's target."""
    raw = load_use_case(PROJECT / "configs" / "telco_churn.yaml").model_dump(mode="json", exclude_unset=True)
    raw["name"] = f"mixed_{task}"
    problem = {name: value for name, value in raw["problem"].items() if name not in {"positive", "worth"}}
    raw["problem"] = problem | {"task": task} | _PROBLEMS[task]
    if task == "binary":
        raw["problem"]["worth"] = {"true_positive": 1, "false_positive": -1, "false_negative": 0, "true_negative": 0}
    others = [name for name in TARGETS.values() if name != TARGETS[task]]
    raw["data"] |= {"target": TARGETS[task], "id": "customer", "expectations": {}, "unavailable_at_prediction": others}
    raw["features"] = {"categorical": ["code"], "calendar": ["year", "month", "weekday"], "clip_quantile": 0.001}
    raw["rules"] = _RULES[task]
    raw["evaluation"] = {"metric": _METRICS[task]}
    raw.pop("decision", None)
    return UseCase.model_validate(raw)


@cache
def fitted(kind: str, task: str) -> FittedModel:
    """A model of this kind."""
    return fit(kind, PARAMS.get(kind, {}), table(), use_case(task))


def write(kind: str, task: str, folder: Path) -> Bundle:
    """Its bundle."""
    return write_bundle(
        folder,
        fitted(kind, task),
        use_case=use_case(task),
        train=table(),
        out_of_fold=fitted(kind, task).scores(table()),
        policy=_POLICIES[task],
        fingerprint="0" * 64,
        version="1",
    )


def odd_rows(rows: int = 300) -> list[dict[str, Any]]:
    """Rows as JSON brings them: some values missing, unseen, out of range, or written in another way."""
    random = np.random.default_rng(11)
    found: list[dict[str, Any]] = json.loads(
        table().drop(columns=list(TARGETS.values())).sample(rows, random_state=3).to_json(orient="records")
    )
    for row in found:
        row["joined"] = None if row["joined"] is None else str(pd.Timestamp(row["joined"], unit="ms").date())
        for name in row:
            if random.random() < 0.05:
                row[name] = None
    found[0] |= {"region": "the moon", "code": 77}
    found[1] |= {"age": 17.5, "amount": 1e6, "joined": "2031-02-03T04:05:06"}
    found[2] |= {"age": "44", "code": "3", "member": "yes", "visits": 2.0}
    found[3] |= {"region": "  ", "code": 3.0, "member": 0, "joined": "2024-01-05 10:00"}
    return found
