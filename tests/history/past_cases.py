"""A table of cases with a past, its use case, and the plain definition of history features, case by case."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from noria.bundle import Bundle, write_bundle
from noria.config import UseCase
from noria.config.durations import microseconds
from noria.config.history import HistoryFeature
from noria.history import add_history
from noria.models.fitted_model import fit
from noria.models.policy_choice import DecisionPolicy

FEATURES: list[dict[str, Any]] = [
    {"name": "late_6h", "of": "late", "stat": "rate", "by": ["line"], "over": "6h"},
    {"name": "late_all", "of": "late", "stat": "mean", "over": "1d", "delay": "3h"},
    {"name": "late_known", "of": "late", "stat": "count", "by": ["line"], "over": "1d"},
    {"name": "trips_2h", "stat": "count", "by": ["line", "stop"], "over": "2h"},
    {"name": "load_sum", "of": "load", "stat": "sum", "by": ["stop"], "over": "5h"},
    {"name": "load_mean", "of": "load", "stat": "mean", "over": "90m", "delay": "30m"},
]


def use_case(features: list[dict[str, Any]] | None = None, **data: Any) -> UseCase:
    """Will the trip be late? Asked an hour before it; the answer is known six hours after it."""
    return UseCase.model_validate(
        {
            "name": "trips",
            "problem": {
                "question": "Which trips will be late?",
                "decided_by": "the dispatcher",
                "case": "trip",
                "task": "binary",
                "positive": "yes",
                "unit": "EUR",
                "worth": {"true_positive": 5, "false_positive": -1, "false_negative": 0, "true_negative": 0},
                "latency_budget_ms": 100,
                "size_budget_mb": 50,
                "needed": "an hour before",
                "label_delay_days": 0.25,
                "business_figure": "late trips",
            },
            "data": {
                "sources": [{"name": "trips", "path": "trips.parquet"}],
                "target": "late",
                "id": "trip",
                "time": "at",
                "asked_before": "1h",
            }
            | data,
            "split": {"method": "time", "test_share": 0.25},
            "features": {"history": FEATURES if features is None else features},
            "models": {"candidates": {"linear": {}}, "trials": 0, "folds": 2},
            "rules": {"conditions": [{"when": "load > 80", "then": "yes"}], "otherwise": "no"},
            "evaluation": {"metric": "roc_auc"},
        }
    )


def table(rows: int = 400, seed: int = 1) -> pd.DataFrame:
    """Trips at times that often agree, in no order, with keys and numbers missing in some."""
    random = np.random.default_rng(seed)
    minutes = random.integers(0, max(rows // 2, 1), rows) * 20
    frame = pd.DataFrame(
        {
            "trip": [f"t{number}" for number in range(rows)],
            "at": pd.Timestamp("2024-03-01") + pd.to_timedelta(minutes, unit="min"),
            "line": random.choice(["a", "b", "c"], rows),
            "stop": random.integers(1, 4, rows).astype(float),
            "load": random.gamma(3.0, 17.0, rows).round(3),
            "hours": random.choice([0.0, 1.5, 4.0, np.nan], rows),
            "wind": random.normal(0, 1, rows).round(3),
        }
    )
    score = frame["load"] / 40 + (frame["line"] == "b") + random.normal(0, 1, rows)
    frame["late"] = np.where(score > score.quantile(0.7), "yes", "no")
    frame["line"] = frame["line"].mask(random.random(rows) < 0.05)
    frame["load"] = frame["load"].mask(random.random(rows) < 0.1)
    return frame


def bundle(frame: pd.DataFrame, case: UseCase, folder: Path, kind: str = "linear") -> Bundle:
    """A model of these rows."""
    learned = add_history(frame, case)
    fitted = fit(kind, {}, learned, case)
    return write_bundle(
        folder,
        fitted,
        use_case=case,
        train=learned,
        out_of_fold=fitted.scores(learned),
        policy=DecisionPolicy(threshold=0.3),
        fingerprint="0" * 64,
        version="1",
    )


def plainly(frame: pd.DataFrame, case: UseCase) -> pd.DataFrame:
    """The features of every row by the definition in words: one row, one earlier row at a time."""
    return pd.DataFrame(
        {each.name: [_plainly(frame, row, each, case) for _, row in frame.iterrows()] for each in case.features.history}
    )


def _plainly(frame: pd.DataFrame, row: "pd.Series[Any]", feature: HistoryFeature, case: UseCase) -> float:
    over = pd.Timedelta(microseconds(feature.over), unit="us")
    is_label = feature.of == case.data.target
    now = row["at"] - pd.Timedelta(microseconds(case.data.asked_before), unit="us") if is_label else row["at"]
    found = []
    for other in frame.to_dict("records"):
        if not now - over <= other["at"] + _delay(other, feature, case) < now:
            continue
        if any(str(other[name]) != str(row[name]) for name in feature.by):
            continue
        value = 1.0 if feature.of is None else float(other["late"] == "yes") if is_label else other[feature.of]
        if not np.isnan(value):
            found.append(value)
    if feature.stat == "count":
        return float(len(found))
    if feature.stat == "sum":
        return float(sum(found))
    return float(np.mean(found)) if found else float("nan")


def _delay(other: dict[Any, Any], feature: HistoryFeature, case: UseCase) -> pd.Timedelta:
    if feature.delay is not None:
        return pd.Timedelta(microseconds(feature.delay), unit="us")
    if feature.of != case.data.target:
        return pd.Timedelta(0)
    if case.data.label_hours is not None and not np.isnan(other[case.data.label_hours]):
        return pd.Timedelta(hours=other[case.data.label_hours])
    return pd.Timedelta(days=case.problem.label_delay_days)
