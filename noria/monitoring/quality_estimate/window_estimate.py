"""What a check adds to the performance of a model: the estimates of its window, and how earlier ones fared."""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd

from noria.bundle import Bundle
from noria.config import UseCase
from noria.monitoring.quality_estimate.estimator import fit_estimator
from noria.monitoring.quality_estimate.track_record import mature_labels, score_estimates, stretch
from noria.monitoring.results import PerformanceResult, ScoredEstimate


def add_estimates(
    performance: PerformanceResult,
    bundle: Bundle,
    use_case: UseCase,
    *,
    recent: pd.DataFrame,
    labelled: pd.DataFrame,
    series: Sequence[ScoredEstimate],
    now: datetime,
) -> PerformanceResult:
    """The performance with estimates of the primary metric and the worth; as it was where none can be made.

    Args:
        performance: what the labels say.
        bundle: the deployed model; its reference rows calibrate.
        use_case: names the metric, the worths and the limits.
        recent: all predictions of the window.
        labelled: the predictions with a usable label.
        series: estimates that earlier checks of this version have compared with the truth.
        now: the time of the check.
    """
    if len(recent) < use_case.monitoring.min_rows:
        return performance
    estimator = fit_estimator(bundle, use_case)
    if estimator is None:
        return performance
    metric = use_case.evaluation.metric
    after = max((each.until for each in series), default=None)
    scored = score_estimates(estimator, metric, labelled, now=now, after=after)
    estimator = estimator.recalibrated(mature_labels(labelled, use_case, now))
    wider = stretch([*series, *scored], use_case.evaluation.confidence)
    return performance.model_copy(
        update={
            "estimate": estimator.estimate(metric, recent, stretch=wider),
            "estimated_worth": estimator.estimate("worth", recent, stretch=wider),
            "scored": scored,
        }
    )
