"""The gate: a candidate is promoted only if it beats what is in use by the margin and beyond chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from noria.bundle import Bundle
from noria.bundle.manifest import Kind
from noria.bundle.qualification import disqualification
from noria.config import UseCase
from noria.evaluation.champion_trial import ChampionTrial, champion_trial
from noria.evaluation.paired_bootstrap import metric_difference
from noria.evaluation.policy_comparison import constant_answer
from noria.evaluation.report.labels import comparison_in_words, kind_name
from noria.evaluation.results import GateVerdict, RivalComparison
from noria.evaluation.scored_predictions import ScoredPredictions, score_rows
from noria.reporting import percent
from noria.system.errors import NoriaError

__all__ = ["GateVerdict", "RivalComparison", "gate"]
Rival = Literal["rules", "champion", "nothing", "readable"]


def gate(
    use_case: UseCase,
    test: pd.DataFrame,
    challenger: Bundle,
    rules: Bundle,
    champion: Bundle | None = None,
    *,
    best: Bundle | None = None,
    train: pd.DataFrame | None = None,
) -> GateVerdict:
    """Compare the candidates with what is in use, on the same test rows.

    In use are the champion, and the rules where they are those of the business. Mined rules decide nothing today; where
    nothing is in use, a candidate must beat a constant answer. The champion may have learned test rows since;
    `noria.evaluation.champion_trial` sees to a fair comparison, for which it needs the training rows.

    "Beats" means: better in `evaluation.metric` by at least `evaluation.margin`, and the lower end of the paired
    bootstrap interval of the difference (Efron and Tibshirani 1993) is above 0.

    - Beats all that is in use: the challenger is promoted.
    - Beats the rules but not the champion: nothing is promoted.
    - Does not beat the rules: the rules are promoted, unless they are deployed already or the champion beats them.
    - Nothing is in use, and it does not beat a constant answer: nothing is promoted.

    Where selection preferred a readable candidate, the best one is tried as well. It takes the challenger's place if
    the challenger fails and it does not, or if both pass and it beats the challenger by more than
    `models.readability_price`. Either may pass by chance, so each is held to the confidence 1 - (1 - c) / 2 (the
    Bonferroni inequality: O. J. Dunn, Multiple comparisons among means, Journal of the American Statistical
    Association 56, 1961). That a candidate must beat several rivals needs no such correction.

    A champion that is disqualified (`noria.bundle.qualification`), or that cannot read these rows, is no rival; the
    reason says so.

    Args:
        use_case: metric, margin, confidence and the source of the rules.
        test: n rows that no candidate has learned from.
        challenger: the candidate that selection has chosen.
        rules: the rule baseline.
        champion: what is deployed.
        best: the best candidate, where the challenger was preferred to it for its readability.
        train: the training rows.

    Raises:
        NoriaError: a candidate or the rules cannot answer the test rows.
    """
    disqualified = disqualification(champion, use_case) if champion else ""
    trial, why_not = (None, "") if disqualified else _usable(champion, test, use_case, train)
    if disqualified:
        disqualified = f"{disqualified} It is no rival and must not stay in service."
    bundles = [challenger] if best is None else [challenger, best]
    confidence = 1 - (1 - use_case.evaluation.confidence) / len(bundles)
    baseline = score_rows(rules, test, use_case)
    tried = [_try(score_rows(bundle, test, use_case), baseline, trial, confidence) for bundle in bundles]
    leads = [_lead(tried[1], tried[0])] if len(tried) == 2 else []
    settled = _settle(tried, leads)
    if use_case.rules.source == "mined":
        verdict = _candidate_or_champion(settled, champion is not None)
    elif settled.beats("rules") and settled.kind != "rules":
        verdict = _model_or_champion(settled, champion is not None)
    else:
        verdict = _rules_or_champion(settled, baseline, trial.scored if trial else None)
    reason = [verdict.reason, *_about_both(tried, settled, leads, use_case), disqualified, why_not]
    basis = {"champion_basis": trial.basis, "unlearned_rows": trial.unlearned} if trial else {}
    return verdict.model_copy(
        update={
            # rules compared with themselves say nothing
            "comparisons": [
                each for one in tried for each in one.comparisons if not each.candidate == each.rival == "rules"
            ]
            + leads,
            "reason": " ".join(filter(None, reason)),
            "disqualified": disqualified,
            **basis,
        }
    )


@dataclass(frozen=True)
class _Tried:
    """A candidate, and how it did against what is in use."""

    scored: ScoredPredictions
    comparisons: list[RivalComparison]

    @property
    def kind(self) -> Kind:
        return self.scored.bundle.manifest.kind

    @property
    def name(self) -> str:
        return kind_name(self.kind, rules_mined=self.use_case.rules.source == "mined")

    @property
    def use_case(self) -> UseCase:
        return self.scored.use_case

    def against(self, rival: Rival) -> RivalComparison | None:
        """The comparison with a rival, if it is one."""
        return next((each for each in self.comparisons if each.rival == rival), None)

    def beats(self, rival: Rival) -> bool:
        """Is it a rival, and beaten?"""
        found = self.against(rival)
        return found is not None and found.beats

    @property
    def passes(self) -> bool:
        """Does it beat all that is in use?"""
        return all(each.beats for each in self.comparisons)


def _try(
    found: ScoredPredictions, baseline: ScoredPredictions, trial: ChampionTrial | None, confidence: float
) -> _Tried:
    use_case, margin = found.use_case, found.use_case.evaluation.margin
    comparisons = []
    if use_case.rules.source == "business":
        comparisons.append(_compare(found, baseline, "rules", confidence, margin))
    if trial is not None:
        comparisons.append(_compare(trial.opponent(found), trial.scored, "champion", confidence, margin))
    return _Tried(found, comparisons or [_compare(found, constant_answer(found), "nothing", confidence, 0.0)])


def _lead(best: _Tried, challenger: _Tried) -> RivalComparison:
    """The best candidate against the readable one; what counts is a lead beyond the price of readability."""
    confidence = challenger.comparisons[0].confidence
    over_nothing = _compare(best.scored, constant_answer(best.scored), "nothing", confidence, 0.0)
    price = best.use_case.models.readability_price * max(over_nothing.difference, 0.0)
    return _compare(best.scored, challenger.scored, "readable", confidence, price)


def _settle(tried: Sequence[_Tried], leads: Sequence[RivalComparison]) -> _Tried:
    """The candidate that goes on: one that passes, or else the one that comes furthest; of equals the readable one."""
    first, last = tried[0], tried[-1]
    if first.passes and last.passes:
        return last if leads and leads[0].beats else first
    if last.passes or (not first.passes and last.beats("rules") and not first.beats("rules")):
        return last
    return first


def _about_both(
    tried: Sequence[_Tried], settled: _Tried, leads: Sequence[RivalComparison], use_case: UseCase
) -> list[str]:
    if not leads:
        return []
    readable, best = (each.name for each in tried)
    held = f"each was held to {percent(leads[0].confidence, 1)}, so that two tries have no better chance than one"
    both = f"Two candidates were tried, {readable} for its readability and {best} as the best; {held}."
    if settled is tried[0] or not settled.passes:
        return [both]
    if tried[0].passes:
        return [both, f"Readability would cost too much: {comparison_in_words(leads[0], best, use_case)}"]
    return [both, f"The best is taken, since {readable} does not pass."]


def _usable(
    champion: Bundle | None, test: pd.DataFrame, use_case: UseCase, train: pd.DataFrame | None
) -> tuple[ChampionTrial | None, str]:
    if champion is None:
        return None, ""
    try:
        return champion_trial(champion, test, use_case, train), ""
    except NoriaError as error:
        return None, f"Version {champion.manifest.version}, deployed so far, cannot read today's rows ({error.what})."


def _compare(
    candidate: ScoredPredictions, rival: ScoredPredictions, name: Rival, confidence: float, margin: float
) -> RivalComparison:
    metric = candidate.use_case.evaluation.metric
    ours, theirs, difference = metric_difference(candidate, rival, metric, confidence)
    if not np.isfinite([difference.value, difference.low, difference.high]).all():
        raise NoriaError(
            f"{metric} is undefined on the test rows",
            code="evaluation.metric_undefined",
            where="evaluation.metric",
            fix="bring test rows of every class, or choose another metric",
        )
    return RivalComparison(
        candidate=candidate.bundle.manifest.kind,
        rival=name,
        rival_kind="dummy" if name == "nothing" else rival.bundle.manifest.kind,
        rival_version=rival.bundle.manifest.version,
        challenger_value=ours,
        rival_value=theirs,
        difference=difference.value,
        low=difference.low,
        high=difference.high,
        confidence=confidence,
        margin=margin,
        beats=difference.value >= margin and difference.low > 0,
    )


def _candidate_or_champion(tried: _Tried, in_service: bool) -> GateVerdict:
    """The rules are mined: only the champion is in use."""
    (versus,) = tried.comparisons
    reason = comparison_in_words(versus, tried.name, tried.use_case)
    if versus.rival == "champion":
        reason += " It takes over." if versus.beats else f" Version {versus.rival_version} stays."
    elif versus.beats:
        reason += _goes_into_service(in_service)
    else:
        reason += " Nothing goes into service: with these columns there may be nothing to learn."
    return _verdict(tried, "challenger" if versus.beats else "none", reason, ml_needed=True)


def _model_or_champion(tried: _Tried, in_service: bool) -> GateVerdict:
    rules, champion = tried.against("rules"), tried.against("champion")
    assert rules is not None  # noqa: S101 - rules of the business are always compared
    reason = comparison_in_words(rules, tried.name, tried.use_case)
    if champion is None:
        reason += _goes_into_service(in_service)
    elif champion.beats:
        reason += f" {comparison_in_words(champion, 'it', tried.use_case)} It takes over."
    else:
        reason += f" {comparison_in_words(champion, 'it', tried.use_case)} Version {champion.rival_version} stays."
    # a constant that beats the rules shows that the rules are bad, not that learning is needed
    return _verdict(tried, "challenger" if tried.passes else "none", reason, ml_needed=tried.kind != "dummy")


def _goes_into_service(in_service: bool) -> str:
    return " It goes into service." if in_service else " Nothing is deployed yet, so it goes into service."


def _rules_or_champion(tried: _Tried, rules: ScoredPredictions, champion: ScoredPredictions | None) -> GateVerdict:
    versus_rules = tried.against("rules")
    assert versus_rules is not None  # noqa: S101 - rules of the business are always compared
    reason = comparison_in_words(versus_rules, tried.name, tried.use_case)
    if tried.kind == "rules":
        reason = "No learned model could be chosen as a challenger, so your own rules are left."
    if champion is None:
        return _verdict(tried, "rules", f"{reason} The rules go into service; machine learning is not needed for this.")
    if _same_rules(champion.bundle, rules.bundle):
        in_service = "The rules, which are in service already, stay; machine learning is not needed for this."
        return _verdict(tried, "none", f"{reason} {in_service}")
    judging, version = tried.use_case.evaluation, champion.bundle.manifest.version
    if _compare(champion, rules, "rules", judging.confidence, judging.margin).beats:
        stays = f"Version {version}, deployed so far, does beat them and stays."
        needed = champion.bundle.manifest.kind not in {"rules", "dummy"}
        return _verdict(tried, "none", f"{reason} {stays}", ml_needed=needed)
    falls = f"Nor does version {version}, deployed so far. The rules take over; machine learning is not needed."
    return _verdict(tried, "rules", f"{reason} {falls}")


def _verdict(
    tried: _Tried, promote: Literal["challenger", "rules", "none"], reason: str, *, ml_needed: bool = False
) -> GateVerdict:
    return GateVerdict(promote=promote, candidate=tried.kind, reason=reason, comparisons=[], ml_needed=ml_needed)


def _same_rules(champion: Bundle, rules: Bundle) -> bool:
    if champion.fitted.rules is None or rules.fitted.rules is None:
        return False
    written = [
        [(answer.when, answer.then) for answer in r.answers] for r in (champion.fitted.rules, rules.fitted.rules)
    ]
    return written[0] == written[1]
