"""What training found: scores of candidates and tuning trials. Light to import, for steps and reports."""

from typing import Any, Literal

from noria.config.section import Section
from noria.models.candidate_score import CandidateScore


class TrialRecord(Section):
    """One trial."""

    number: int
    kind: str
    params: dict[str, Any]
    value: float
    """Mean of the primary metric over the folds that were run."""
    state: Literal["complete", "pruned"]
    """pruned: stopped early, as it fell behind the median of the trials before it, or time was up."""
    seconds: float


class Leaderboard(Section):
    """Cross-validated scores of candidates, and the trials that led to them."""

    scores: list[CandidateScore]
    trials: list[TrialRecord] = []
