"""Estimates beside what came true: how far one may rely on the next."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import NormalDist

import numpy as np
import pandas as pd

from noria.config import UseCase
from noria.metrics.metrics import compute_metrics
from noria.monitoring.data_checks import times_of
from noria.monitoring.drift_summary import number
from noria.monitoring.quality_estimate.estimator import QualityEstimator
from noria.monitoring.results import QualityEstimate, ScoredEstimate
from noria.reporting import plural

_MOST = 50
_TIMES = 4  # a block of so many times `monitoring.min_labels`: with fewer, chance hides how good the estimate was
_FEWEST_FOR_STRETCH = 8
_MOST_FITS = 5
"""Recalibrations of one check; with more blocks, neighbours share one, that of the first of them."""


def score_estimates(
    estimator: QualityEstimator,
    metric: str,
    labelled: pd.DataFrame,
    *,
    now: datetime,
    after: datetime | None = None,
) -> list[ScoredEstimate]:
    """What would have been estimated for the labelled predictions without their labels, block by block of their time.

    Each block is estimated with the late labels that were known when it began, and none that came later, so that the
    estimate says what it would have said then. Predictions younger than the label delay are left out: of these only the
    quick labels are known, which may not be like the others.

    Args:
        estimator: learned from the reference.
        metric: what is estimated.
        labelled: (n, …) predictions with a label; their time is that of the case, see `times_of`.
        now: the time of the check.
        after: predictions up to this time have been scored before.

    Returns:
        At most 50 of them, in the order of time; a last block that is too small is left for the next time.
    """
    use_case = estimator.use_case
    every = mature = mature_labels(labelled, use_case, now)
    if after is not None:
        mature = mature[times_of(mature) > after]
    size = max(_TIMES * use_case.monitoring.min_labels, -(-len(mature) // _MOST))
    starts, found = range(0, len(mature) - size + 1, size), []
    together = -(-len(starts) // _MOST_FITS)
    then = estimator
    for block, start in enumerate(starts):
        rows = mature.iloc[start : start + size]
        if block % together == 0:
            began = times_of(rows).iloc[0].to_pydatetime()
            then = estimator.recalibrated(mature_labels(every[every["labelled_at"] <= began], use_case, began))
        estimate, truth = then.estimate(metric, rows), _truth(use_case, estimator, metric, rows)
        if estimate is not None and np.isfinite(truth):
            since, until = (times_of(rows).iloc[place].to_pydatetime() for place in (0, -1))
            found.append(ScoredEstimate(since=since, until=until, estimate=estimate, truth=truth))
    return found


def mature_labels(labelled: pd.DataFrame, use_case: UseCase, now: datetime) -> pd.DataFrame:
    """Those of the labelled predictions that were old enough to have a label at `now`, in the order of their times."""
    times = times_of(labelled)
    is_mature = times <= now - timedelta(days=use_case.problem.label_delay_days)
    return labelled.loc[times[is_mature].sort_values(kind="stable").index]


def stretch(scored: Sequence[ScoredEstimate], confidence: float = 0.95) -> float:
    """By what the intervals must be widened so that they would have suited the errors so far; 1 for fewer than 8.

    The intervals know the chance in labels and the size of the reference, not that the world may have changed.
    """
    if len(scored) < _FEWEST_FOR_STRETCH:
        return 1.0
    reach = np.array([(each.estimate.high - each.estimate.low) / 2 for each in scored])
    errors = np.array([each.error for each in scored])
    ratios = errors / np.maximum(reach, 1e-12) * NormalDist().inv_cdf((1 + confidence) / 2)
    return float(max(1.0, np.sqrt((ratios**2).mean())))


def sentence(estimate: QualityEstimate, scored: Sequence[ScoredEstimate]) -> str:
    """The estimate in words, with how far off those before it were."""
    said = (
        f"Without labels, {estimate.metric} is estimated at {number(estimate.value)} "
        f"({number(estimate.low)} to {number(estimate.high)}) on {plural(estimate.rows, 'prediction')}, "
        f"by {estimate.method}"
    )
    if not scored:
        return f"{said}; no estimate could be compared with labels yet."
    off = number(float(np.mean([each.error for each in scored])))
    held = sum(each.held for each in scored)
    return (
        f"{said}. Estimates so far were off by {off} on average, and the interval held "
        f"{held} of {plural(len(scored), 'time')}."
    )


def _truth(use_case: UseCase, estimator: QualityEstimator, metric: str, rows: pd.DataFrame) -> float:
    from noria.monitoring.logged_predictions import scores_of

    task = use_case.problem.task
    truth = rows["label"].to_numpy(dtype=np.float64 if task == "regression" else str)
    classes = estimator.bundle.manifest.classes if task == "multiclass" else None
    decisions = rows["decision"].to_numpy(dtype=str)
    found = compute_metrics(use_case, truth, scores_of(estimator.bundle, rows), decisions, classes=classes)
    return found[metric]
