"""How good a candidate is, and what it costs to use. Light to import, for steps and reports."""

import statistics
from typing import Any

from noria.config.section import Section


class CandidateScore(Section):
    """A candidate's cross-validated score on the training rows, and what it costs to use."""

    kind: str
    params: dict[str, Any]
    metric: str
    """The primary metric."""
    mean: float
    """Its mean over the folds."""
    standard_error: float
    """Standard deviation over the folds divided by the root of their number."""
    fold_scores: list[float | None]
    """The metric on each fold; None where it is undefined. All candidates share the folds and their rows."""
    worth: float
    """What 1,000 decisions bring in on the rows that were held back, in `problem.unit`."""
    latency_ms: float
    """Median time to check and score one row in this process, in milliseconds."""
    size_mb: float
    """Size of the stored model in megabytes (10^6 bytes)."""
    fit_seconds: float
    """Mean time to fit one fold."""


def paired_difference(one: CandidateScore, other: CandidateScore) -> tuple[float, float]:
    """By how much the metric of `one` exceeds that of `other` on the same folds, and the standard error of that.

    What makes a fold hard is hard for both candidates and cancels out, so that the standard error is that of the
    differences, not of the folds (T. G. Dietterich, Approximate statistical tests for comparing supervised
    classification learning algorithms, Neural Computation 10, 1998).

    Returns:
        Mean difference over the folds in which both are defined, and its standard error; 0 for a single fold.
    """
    pairs = zip(one.fold_scores, other.fold_scores, strict=True)
    differences = [ours - theirs for ours, theirs in pairs if ours is not None and theirs is not None]
    if len(differences) < 2:
        return one.mean - other.mean, 0.0
    return statistics.fmean(differences), statistics.stdev(differences) / len(differences) ** 0.5
