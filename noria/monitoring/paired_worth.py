"""What two ways of deciding bring in on the same cases."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config import UseCase
from noria.metrics.bootstrap import bootstrap, percentile_interval
from noria.metrics.metrics import metric_statistics
from noria.monitoring.partial_labels import LabelWeights


class Decided(NamedTuple):
    """How n cases were decided."""

    scores: NDArray[np.float64]
    """(n,) or (n, k) scores."""
    decisions: Any
    """(n,) `act`, `ask` or `leave`."""
    predictions: Any
    """(n,) answers."""
    classes: Sequence[str]
    """Of several classes: the class of each score column."""


def paired_worth(
    use_case: UseCase, labels: "pd.Series[Any]", first: Decided, second: Decided, weights: LabelWeights | None
) -> tuple[float, float, float, float]:
    """What 1,000 decisions bring in by each, and the ends of the paired bootstrap interval of first − second.

    Args:
        use_case: names the worths and the confidence.
        labels: (n,) the truth.
        first: one way of deciding.
        second: the other.
        weights: how many cases each one stands for; None: all alike.
    """
    task, judged = use_case.problem.task, use_case.evaluation
    truth = labels.to_numpy(dtype=np.float64 if task == "regression" else str)
    statistics = []
    for each in (first, second):
        several, decisions = task == "multiclass", np.asarray(each.decisions, dtype=str)
        classes = each.classes if several else None
        predictions = np.asarray(each.predictions, dtype=str) if several else None
        found = metric_statistics(use_case, truth, each.scores, decisions, classes=classes, predictions=predictions)
        statistics.append(found["worth"])
    if weights is None:
        values = bootstrap(statistics, len(truth), judged.bootstrap, use_case.split.seed)
    else:
        values = weights.draws(statistics, judged.bootstrap, use_case.split.seed)
    low, high = percentile_interval(values[0] - values[1], judged.confidence)
    once = np.ones((1, len(truth))) if weights is None else weights.each[None, :]
    ours, theirs = (float(statistic(once)[0]) for statistic in statistics)
    return ours, theirs, low, high
