"""Two bundles on the same test rows and the same resamples, so that what is chance for one is chance for the other."""

import numpy as np

from noria.bundle import MetricValue
from noria.evaluation.scored_predictions import ScoredPredictions
from noria.metrics.bootstrap import bootstrap, percentile_interval
from noria.metrics.metrics import greater_is_better


def metric_difference(
    one: ScoredPredictions, other: ScoredPredictions, metric: str, confidence: float | None = None
) -> tuple[float, float, MetricValue]:
    """By how much `one` is better than `other` on the rows that both could answer.

    Args:
        one: what answered.
        other: what also answered.
        metric: what is compared.
        confidence: of the interval; None: `evaluation.confidence`.

    Returns:
        Both values, and the difference with its paired bootstrap interval (Efron and Tibshirani 1993); positive where
        `one` is better, whichever way the metric runs. NaN where the metric is undefined.
    """
    ours, theirs = _on_shared_rows(one, other)
    rows, use_case = len(ours.truth), one.use_case
    statistics = [ours.statistics()[metric], theirs.statistics()[metric]]
    values = [float(statistic(np.ones((1, rows)))[0]) for statistic in statistics]
    drawn = bootstrap(statistics, rows, use_case.evaluation.bootstrap, use_case.split.seed, ours.blocks)
    sign = 1 if greater_is_better(metric) else -1
    # adding 0 turns minus zero into zero
    level = use_case.evaluation.confidence if confidence is None else confidence
    low, high = percentile_interval(sign * (drawn[0] - drawn[1]) + 0.0, level)
    difference = sign * (values[0] - values[1]) + 0.0
    return values[0], values[1], MetricValue.model_construct(value=difference, low=low, high=high)


def _on_shared_rows(one: ScoredPredictions, other: ScoredPredictions) -> tuple[ScoredPredictions, ScoredPredictions]:
    mine, yours = one.places, other.places
    return one.only(np.isin(mine, yours)), other.only(np.isin(yours, mine))
