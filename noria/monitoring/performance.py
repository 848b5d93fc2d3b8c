"""Performance: how right the model has been where the truth is known, beside what it promised on the test rows."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config import UseCase
from noria.metrics.metrics import compute_metrics, greater_is_better, metric_interval
from noria.monitoring.results import ColumnDrift, MetricChange, PerformanceResult

Floats = NDArray[np.float64]
_FEWEST_DAYS = 30


def measure_performance(
    use_case: UseCase,
    recent: pd.DataFrame,
    labelled: pd.DataFrame,
    scores: Floats,
    promised: Mapping[str, float],
    *,
    now: datetime,
    classes: Sequence[str] | None = None,
    target: ColumnDrift | None = None,
    unusable: int = 0,
) -> PerformanceResult:
    """Judge the labelled predictions.

    Args:
        use_case: names the metric, the worths, and how late labels come.
        recent: the predictions of the window, with the columns `event_at` (UTC) and `label`.
        labelled: (n, …) the predictions with a label, with the columns of `PredictionStore.window`.
        scores: (n,) or (n, k) what the model gave them, as `noria.metrics.metrics` has it.
        promised: metric → its value on the test rows.
        now: the time of the check.
        classes: multiclass: the class of each score column.
        target: how the labels differ from those of training.
        unusable: labels that were left out.
    """
    unlabelled = recent.loc[recent["label"].isna(), "event_at"]
    young = unlabelled > now - timedelta(days=use_case.problem.label_delay_days)
    enough = len(labelled) >= use_case.monitoring.min_labels
    found = _figures(use_case, labelled, scores, promised, classes) if enough else {}
    return PerformanceResult(
        labels=len(labelled),
        unusable=unusable,
        waiting=int(young.sum()),
        overdue=int((~young).sum()),
        changed=int((labelled["label_changes"] > 0).sum()),
        early=int((labelled["labelled_at"] < labelled["event_at"]).sum()),
        metric=found.get(use_case.evaluation.metric),
        worth=found.get("worth"),
        target=target,
    )


def _figures(
    use_case: UseCase,
    labelled: pd.DataFrame,
    scores: Floats,
    promised: Mapping[str, float],
    classes: Sequence[str] | None,
) -> dict[str, MetricChange]:
    """The primary metric and the worth, where they are defined and were promised."""
    label = labelled["label"]
    truth = label.to_numpy(dtype=np.float64 if use_case.problem.task == "regression" else str)
    given = (use_case, truth, scores, labelled["decision"].to_numpy(dtype=str))
    values, days = compute_metrics(*given, classes=classes), _days(use_case, labelled)
    found: dict[str, MetricChange] = {}
    for name in {use_case.evaluation.metric, "worth"} & promised.keys():
        low, high = metric_interval(use_case, name, *given[1:], classes=classes, blocks=days)
        if all(map(math.isfinite, (values[name], low, high))):
            found[name] = _beside(name, values[name], low, high, promised[name])
    return found


def _days(use_case: UseCase, labelled: pd.DataFrame) -> NDArray[np.int64] | None:
    """Predictions of one day resemble one another where time matters, so they are drawn together; None elsewhere, and
    where there are too few days to draw from."""
    if use_case.split.method != "time":
        return None
    days, blocks = np.unique(labelled["event_at"].dt.normalize().to_numpy(), return_inverse=True)
    return blocks.astype(np.int64) if len(days) >= _FEWEST_DAYS else None


def _beside(name: str, value: float, low: float, high: float, before: float) -> MetricChange:
    better = greater_is_better(name)
    return MetricChange(
        name=name,
        now=value,
        low=low,
        high=high,
        before=before,
        worse_by=before - value if better else value - before,
        beyond_chance=high < before if better else low > before,
    )
