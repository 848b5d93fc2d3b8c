"""Performance: how right the model has been where the truth is known, beside what it promised on the test rows."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config import UseCase
from noria.metrics.metrics import bootstrap_intervals, greater_is_better, metric_statistics
from noria.monitoring.partial_labels import LabelWeights
from noria.monitoring.results import ColumnDrift, LabelCoverage, MetricChange, PerformanceResult

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
    weights: LabelWeights | None = None,
    coverage: LabelCoverage | None = None,
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
        weights: how many cases each labelled one stands for; None: all alike.
        coverage: for which decisions labels are known, where they are weighed.
    """
    is_expected = recent["label"].isna() & recent["decision"].isin(use_case.problem.labels_for)
    unlabelled = recent.loc[is_expected, "event_at"]
    young = unlabelled > now - timedelta(days=use_case.problem.label_delay_days)
    enough = (len(labelled) if weights is None else weights.effective) >= use_case.monitoring.min_labels
    enough = enough and (coverage is None or coverage.is_whole)
    found = _figures(use_case, labelled, scores, promised, classes=classes, weights=weights) if enough else {}
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
        coverage=coverage,
    )


def _figures(
    use_case: UseCase,
    labelled: pd.DataFrame,
    scores: Floats,
    promised: Mapping[str, float],
    *,
    classes: Sequence[str] | None,
    weights: LabelWeights | None,
) -> dict[str, MetricChange]:
    """The primary metric and the worth, where they are defined and were promised."""
    label = labelled["label"]
    truth = label.to_numpy(dtype=np.float64 if use_case.problem.task == "regression" else str)
    given = (use_case, truth, scores, labelled["decision"].to_numpy(dtype=str))
    days, judged = _days(use_case, labelled), use_case.evaluation
    statistics = metric_statistics(*given, classes=classes)
    found: dict[str, MetricChange] = {}
    for name in {judged.metric, "worth"} & promised.keys():
        statistic = statistics[name]
        if weights is None:
            value = float(statistic(np.ones((1, len(labelled))))[0])
            low, high = bootstrap_intervals({name: statistic}, use_case, len(labelled), days)[name]
        else:
            value = weights.value(statistic)
            low, high = weights.interval(statistic, judged.confidence, judged.bootstrap, use_case.split.seed, days)
        if all(map(math.isfinite, (value, low, high))):
            found[name] = _beside(name, value, low, high, promised[name])
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
