"""Choosing one candidate by its cross-validated score, its cost and its readability, and saying why."""

from collections.abc import Sequence
from typing import Any

from noria.config import UseCase
from noria.config.section import Section
from noria.metrics.metrics import greater_is_better
from noria.models.candidate_score import CandidateScore, paired_difference
from noria.models.candidates import KINDS, is_readable
from noria.reporting.formats import number, percent, plural
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
    best: str
    """The kind of the best candidate that may be chosen: another one only where a more readable one is preferred."""
    reason: str
    """Why, in a sentence that a person reads."""
    table: list[SelectionRow]
    """All candidates, the best mean first."""


def select(scores: Sequence[CandidateScore], use_case: UseCase) -> Selection:
    """Choose the challenger.

    Candidates over the latency or size budget are dropped, and unreadable ones if `problem.readable` is `required`.
    Of the rest the best mean wins. Where readability is preferred, the most readable candidate is chosen that the best
    does not beat by more than one standard error (L. Breiman et al., Classification and Regression Trees, 1984,
    section 3.4.3), here of the paired difference on the same folds, see `paired_difference`. It may cost no more than
    `models.readability_price`: that share of what the best gains over a constant answer, in the metric and in worth.

    Rules of the business are what the gate compares with: they and the dummy are chosen only if nothing else is left
    or better. Mined rules compete like any small model.

    Args:
        scores: one score per candidate, on the same folds.
        use_case: budgets, readability and metric.

    Raises:
        NoriaError: no candidate is within the budgets.
    """
    chooser = _Chooser(scores, use_case)
    winner, best, reason = chooser.choose()
    return Selection(
        kind=winner.kind, params=winner.params, best=best.kind, reason=reason, table=chooser.table(winner, best)
    )


class _Chooser:
    def __init__(self, scores: Sequence[CandidateScore], use_case: UseCase) -> None:
        self.problem = use_case.problem
        self.price = use_case.models.readability_price
        self.metric = use_case.evaluation.metric
        self.sign = 1 if greater_is_better(self.metric) else -1
        self.baselines = {"dummy"} if use_case.rules.source == "mined" else {"rules", "dummy"}
        self.scores = sorted(scores, key=lambda score: -self.sign * score.mean)
        self.dummy = next((score for score in self.scores if score.kind == "dummy"), None)
        self.dropped = {score.kind: why for score in self.scores if (why := self._hindrance(score))}

    def choose(self) -> tuple[CandidateScore, CandidateScore, str]:
        """The chosen candidate, the best one, and why."""
        allowed = [score for score in self.scores if score.kind not in self.dropped]
        if not allowed:
            raise NoriaError(
                "no candidate can be chosen: " + "; ".join(f"{kind} {why}" for kind, why in self.dropped.items()),
                code="training.no_candidate_left",
                where="problem.latency_budget_ms, problem.size_budget_mb, problem.readable",
                fix="raise the budgets, or bring smaller candidates",
            )
        rivals = [score for score in allowed if score.kind not in self.baselines]
        if self.dummy is not None:
            rivals = [score for score in rivals if self.sign * (score.mean - self.dummy.mean) > 0]
        if not rivals:
            chosen, reason = self._fallback(allowed)
            return chosen, chosen, reason
        best = rivals[0]
        if self.problem.readable == "unimportant":
            reason = "it has the best cross-validated score, and readability is unimportant."
            return best, best, f"{self._words(best)} is chosen: {reason}"
        readable = [score for score in rivals if is_readable(score.kind, score.params)]
        near = [score for score in readable if score is best or not self._too_much(score, best)]
        plainest = min(near, key=lambda score: KINDS.index(score.kind), default=best)
        if plainest is best:
            return best, best, f"{self._words(best)} is chosen: {self._best_of(best, readable)}"
        return (
            plainest,
            best,
            (
                f"{self._words(plainest)} is chosen: it is easier to read than the best, {self._words(best)}, whose "
                f"lead of {self._lead(best, plainest)} on the same folds may be chance. {self._cost(plainest, best)}"
            ),
        )

    def table(self, winner: CandidateScore, best: CandidateScore) -> list[SelectionRow]:
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
                why="chosen" if score is winner else self._why_not(score, winner, best),
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
        chosen = (plain.get("rules") if "rules" in self.baselines else None) or plain.get("dummy") or plain["rules"]
        if chosen.kind == "dummy":
            return chosen, f"{self._words(chosen)} is chosen: no other candidate that may be chosen beats it."
        return chosen, f"{self._words(chosen)} are taken: no model that may be chosen beats the dummy."

    def _too_much(self, score: CandidateScore, best: CandidateScore) -> str:
        """Why a candidate is no match for the best, though more readable; empty: it is one."""
        lead, error = paired_difference(best, score)
        if self.sign * lead > error:
            return f"worse than {best.kind} by {self._lead(best, score)} on the same folds"
        for of, share in self._shares(score, best).items():
            if share > self.price:
                return (
                    f"costs {percent(share)} of what {best.kind} gains in {of} over a constant answer; "
                    f"models.readability_price allows {percent(self.price)}"
                )
        return ""

    def _shares(self, score: CandidateScore, best: CandidateScore) -> dict[str, float]:
        """What a candidate costs against the best, as shares of what the best gains over a constant answer."""
        if self.dummy is None:
            return {}
        gains = {self.metric: (self.sign * (best.mean - self.dummy.mean), self.sign * (best.mean - score.mean))}
        gains["worth"] = best.worth - self.dummy.worth, best.worth - score.worth
        # a worth that a constant answer reaches is no yardstick
        return {of: cost / gain for of, (gain, cost) in gains.items() if gain > 0}

    def _cost(self, score: CandidateScore, best: CandidateScore) -> str:
        """What preferring the readable one costs, in money."""
        cost = best.worth - score.worth
        per = f"per {plural(1000, self.problem.case)} on the rows that were held back"
        if cost <= 0:
            return f"Judged by worth, that costs nothing {per}."
        share = self._shares(score, best).get("worth")
        of = f", {percent(share)} of what {best.kind} gains over a constant answer" if share is not None else ""
        return (
            f"That costs an estimated {number(float(f'{cost:.3g}'), 3)} {self.problem.unit} {per}{of}; "
            f"models.readability_price allows {percent(self.price)}."
        )

    def _best_of(self, best: CandidateScore, readable: Sequence[CandidateScore]) -> str:
        if is_readable(best.kind, best.params):
            return "it has the best cross-validated score, and no candidate as good is easier to read."
        if not readable:
            return "it has the best cross-validated score, and no readable candidate beats a constant answer."
        why = self._too_much(readable[0], best)
        return f"it has the best cross-validated score, and the best readable one, {readable[0].kind}, {_verb(why)}."

    def _why_not(self, score: CandidateScore, winner: CandidateScore, best: CandidateScore) -> str:
        if score.kind in self.dropped:
            return self.dropped[score.kind]
        if score.kind == "rules" and score.kind in self.baselines:
            return "the baseline: the gate compares the challenger with it on the test rows"
        if score.kind == "dummy":
            return "it looks at no column; every model must beat it"
        if self.sign * (score.mean - winner.mean) > 0:
            return f"better than {winner.kind} by {self._lead(score, winner)} on the same folds, and harder to read"
        if score is not best and is_readable(score.kind, score.params) and self.problem.readable != "unimportant":
            return self._too_much(score, best) or f"as good as {winner.kind}, and harder to read"
        return f"{self.metric} is worse than that of {winner.kind}"

    def _lead(self, one: CandidateScore, other: CandidateScore) -> str:
        lead, error = paired_difference(one, other)
        return f"{self.sign * lead:.2g} ± {error:.2g}"

    def _words(self, score: CandidateScore) -> str:
        name = "the rules" if score.kind == "rules" else score.kind
        return f"{name} ({self.metric} {score.mean:.4g} ± {score.standard_error:.2g})"


def _verb(why: str) -> str:
    return why if why.startswith("costs") else f"is {why}"
