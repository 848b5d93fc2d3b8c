"""The evaluation in plain words: whole cases out of 1,000, money, and no statistics."""

import math

from noria.config import UseCase
from noria.evaluation.report.labels import cases, metric_name, rounded
from noria.evaluation.results import EvaluationResult, GateVerdict, PolicyResult, RivalComparison
from noria.reporting.formats import number, plural

_MUCH_MORE = 3


def headline(verdict: GateVerdict, evaluation: EvaluationResult, use_case: UseCase) -> str:
    """Is machine learning needed here? One line."""
    if not verdict.ml_needed:
        if evaluation.kind == "dummy":
            return "Machine learning is not needed here, and your rules need another look"
        return "Machine learning is not needed here: your own rules are good enough"
    if verdict.promote != "challenger":
        if _champion(verdict) is None:
            return "No model goes into service: none is better than a constant answer beyond doubt"
        return "What is in service stays: the new model is not better beyond doubt"
    return _what_it_brings(evaluation, use_case)


def _what_it_brings(evaluation: EvaluationResult, use_case: UseCase) -> str:
    """What a promoted model does better than what was there before."""
    idle = by_name(evaluation, "nothing")
    in_use = idle if evaluation.rules_mined else by_name(evaluation, "rules")
    lead = in_use.model_leads_by if in_use else None
    better_than_nothing = idle is not None and idle.model_leads_by is not None and idle.model_leads_by.low > 0
    without = "your rules"
    if evaluation.rules_mined and idle is not None:
        name = approach_name(idle, evaluation)
        without = f"{name[0].lower()}{name[1:]}"
    if lead is not None and lead.low > 0 and better_than_nothing:
        gain, per = money(lead.value, use_case), f"per 1,000 {cases(use_case)}"
        if all_cost(evaluation):
            return f"Machine learning pays here: it saves {gain} {per} against {without}"
        return f"Machine learning pays here: {gain} more {per} than with {without}"
    return f"Machine learning predicts better here than {_before(evaluation)}"


def _before(evaluation: EvaluationResult) -> str:
    """What a first model is compared with."""
    return "a constant answer" if evaluation.rules_mined else "your own rules"


def _champion(verdict: GateVerdict) -> RivalComparison | None:
    return next((c for c in verdict.comparisons if c.rival == "champion" and c.candidate == verdict.candidate), None)


def by_name(evaluation: EvaluationResult, name: str) -> PolicyResult | None:
    """The approach of that name."""
    return next((approach for approach in evaluation.approaches if approach.name == name), None)


def shown_approaches(evaluation: EvaluationResult) -> list[PolicyResult]:
    """The approaches to compare; where the rules are what is judged, they stand there once."""
    return [a for a in evaluation.approaches if not (a.name == "model" and evaluation.kind == "rules")]


def approach_name(approach: PolicyResult, evaluation: EvaluationResult) -> str:
    """The heading of an approach."""
    if approach.name == "nothing":
        return "Doing nothing" if evaluation.usual is None else f"Always {_usual(evaluation)}"
    return {"model": "The model", "rules": rules_name(evaluation)}[approach.name]


def rules_name(evaluation: EvaluationResult) -> str:
    """Whose rules they are."""
    return "Mined rules" if evaluation.rules_mined else "Your rules"


def money(amount: float, use_case: UseCase) -> str:
    """An amount with its unit: `26,800 EUR`."""
    return f"{rounded(amount)} {use_case.problem.unit}"


def all_cost(evaluation: EvaluationResult) -> bool:
    """Whether every approach costs something, so that costs are what to compare."""
    return all(approach.worth.value < 0 for approach in evaluation.approaches)


def decision(verdict: GateVerdict, evaluation: EvaluationResult) -> str:
    """What happens now, and why, in a sentence or two."""
    rival = _champion(verdict)
    old = f"version {rival.rival_version}, in service so far" if rival else ""
    if verdict.promote == "challenger":
        also = f" and than {old}" if old else ""
        beaten = f"your rules{also}" if not evaluation.rules_mined else old or "a constant answer"
        return f"The model goes into service: it is better than {beaten}, by more than chance explains."
    if not old and verdict.ml_needed:
        return "Nothing goes into service. No model is better than a constant answer by more than chance explains."
    if verdict.promote == "rules":
        return "Your rules go into service. No model was better than they are by more than chance explains."
    if not verdict.ml_needed:
        return "Your rules stay in service. No model was better than they are by more than chance explains."
    if not evaluation.rules_mined and not any(c.beats for c in verdict.comparisons):
        return (
            f"{old[0].upper()}{old[1:]}, stays. No new model was better than your rules by more than chance explains."
        )
    return f"{old[0].upper()}{old[1:]}, stays. The new model is not better by more than chance explains."


def tried_on(evaluation: EvaluationResult, use_case: UseCase) -> str:
    """Which rows the figures come from."""
    fit = "the training rows" if evaluation.fit_rows is None else plural(evaluation.fit_rows, "training row")
    tried = plural(evaluation.rows, use_case.problem.case)
    return f"All figures are of a fit on {fit}, tried on {tried} whose outcome is known and that it had never seen."


def served_fit(evaluation: EvaluationResult, verdict: GateVerdict, use_case: UseCase) -> str:
    """Which rows that which goes into service has learned from."""
    if verdict.promote == "none":
        return "Nothing of it goes into service."
    is_rules = verdict.promote == "rules" or evaluation.kind == "rules"
    if use_case.models.refit == "training":
        what = f"{rules_name(evaluation)} go" if is_rules else "The model goes"
        return f"{what} into service as tried, without the test rows."
    rows = "all rows"
    if evaluation.window is not None and evaluation.window.days is not None:
        rows = f"the rows of the last {evaluation.window.days:g} days"
    elif evaluation.fit_rows is not None:
        rows = f"all {evaluation.fit_rows + evaluation.rows + evaluation.unusable:,} rows"
    if is_rules:
        return f"{rules_name(evaluation)} go into service; how often each is right was measured again on {rows}."
    served = f"The model that goes into service was fitted again, by the same recipe, on {rows}, these included."
    return served + _weights(evaluation)


def _weights(evaluation: EvaluationResult) -> str:
    if evaluation.kind == "rules" or evaluation.window is None or evaluation.window.half_life_days is None:
        return ""
    return f" In both fits the weight of a row halves with {evaluation.window.half_life_days:g} days of age."


def whole_cases(approach: PolicyResult) -> dict[str, int]:
    """`per_1000` in whole cases that add up to 1,000; the positives add up to the same number in every approach."""
    groups = [[name for name in approach.per_1000 if name.endswith(end)] for end in ("_positive", "_negative")]
    if not groups[0]:
        return _apportion(approach.per_1000, 1000)
    positives = round(sum(approach.per_1000[name] for name in groups[0]))
    counted = {
        **_apportion({name: approach.per_1000[name] for name in groups[0]}, positives),
        **_apportion({name: approach.per_1000[name] for name in groups[1]}, 1000 - positives),
    }
    return {name: counted[name] for name in approach.per_1000}


def frequencies(approach: PolicyResult, evaluation: EvaluationResult, use_case: UseCase) -> str:
    """How often an approach is right, in whole cases."""
    counts = whole_cases(approach)
    if evaluation.task == "binary":
        return _binary(approach, counts, evaluation.classes[-1])
    if evaluation.task == "multiclass":
        asked = f" A person is asked about {counts['ask']:,}." if counts["ask"] else ""
        wrong = f"{counts['wrong']:,} a wrong one.{asked}"
        return f"Of 1,000 {cases(use_case)}, {counts['right']:,} get the right answer, {wrong}"
    return (
        f"Of 1,000 {cases(use_case)}, {counts['near']:,} are predicted to within {number(evaluation.near, 3)} of what "
        f"happened, {counts['too_high']:,} are put too high and {counts['too_low']:,} too low."
    )


def setting(evaluation: EvaluationResult, use_case: UseCase) -> str:
    """What there is to find, before anyone has tried."""
    problem, target = use_case.problem, use_case.data.target
    if problem.task == "binary":
        counts = whole_cases(evaluation.approaches[0])
        there = sum(n for name, n in counts.items() if name.endswith("_positive"))
        return f"Of 1,000 {cases(use_case)}, {there:,} turn out “{problem.positive}” ({target})."
    if problem.task == "multiclass":
        return f"Each {problem.case} gets one of {len(evaluation.classes)} answers ({target})."
    half, most = number(evaluation.typical_error, 2), number(evaluation.large_error, 2)
    return f"Half of the predictions are within {half} of what happened, nine in ten within {most} ({target})."


def cautions(evaluation: EvaluationResult, verdict: GateVerdict, use_case: UseCase) -> list[str]:
    """What a reader must not overlook."""
    found = [verdict.disqualified] if verdict.disqualified else []
    if evaluation.rules_mined:
        found.append(
            "How it is decided today is not known: the rules were read off the data and stand in for it. Write the "
            "rules of the business under `rules`, with `source: business`, to see what a model is worth beside them."
        )
    rules = None if evaluation.rules_mined else by_name(evaluation, "rules")
    lead = rules.model_leads_by if rules else None
    if lead is not None and verdict.ml_needed and lead.low <= 0:
        found.append(
            f"Whether the model brings in more than your rules is not certain: the difference per 1,000 "
            f"{cases(use_case)} lies between {money(lead.low, use_case)} and {money(lead.high, use_case)}."
        )
    if lead is not None and not verdict.ml_needed and lead.low > 0:
        found.append(
            f"By {metric_name(evaluation.metric, use_case)} the rules hold their own, yet the model's decisions "
            f"brought in {money(lead.value, use_case)} more per 1,000 {cases(use_case)}. "
            "If that counts, judge by `worth`."
        )
    idle = by_name(evaluation, "nothing")
    if evaluation.kind != "rules" and idle and idle.model_leads_by and idle.model_leads_by.low <= 0:
        found.append(
            f"That the model brings in more than {approach_name(idle, evaluation).lower()} is not certain: with these "
            "columns there may be nothing to learn."
        )
    counts = evaluation.approaches[0].per_1000
    low, high = counts.get("too_low", 0.0), counts.get("too_high", 0.0)
    if evaluation.kind != "rules" and max(low, high) > _MUCH_MORE * max(min(low, high), 1.0):
        side = "low" if low > high else "high"
        found.append(
            f"The predictions err on one side: far more are too {side} than the other way. The test rows differ from "
            "the rows it was trained on, as they do when demand grows or shrinks; train again often, on fresh rows."
        )
    if evaluation.unusable:
        found.append(
            f"{plural(evaluation.unusable, 'test row')} could not be answered and are left out of all figures."
        )
    return found


def _binary(approach: PolicyResult, counts: dict[str, int], positive: str) -> str:
    acted = counts["act_positive"] + counts["act_negative"]
    asked = counts["ask_positive"] + counts["ask_negative"]
    there = sum(count for name, count in counts.items() if name.endswith("_positive"))
    if approach.name == "nothing":
        return f"None is pointed at, and all {there:,} are missed."
    text = f"Points at {acted:,}: rightly at {counts['act_positive']:,}, in vain at {counts['act_negative']:,}."
    if asked:
        text += f" Hands {plural(asked, 'close call')} to a person, {counts['ask_positive']:,} of them “{positive}”."
    return f"{text} Misses {counts['leave_positive']:,} of the {there:,}."


def _usual(evaluation: EvaluationResult) -> str:
    return f"“{evaluation.usual}”" if isinstance(evaluation.usual, str) else number(evaluation.usual)


def _apportion(shares: dict[str, float], total: int) -> dict[str, int]:
    """Whole numbers that add up to `total`: the largest remainders are rounded up (Hamilton's method)."""
    size = sum(shares.values())
    exact = {name: share * total / size if size else 0.0 for name, share in shares.items()}
    whole = {name: math.floor(share) for name, share in exact.items()}
    for name in sorted(exact, key=lambda name: whole[name] - exact[name])[: total - sum(whole.values())]:
        whole[name] += 1
    return whole
