"""The model that every server answers with: 300 trees of depth 6 on 12 numbers and 8 categories, some missing."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from noria.bundle import Bundle
from noria.config import UseCase
from noria.training.leaderboard import fit_bundle, score_candidates

NUMBERS = [f"number_{place}" for place in range(1, 13)]
CATEGORIES = {f"category_{place}": levels for place, levels in enumerate((3, 4, 5, 6, 8, 10, 15, 20), start=1)}
"""Column → how many different values it has."""
MISSING = 0.05
"""Share of the values of each column that is missing."""
ID = "customer"
_SEED = 42
_MODELS: dict[str, Any] = {
    "candidates": {"xgboost": {"params": {"n_estimators": 300, "max_depth": 6, "learning_rate": 0.1}, "tune": False}},
    "folds": 2,
}


def table(rows: int, seed: int = _SEED) -> pd.DataFrame:
    """Made-up customers: identifier, 12 numbers, 8 categories and whether they left. The same seed, the same table."""
    random = np.random.default_rng(seed)
    scaled = random.normal(size=(rows, len(NUMBERS)))
    numbers = scaled * 10.0 ** (np.arange(len(NUMBERS)) % 4)
    codes = np.column_stack([random.integers(0, levels, rows) for levels in CATEGORIES.values()])
    risk = scaled[:, 0] * scaled[:, 1] + np.sin(3 * scaled[:, 2]) + scaled[:, 3:].sum(axis=1) / 4
    risk += np.where(codes[:, 0] == 1, scaled[:, 4], -scaled[:, 5]) + (codes % 3 == 0).sum(axis=1) / 4
    left = random.random(rows) < 1 / (1 + np.exp(1.5 - risk))
    made: dict[str, Any] = {ID: [f"c{number}" for number in range(rows)]}
    for place, name in enumerate(NUMBERS):
        made[name] = pd.Series(numbers[:, place].round(4)).mask(random.random(rows) < MISSING)
    for place, name in enumerate(CATEGORIES):
        texts = pd.Series([f"value {code}" for code in codes[:, place]], dtype="str")
        made[name] = texts.mask(random.random(rows) < MISSING)
    return pd.DataFrame(made).assign(left=np.where(left, "yes", "no"))


def use_case(**serving: Any) -> UseCase:
    """The use case of that table; `serving` are keys of its section of this name."""
    return UseCase.model_validate(
        {
            "name": "serving_benchmark",
            "problem": {
                "question": "Which customers will leave?",
                "decided_by": "The benchmark",
                "case": "customer",
                "task": "binary",
                "positive": "yes",
                "unit": "EUR",
                "worth": {"true_positive": 2, "false_positive": -1, "false_negative": 0, "true_negative": 0},
                "needed": "At once",
                "label_delay_days": 30,
                "business_figure": "Share of customers who leave",
            },
            "data": {"sources": [{"name": "customers", "path": "made.parquet"}], "target": "left", "id": ID},
            # the other servers' pipeline has no clipping
            "features": {"clip_quantile": 0},
            "models": _MODELS,
            "rules": {"conditions": [{"when": "number_1 > 0", "then": "yes"}], "otherwise": "no"},
            "evaluation": {"metric": "roc_auc"},
            "decision": {"threshold": "best_worth"},
            "serving": serving,
        }
    )


def train(rows: int, folder: Path) -> Bundle:
    """Train through Noria's own code: cross-validate, fit on all rows, choose the decision policy, write the bundle."""
    case, customers = use_case(), table(rows)
    leaderboard, out_of_fold = score_candidates(customers, case)
    score = next(score for score in leaderboard.scores if score.kind == "xgboost")
    return fit_bundle(score, customers, out_of_fold, case, fingerprint="0" * 64, version="1", folder=folder)


def rows_to_send(number: int) -> list[dict[str, Any]]:
    """Customers that the model was not trained on, as JSON carries them; missing is None."""
    customers = table(number, seed=_SEED + 1).drop(columns="left").astype(object)
    names = [str(name) for name in customers]
    return [
        {name: None if pd.isna(value) else value for name, value in zip(names, row, strict=True)}
        for row in customers.itertuples(index=False)
    ]
