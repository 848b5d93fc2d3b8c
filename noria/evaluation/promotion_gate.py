"""The gate: a challenger is promoted only if it beats the champion and the rules by the margin and beyond chance."""

from typing import Literal

import numpy as np
import pandas as pd

from noria.bundle import Bundle
from noria.config import UseCase
from noria.evaluation.paired_bootstrap import metric_difference
from noria.evaluation.report.labels import comparison_in_words, kind_name
from noria.evaluation.results import GateVerdict, RivalComparison
from noria.evaluation.scored_predictions import ScoredPredictions, score_rows
from noria.system.errors import NoriaError

__all__ = ["GateVerdict", "RivalComparison", "gate"]
Rival = Literal["rules", "champion"]


def gate(
    use_case: UseCase, test: pd.DataFrame, challenger: Bundle, rules: Bundle, champion: Bundle | None = None
) -> GateVerdict:
    """Compare the challenger with the rules and the champion on the same test rows.

    "Beats" means: better in `evaluation.metric` by at least `evaluation.margin`, and the lower end of the paired
    bootstrap interval of the difference (Efron and Tibshirani 1993) is above 0.

    - Beats both: the challenger is promoted.
    - Beats the rules but not the champion: nothing is promoted.
    - Does not beat the rules: the rules are promoted, unless they are deployed already or the champion beats them.

    A champion of another task, or one that cannot read these rows, is no rival; the reason says so.

    Raises:
        NoriaError: the challenger or the rules cannot answer the test rows.
    """
    found, rule_baseline = score_rows(challenger, test, use_case), score_rows(rules, test, use_case)
    old, why_not = _usable(champion, test, use_case)
    versus_rules = _compare(found, rule_baseline, "rules")
    versus_champion = _compare(found, old, "champion") if old else None
    if versus_rules.beats and challenger.manifest.kind != "rules":
        verdict = _model_or_champion(versus_rules, versus_champion, challenger, use_case)
    else:
        verdict = _rules_or_champion(versus_rules, rule_baseline, old, challenger, use_case)
    # rules compared with themselves say nothing
    compared = [versus_champion] if challenger.manifest.kind == "rules" else [versus_rules, versus_champion]
    comparisons = [comparison for comparison in compared if comparison]
    reason = " ".join(filter(None, [verdict.reason, why_not]))
    return verdict.model_copy(update={"comparisons": comparisons, "reason": reason})


def _usable(champion: Bundle | None, test: pd.DataFrame, use_case: UseCase) -> tuple[ScoredPredictions | None, str]:
    if champion is None:
        return None, ""
    manifest = champion.manifest
    if (manifest.task, manifest.target) != (use_case.problem.task, use_case.data.target):
        return None, f"Version {manifest.version}, deployed so far, answers another question and was not compared."
    try:
        return score_rows(champion, test, use_case), ""
    except NoriaError as error:
        return None, f"Version {manifest.version}, deployed so far, cannot read today's rows ({error.what})."


def _compare(challenger: ScoredPredictions, rival: ScoredPredictions, name: Rival) -> RivalComparison:
    judging = challenger.use_case.evaluation
    ours, theirs, difference = metric_difference(challenger, rival, judging.metric)
    if not np.isfinite([difference.value, difference.low, difference.high]).all():
        raise NoriaError(
            f"{judging.metric} is undefined on the test rows",
            code="evaluation.metric_undefined",
            where="evaluation.metric",
            fix="bring test rows of every class, or choose another metric",
        )
    return RivalComparison(
        rival=name,
        rival_version=rival.bundle.manifest.version,
        challenger_value=ours,
        rival_value=theirs,
        difference=difference.value,
        low=difference.low,
        high=difference.high,
        beats=difference.value >= judging.margin and difference.low > 0,
    )


def _model_or_champion(
    rules: RivalComparison, champion: RivalComparison | None, challenger: Bundle, use_case: UseCase
) -> GateVerdict:
    wins = champion is None or champion.beats
    who = kind_name(challenger.manifest.kind)
    reason = f"{comparison_in_words(rules, who, use_case)} "
    if champion is None:
        reason += "Nothing is deployed yet, so it goes into service."
    elif wins:
        reason += f"{comparison_in_words(champion, 'it', use_case)} It takes over."
    else:
        reason += f"{comparison_in_words(champion, 'it', use_case)} Version {champion.rival_version} stays."
    # a constant that beats the rules shows that the rules are bad, not that learning is needed
    needed = challenger.manifest.kind != "dummy"
    return GateVerdict(promote="challenger" if wins else "none", reason=reason, comparisons=[], ml_needed=needed)


def _rules_or_champion(
    versus_rules: RivalComparison,
    rules: ScoredPredictions,
    champion: ScoredPredictions | None,
    challenger: Bundle,
    use_case: UseCase,
) -> GateVerdict:
    reason = comparison_in_words(versus_rules, kind_name(challenger.manifest.kind), use_case)
    if challenger.manifest.kind == "rules":
        reason = "No learned model could be chosen as a challenger, so your own rules are left."
    promote: Literal["rules", "none"] = "rules"
    needed = False
    if champion is None:
        reason += " The rules go into service; machine learning is not needed for this."
    elif _same_rules(champion.bundle, rules.bundle):
        promote = "none"
        reason += " The rules, which are in service already, stay; machine learning is not needed for this."
    else:
        against = _compare(champion, rules, "rules")
        version = champion.bundle.manifest.version
        if against.beats:
            promote, needed = "none", champion.bundle.manifest.kind not in {"rules", "dummy"}
            reason += f" Version {version}, deployed so far, does beat them and stays."
        else:
            reason += (
                f" Nor does version {version}, deployed so far. The rules take over; machine learning is not needed."
            )
    return GateVerdict(promote=promote, reason=reason, comparisons=[], ml_needed=needed)


def _same_rules(champion: Bundle, rules: Bundle) -> bool:
    if champion.fitted.rules is None or rules.fitted.rules is None:
        return False
    written = [
        [(answer.when, answer.then) for answer in r.answers] for r in (champion.fitted.rules, rules.fitted.rules)
    ]
    return written[0] == written[1]
