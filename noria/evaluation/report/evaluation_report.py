"""The evaluation report: the answer first, in plain words; the statistics last."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from noria.config import UseCase
from noria.evaluation.report import metric_tables, narrative
from noria.evaluation.report.evaluation_plots import calibration_plot, icon_array, icon_legend, slices_plot
from noria.evaluation.report.labels import cases, kind_name, metric_meaning, metric_name, metric_value, rounded
from noria.evaluation.results import EvaluationResult, GateVerdict, PolicyResult, SliceResult, WorstError
from noria.metrics.metrics import greater_is_better
from noria.models.candidate_score import CandidateScore
from noria.reporting import number, percent, render
from noria.training.selection import Selection
from noria.training.windows import WindowChoice

_CONTENTS = [
    ("answer", "The answer"),
    ("slices", "Where it does well and badly"),
    ("mistakes", "Real mistakes"),
    ("selection", "Why this model"),
    ("statistics", "The statistics"),
]

_READING = {
    "required": "It must be one that a person can read.",
    "preferred": "Of models that are as good, the one that a person reads most easily is preferred.",
    "unimportant": "Whether a person can read it does not matter here.",
}


def evaluation_report(
    evaluation: EvaluationResult,
    verdict: GateVerdict,
    selection: Selection,
    scores: Sequence[CandidateScore],
    use_case: UseCase,
    *,
    window: WindowChoice | None = None,
) -> str:
    """A self-contained HTML page that a client without statistics reads correctly.

    Args:
        evaluation: how the challenger did on the test rows, best with the rules beside it.
        verdict: what the gate decided.
        selection: why the challenger was chosen among the candidates.
        scores: the cross-validated scores of all candidates.
        use_case: gives question, worths and words.
        window: the choice of the rows that were learned from, where `data.window` is `auto`.
    """
    cautions = narrative.cautions(evaluation, verdict, use_case)
    empty = {"slices": not evaluation.slices, "mistakes": not evaluation.mistakes}
    return render(
        "evaluation/report/evaluation_report.html",
        contents=[(anchor, title) for anchor, title in _CONTENTS if not empty.get(anchor)],
        evaluation=evaluation,
        verdict=verdict,
        selection=selection,
        use_case=use_case,
        problem=use_case.problem,
        cases=cases(use_case),
        headline=narrative.headline(verdict, evaluation, use_case),
        decision=narrative.decision(verdict, evaluation),
        tried=narrative.tried_on(evaluation, use_case),
        served=narrative.served_fit(evaluation, verdict, use_case),
        costs=narrative.all_cost(evaluation),
        behind=_behind(evaluation),
        reading=_READING[use_case.problem.readable],
        setting=narrative.setting(evaluation, use_case),
        cautions=[("watch", text) for text in cautions],
        tone="good" if verdict.promote == "challenger" and not cautions else "watch",
        approaches=_approaches(evaluation, use_case),
        metric=metric_name(evaluation.metric, use_case),
        meaning=metric_meaning(evaluation.metric, use_case),
        slice_tables=_slice_tables(evaluation, use_case),
        truth_head=_truth_head(evaluation, use_case),
        slices_picture=_slices_picture(evaluation, use_case),
        mistakes=[_mistake(mistake, evaluation, use_case) for mistake in evaluation.mistakes],
        window=window,
        windows=[] if window is None else metric_tables.windows(window),
        learned_from="" if evaluation.window is None else str(evaluation.window),
        candidates=metric_tables.candidates(selection, scores, use_case),
        metrics=metric_tables.metrics(evaluation, use_case),
        comparisons=metric_tables.comparisons(verdict, use_case),
        calibration=calibration_plot(evaluation.calibration, shares=evaluation.task != "regression"),
        calibration_text=_calibration_text(evaluation, use_case),
        confusion=[
            [name, *(f"{n:,.0f}" for n in line)]
            for name, line in zip(evaluation.classes, evaluation.confusion, strict=False)
        ],
        worths=metric_tables.worths(use_case),
        kind=kind_name(evaluation.kind, rules_mined=evaluation.rules_mined),
        rules_name=narrative.rules_name(evaluation),
        level=max((c.confidence for c in verdict.comparisons), default=use_case.evaluation.confidence),
        folds=max((len(score.fold_scores) for score in scores), default=0),
    )


def _approaches(evaluation: EvaluationResult, use_case: UseCase) -> list[dict[str, Any]]:
    shown = narrative.shown_approaches(evaluation)
    best = max(approach.worth.value for approach in shown)
    sign = -1 if narrative.all_cost(evaluation) else 1
    return [
        {
            "name": narrative.approach_name(approach, evaluation),
            "worth": narrative.money(sign * approach.worth.value, use_case),
            "note": _worth_note(approach, evaluation, use_case),
            "best": approach.worth.value == best,
            "text": narrative.frequencies(approach, evaluation, use_case),
            "legend": icon_legend(narrative.whole_cases(approach)),
            "picture": _thousand(approach, evaluation, use_case),
        }
        for approach in shown
    ]


def _thousand(approach: PolicyResult, evaluation: EvaluationResult, use_case: UseCase) -> Any:
    if approach.name == "nothing":
        return None
    return icon_array(
        narrative.whole_cases(approach), use_case.problem.case, narrative.approach_name(approach, evaluation)
    )


def _worth_note(approach: PolicyResult, evaluation: EvaluationResult, use_case: UseCase) -> str:
    lead, costs = approach.model_leads_by, narrative.all_cost(evaluation)
    if lead is None or evaluation.kind == "rules":
        low, high = sorted(-end if costs else end for end in (approach.worth.low, approach.worth.high))
        if low == high:
            return ""
        return f"likely between {rounded(low)} and {rounded(high)}"
    if lead.low <= 0 <= lead.high:
        return "no clear difference to the model"
    low, high = sorted((abs(lead.low), abs(lead.high)))
    word = "more" if (lead.value < 0) != costs else "less"
    return f"{rounded(abs(lead.value))} {word} than the model (likely {rounded(low)} to {rounded(high)})"


def _slice_tables(evaluation: EvaluationResult, use_case: UseCase) -> list[tuple[str, list[list[str]]]]:
    return [
        (column, [_slice_row(part, evaluation, use_case) for part in parts])
        for column, parts in groupby(evaluation.slices, key=lambda part: part.column)
    ]


def _truth_head(evaluation: EvaluationResult, use_case: UseCase) -> str:
    if evaluation.task == "regression":
        return f"mean {use_case.data.target}"
    return f"“{evaluation.classes[-1]}” of 1,000" if evaluation.task == "binary" else "right of 1,000"


def _slice_row(part: SliceResult, evaluation: EvaluationResult, use_case: UseCase) -> list[str]:
    truth = number(part.truth, 3) if evaluation.task == "regression" else f"{1000 * part.truth:,.0f}"
    metric, rules = "–", "–"
    if part.metric is not None:
        bounds = metric_tables.bounds(part.metric, evaluation.metric)
        metric = f"{metric_value(evaluation.metric, part.metric.value)} ({bounds})"
    if part.rules_metric is not None:
        rules = metric_value(evaluation.metric, part.rules_metric)
    return [part.value, f"{part.rows:,}", truth, metric, rules, narrative.money(part.worth, use_case)]


def _behind(evaluation: EvaluationResult) -> list[str]:
    """The slices in which the rules do better than the model."""
    sign = 1 if greater_is_better(evaluation.metric) else -1
    return [
        f"{part.column}: {part.value}"
        for part in evaluation.slices
        if part.metric is not None
        and part.rules_metric is not None
        and sign * (part.rules_metric - part.metric.value) > 0
    ]


def _slices_picture(evaluation: EvaluationResult, use_case: UseCase) -> Any:
    if not any(part.metric for part in evaluation.slices):
        return None
    name = metric_name(evaluation.metric, use_case)
    return slices_plot(evaluation.slices, name, rules=evaluation.kind != "rules")


def _mistake(mistake: WorstError, evaluation: EvaluationResult, use_case: UseCase) -> dict[str, Any]:
    inputs = [(name, "–" if value is None else _shown(value)) for name, value in mistake.row.items()]
    return {
        "title": _mistake_title(mistake, evaluation, use_case),
        "lost": narrative.money(mistake.lost, use_case),
        "inputs": inputs,
    }


def _mistake_title(mistake: WorstError, evaluation: EvaluationResult, use_case: UseCase) -> str:
    if evaluation.task == "regression":
        return f"Predicted {_shown(mistake.prediction)}, it was {_shown(mistake.truth)}"
    sure = percent(mistake.probability, 0)
    if evaluation.task == "multiclass":
        return f"Answered “{mistake.prediction}” ({sure} sure), it was “{mistake.truth}”"
    target, positive = use_case.data.target, evaluation.classes[-1]
    if mistake.decision == "act":
        return f"Pointed at in vain: {target} was “{mistake.truth}”, the probability of “{positive}” was put at {sure}"
    return f"Missed: {target} was “{mistake.truth}”, the probability of it was put at {sure}"


def _shown(value: str | float) -> str:
    if isinstance(value, str):
        return value.removesuffix("T00:00:00")
    return f"{value:,.0f}" if value == round(value) else number(value)


def _calibration_text(evaluation: EvaluationResult, use_case: UseCase) -> str:
    bins = evaluation.calibration
    one = bins[max(0, len(bins) - 3)]
    if evaluation.task == "regression":
        return (
            f"For the {one.rows:,} {cases(use_case)} where it predicts about {number(one.predicted, 3)}, it was "
            f"{number(one.observed, 3)} on average. Dots above the dashed line: predicted too low; below: too high."
        )
    of = f"of 100 {cases(use_case)}"
    what = f"{use_case.data.target} is “{evaluation.classes[-1]}”" if evaluation.task == "binary" else "it is right"
    return (
        f"Where it says about {percent(one.predicted, 0)}, {what} in {100 * one.observed:.0f} {of}. "
        "The nearer the dots are to the dashed line, the more a probability can be taken at its word."
    )
