"""The tables of the evaluation report, cell by cell."""

from collections.abc import Sequence
from typing import Any

from noria.bundle import MetricValue
from noria.config import UseCase
from noria.evaluation.report.labels import kind_name, metric_meaning, metric_name, metric_value
from noria.evaluation.results import EvaluationResult, GateVerdict
from noria.models.candidate_score import CandidateScore
from noria.reporting import number
from noria.training.selection import Selection
from noria.training.windows import WindowChoice


def candidates(selection: Selection, scores: Sequence[CandidateScore], use_case: UseCase) -> list[dict[str, Any]]:
    """Every candidate with its score, its cost, and why it was chosen or left out."""
    seconds = {score.kind: score.fit_seconds for score in scores}
    metric = use_case.evaluation.metric
    return [
        {
            "name": row.kind,
            "what": kind_name(row.kind, rules_mined=use_case.rules.source == "mined"),
            "score": f"{metric_value(metric, row.mean)} ± {number(row.standard_error, 2)}",
            "latency": number(row.latency_ms, 2),
            "size": number(row.size_mb, 2),
            "seconds": number(seconds.get(row.kind), 2),
            "readable": "yes" if row.readable else "no",
            "chosen": row.chosen,
            "why": row.why,
        }
        for row in selection.table
    ]


def windows(choice: WindowChoice) -> list[list[str]]:
    """Every window that was compared, the chosen one marked."""
    chosen = "all rows" if choice.window is None else str(choice.window)
    return [
        [
            f"{trial.window} (chosen)" if trial.window == chosen else trial.window,
            metric_value(choice.metric, trial.mean),
            "–" if place == 0 else number(trial.lead, 3),
            "–" if place == 0 else number(trial.error, 3),
        ]
        for place, trial in enumerate(choice.trials)
    ]


def metrics(evaluation: EvaluationResult, use_case: UseCase) -> list[list[str]]:
    """Each metric with its meaning, for the model and for the rules."""

    def cell(metric: MetricValue | None, name: str) -> str:
        return f"{metric_value(name, metric.value)} ({bounds(metric, name)})" if metric else "–"

    return [
        [
            metric_name(name, use_case),
            metric_meaning(name, use_case),
            cell(metric, name),
            cell(evaluation.rules_metrics.get(name), name),
        ]
        for name, metric in evaluation.metrics.items()
    ]


def comparisons(verdict: GateVerdict, use_case: UseCase) -> list[list[str]]:
    """Each rival on the same rows."""
    name = use_case.evaluation.metric
    return [
        [
            c.candidate,
            {
                "rules": "your rules",
                "champion": f"in service (version {c.rival_version})",
                "nothing": "a constant answer",
                "readable": f"{c.rival_kind}, preferred as readable",
            }[c.rival],
            metric_value(name, c.challenger_value),
            metric_value(name, c.rival_value),
            f"{metric_value(name, c.difference)} ({metric_value(name, c.low)} – {metric_value(name, c.high)})",
            metric_value(name, c.margin),
            "yes" if c.beats else "no",
        ]
        for c in verdict.comparisons
    ]


def worths(use_case: UseCase) -> list[tuple[str, str]]:
    """What each kind of decision is worth, as the use case says."""
    worth, unit = use_case.problem.worth, use_case.problem.unit
    fields = type(worth).model_fields
    rows = []
    for name, value in worth.model_dump().items():
        if isinstance(value, dict):
            rows += [(f"Missing “{label}”", f"{_exact(amount)} {unit}") for label, amount in value.items()]
        else:
            shown = number(value) if name == "tolerance" else f"{_exact(value)} {unit}"
            rows.append(((fields[name].description or name).split(" (")[0].rstrip(".").replace("`", ""), shown))
    return rows


def _exact(amount: float) -> str:
    return number(amount).replace("-", "−")


def bounds(metric: MetricValue, name: str) -> str:
    """The interval of a metric: `0.82 – 0.87`."""
    return f"{metric_value(name, metric.low)} – {metric_value(name, metric.high)}"
