"""Choosing one candidate by its cross-validated score, its cost and its readability, and saying why."""

from collections.abc import Sequence
from typing import Any

from noria.config import UseCase
from noria.config.section import Section
from noria.metrics.metrics import greater_is_better
from noria.models.candidate_score import CandidateScore
from noria.models.candidates import KINDS, is_readable
from noria.system.errors import NoriaError


class SelectionRow(Section):
    """One candidate in the comparison."""

    kind: str
    mean: float
    standard_error: float
    latency_ms: float
    size_mb: float
    readable: bool
    chosen: bool
    why: str
    """Why it was chosen or left out."""


class Selection(Section):
    """The chosen candidate."""

    kind: str
    params: dict[str, Any]
    reason: str
    """Why, in a sentence that a person reads."""
    table: list[SelectionRow]
    """All candidates, the best mean first."""


def select(scores: Sequence[CandidateScore], use_case: UseCase) -> Selection:
    """Choose the challenger.

    Candidates over the latency or size budget are dropped, and unreadable ones if `problem.readable` is `required`.
    Of the rest the best mean wins; where readability is preferred, the most readable candidate within one standard
    error of the best does, if there is one (L. Breiman et al., Classification and Regression Trees, 1984, section
    3.4.3). The rules are what the gate compares with: they and the dummy are chosen only if nothing else is left or
    better.

    Args:
        scores: one score per candidate, with or without the rules.
        use_case: budgets, readability and metric.

    Raises:
        NoriaError: no candidate is within the budgets.
    """
    chooser = _Chooser(scores, use_case)
    winner, reason = chooser.choose()
    return Selection(kind=winner.kind, params=winner.params, reason=reason, table=chooser.table(winner))


class _Chooser:
    def __init__(self, scores: Sequence[CandidateScore], use_case: UseCase) -> None:
        self.problem = use_case.problem
        self.metric = use_case.evaluation.metric
        self.sign = 1 if greater_is_better(self.metric) else -1
        self.scores = sorted(scores, key=lambda score: -self.sign * score.mean)
        self.dropped = {score.kind: why for score in self.scores if (why := self._hindrance(score))}

    def choose(self) -> tuple[CandidateScore, str]:
        allowed = [score for score in self.scores if score.kind not in self.dropped]
        if not allowed:
            raise NoriaError(
                "no candidate can be chosen: " + "; ".join(f"{kind} {why}" for kind, why in self.dropped.items()),
                code="training.no_candidate_left",
                where="problem.latency_budget_ms, problem.size_budget_mb, problem.readable",
                fix="raise the budgets, or bring smaller candidates",
            )
        rivals = [score for score in allowed if score.kind not in {"rules", "dummy"}]
        dummy = next((score for score in allowed if score.kind == "dummy"), None)
        if dummy is not None:
            rivals = [score for score in rivals if self.sign * (score.mean - dummy.mean) > 0]
        if not rivals:
            return self._fallback(allowed)
        best = rivals[0]
        near = [score for score in rivals if self.sign * (best.mean - score.mean) <= best.standard_error]
        readable = [score for score in near if is_readable(score.kind, score.params)]
        plainest = min(readable, key=lambda score: KINDS.index(score.kind), default=best)
        if self.problem.readable != "unimportant" and plainest is not best:
            return plainest, (
                f"{self._words(plainest)} is chosen: it is the most readable candidate within one standard error of "
                f"the best, {self._words(best)}."
            )
        return best, f"{self._words(best)} is chosen: {self._best_of(best)}"

    def table(self, winner: CandidateScore) -> list[SelectionRow]:
        """Every candidate with why it was chosen or left out."""
        return [
            SelectionRow(
                kind=score.kind,
                mean=score.mean,
                standard_error=score.standard_error,
                latency_ms=score.latency_ms,
                size_mb=score.size_mb,
                readable=is_readable(score.kind, score.params),
                chosen=score is winner,
                why="chosen" if score is winner else self._why_not(score, winner),
            )
            for score in self.scores
        ]

    def _hindrance(self, score: CandidateScore) -> str:
        problem = self.problem
        if score.latency_ms > problem.latency_budget_ms:
            return f"takes {score.latency_ms:.1f} ms for one row, over the budget of {problem.latency_budget_ms:g} ms"
        if score.size_mb > problem.size_budget_mb:
            return f"weighs {score.size_mb:.1f} MB, over the budget of {problem.size_budget_mb:g} MB"
        if problem.readable == "required" and not is_readable(score.kind, score.params):
            return "cannot be read by a person, which is required"
        return ""

    def _fallback(self, allowed: Sequence[CandidateScore]) -> tuple[CandidateScore, str]:
        plain = {score.kind: score for score in allowed if score.kind in {"rules", "dummy"}}
        chosen = plain.get("rules") or plain["dummy"]
        if chosen.kind == "dummy":
            return chosen, f"{self._words(chosen)} is chosen: no other candidate that may be chosen beats it."
        return chosen, f"{self._words(chosen)} are taken: no model that may be chosen beats the dummy."

    def _best_of(self, best: CandidateScore) -> str:
        if self.problem.readable == "unimportant":
            return "it has the best cross-validated score, and readability is unimportant."
        if is_readable(best.kind, best.params):
            return "it has the best cross-validated score, and no candidate as good is easier to read."
        return "it has the best cross-validated score, and no readable candidate is within its standard error."

    def _why_not(self, score: CandidateScore, winner: CandidateScore) -> str:
        if score.kind in self.dropped:
            return self.dropped[score.kind]
        if score.kind == "rules":
            return "the baseline: the gate compares the challenger with it on the test rows"
        if score.kind == "dummy":
            return "it looks at no column; every model must beat it"
        if self.sign * (score.mean - winner.mean) > 0:
            return f"not better than {winner.kind} by more than one standard error, and harder to read"
        return f"{self.metric} is worse than that of {winner.kind}"

    def _words(self, score: CandidateScore) -> str:
        name = "the rules" if score.kind == "rules" else score.kind
        return f"{name} ({self.metric} {score.mean:.4g} ± {score.standard_error:.2g})"
