"""How good a candidate is, and what it costs to use. Light to import, for steps and reports."""

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
    fold_scores: list[float]
    latency_ms: float
    """Median time to check and score one row in this process, in milliseconds."""
    size_mb: float
    """Size of the stored model in megabytes (10^6 bytes)."""
    fit_seconds: float
    """Mean time to fit one fold."""
