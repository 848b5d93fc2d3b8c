"""Real use cases and bundles made of them, for the tests of bundles and of judgement."""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import Bundle, write_bundle
from noria.config import UseCase, load_use_case
from noria.data.split import split
from noria.models.fitted_model import FittedModel, fit
from noria.models.policy_choice import choose_policy

ROOT = Path(__file__).resolve().parents[1]
PARAMS: dict[str, dict[str, Any]] = {
    "tree": {"max_depth": 4},
    "linear": {},
    "forest": {"n_estimators": 20, "max_depth": 6},
    "xgboost": {"n_estimators": 40, "max_depth": 3, "learning_rate": 0.2},
}


class Case(NamedTuple):
    use_case: UseCase
    train: pd.DataFrame
    test: pd.DataFrame


def changed(use_case: UseCase, **sections: dict[str, Any]) -> UseCase:
    """The use case with keys of its sections replaced."""
    raw = use_case.model_dump(mode="json", exclude_unset=True)
    for name, keys in sections.items():
        raw[name] = {**raw.get(name, {}), **keys}
    return UseCase.model_validate(raw)


@cache
def churn() -> Case:
    use_case = load_use_case(ROOT / "configs/telco_churn.yaml")
    return Case(use_case, *split(pd.read_csv(ROOT / "data/telco_churn.csv"), use_case))


@cache
def bike() -> Case:
    use_case = load_use_case(ROOT / "configs/bike_demand.yaml")
    return Case(use_case, *split(pd.read_csv(ROOT / "data/bike_sharing.csv", parse_dates=["dteday"]), use_case))


@cache
def contracts() -> Case:
    """Three classes: which contract a customer has."""
    raw = churn().use_case.model_dump(mode="json", exclude_unset=True)
    raw["name"] = "contracts"
    raw["problem"] |= {"task": "multiclass", "worth": {"right": 20, "wrong": -5, "wrong_when_true": {"Two year": -30}}}
    del raw["problem"]["positive"]
    raw["data"] |= {"target": "contract", "expectations": {}}
    raw["rules"] = {"conditions": [{"when": "tenure > 60", "then": "Two year"}], "otherwise": "Month-to-month"}
    raw["evaluation"] = {"metric": "f1_macro", "slices": ["internet_service"], "mistakes": 3}
    raw["decision"] = {"review_below": 0.5}
    return Case(UseCase.model_validate(raw), churn().train, churn().test)


def make(case: Case, kind: str, folder: Path, *, version: str = "1") -> Bundle:
    """A bundle of one kind, its policy chosen on two folds of the training rows."""
    use_case, train, _ = case
    fitted, scores = _fitted(case, kind)
    return write_bundle(
        folder,
        fitted,
        use_case=use_case,
        train=train,
        out_of_fold=scores,
        policy=choose_policy(use_case, train[use_case.data.target], scores),
        fingerprint="0" * 64,
        version=version,
    )


_known: dict[str, tuple[FittedModel, NDArray[np.float64]]] = {}


def _fitted(case: Case, kind: str) -> tuple[FittedModel, NDArray[np.float64]]:
    use_case, train, _ = case
    key = f"{kind} {len(train)} {list(train.columns)} {use_case.model_dump_json()}"
    if key not in _known:
        fitted = fit(kind, PARAMS.get(kind, {}), train, use_case)
        scores = np.full_like(fitted.scores(train), np.nan)
        halves = np.arange(len(train)) % 2
        for half in (0, 1):
            seen = fit(kind, PARAMS.get(kind, {}), train[halves != half].reset_index(drop=True), use_case)
            scores[halves == half] = seen.scores(train[halves == half])
        _known[key] = fitted, scores
    return _known[key]
