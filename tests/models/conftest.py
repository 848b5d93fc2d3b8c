"""Real tables and their use cases, for the tests of schema, rules and models."""

from pathlib import Path

import pandas as pd
import pytest
from listening import listen
from model_cases import Case

from noria.config import UseCase, load_use_case
from noria.data.split import split

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def churn() -> Case:
    use_case = load_use_case(ROOT / "configs/telco_churn.yaml")
    return Case(use_case, *split(pd.read_csv(ROOT / "data/telco_churn.csv"), use_case))


@pytest.fixture(scope="session")
def bike() -> Case:
    use_case = load_use_case(ROOT / "configs/bike_demand.yaml")
    return Case(use_case, *split(pd.read_csv(ROOT / "data/bike_sharing.csv", parse_dates=["dteday"]), use_case))


@pytest.fixture(scope="session")
def contracts(churn: Case) -> Case:
    """Three classes: which contract a customer has."""
    raw = churn.use_case.model_dump(mode="json", exclude_unset=True)
    raw["name"] = "contracts"
    raw["problem"] |= {"task": "multiclass", "worth": {"right": 1, "wrong": -1}}
    del raw["problem"]["positive"]
    raw["data"] |= {"target": "contract", "expectations": {}}
    raw["rules"] = {"conditions": [{"when": "tenure > 60", "then": "Two year"}], "otherwise": "Month-to-month"}
    raw["evaluation"] = {"metric": "accuracy"}
    raw["decision"] = {"review_below": 0.4}
    return Case(UseCase.model_validate(raw), churn.train, churn.test)


@pytest.fixture
def warned() -> list[str]:
    """The warnings that a user would see."""
    heard: list[str] = []
    listen(lambda kind, text: heard.append(text) if kind == "warn" else None)
    return heard
