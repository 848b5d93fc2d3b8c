"""The causes behind a verdict that figures give: drift, quality, worth, rules, labels."""

from collections.abc import Sequence
from datetime import datetime

from noria.config import UseCase
from noria.monitoring.causes import LEVELS, Cause
from noria.monitoring.drift_summary import number
from noria.monitoring.label_findings import decision_findings, unknown_quality
from noria.monitoring.results import (
    DecisionFigure,
    DriftResult,
    MetricChange,
    NewestBatch,
    PerformanceResult,
    PreviousComparison,
    RulesComparison,
)
from noria.monitoring.verdict import (
    Finding,
    about_answers,
    about_inputs,
    about_metric,
    about_worth,
)
from noria.reporting import plural


def figure_causes(
    use_case: UseCase, rows: int, drift: DriftResult | None, performance: PerformanceResult, since: datetime
) -> list[Cause]:
    """The findings of `decide` that are more than `ok`, as causes.

    Args:
        use_case: `monitoring` holds the limits.
        rows: predictions in the window.
        drift: None if there are too few of them.
        performance: figures on the labelled predictions.
        since: where the window begins.
    """
    moved = [] if drift is None else drift.moved
    shares: dict[str, float | str] = {} if drift is None else {"share moved": drift.weighted_share}
    causes = [
        *_causes("quality", about_metric(use_case, performance), since, figures=_figures(performance.metric)),
        *_causes("worth", about_worth(use_case, performance), since, figures=_figures(performance.worth)),
        *_causes(
            "input_drift",
            about_inputs(use_case, rows, drift),
            since,
            columns=[each.name for each in moved],
            figures=shares,
        ),
        *_causes("answer_drift", about_answers(drift, performance), since),
    ]
    for kind, level, sentence, figure in decision_findings(use_case, performance.decisions):
        causes += _causes(kind, [(level, sentence)], since, figures=_decision_figures(figure))
    unknown = "" if performance.coverage is None else unknown_quality(use_case, performance.coverage)
    if unknown:
        causes.append(Cause(kind="labels_partial", severity="ok", sentence=unknown))
    if not performance.labels and performance.overdue >= use_case.monitoring.min_labels:
        causes.append(
            Cause(
                kind="labels_missing",
                severity="ok",
                sentence=f"No label has come, though {plural(performance.overdue, 'prediction')} should have one.",
                figures={"overdue": performance.overdue},
            )
        )
    return causes


def newest_causes(use_case: UseCase, newest: NewestBatch | None, performance: PerformanceResult | None) -> list[Cause]:
    """Quality and worth of the newest batch, where they fell beyond chance."""
    if newest is None or performance is None:
        return []
    found = [
        *_causes("quality", about_metric(use_case, performance), newest.since, figures=_figures(performance.metric)),
        *_causes("worth", about_worth(use_case, performance), newest.since, figures=_figures(performance.worth)),
    ]
    return [cause.model_copy(update={"sentence": f"In the newest batch alone, {cause.sentence}"}) for cause in found]


def rules_cause(rules: RulesComparison | None, unit: str, since: datetime) -> list[Cause]:
    """That the rules of the business do better than the model, if they do beyond chance."""
    if rules is None or not rules.worse:
        return []
    return [
        Cause(
            kind="worse_than_rules",
            severity="retrain",
            since=since,
            sentence=f"The rules would do better: 1,000 decisions bring in {number(rules.rules)} {unit} by the rules "
            f"and {number(rules.model)} {unit} by the model (difference {number(rules.low)} to {number(rules.high)}).",
            figures={"model": rules.model, "rules": rules.rules, "low": rules.low, "high": rules.high},
        )
    ]


def previous_cause(previous: PreviousComparison | None, unit: str, since: datetime) -> list[Cause]:
    """That the model before it does better on the same cases, if it does beyond chance."""
    if previous is None or not previous.worse:
        return []
    return [
        Cause(
            kind="worse_than_previous",
            severity="watch",
            since=since,
            sentence=f"The model before it would do better: on the same cases, 1,000 decisions bring in "
            f"{number(previous.previous)} {unit} by version {previous.version} and {number(previous.model)} {unit} by "
            f"the model (difference {number(previous.low)} to {number(previous.high)}). "
            f"`python run.py rollback` restores it.",
            figures={
                "version": previous.version,
                "model": previous.model,
                "previous": previous.previous,
                "low": previous.low,
                "high": previous.high,
            },
        )
    ]


def disqualified_cause(why: str) -> list[Cause]:
    """That the model must not answer any more."""
    return (
        [Cause(kind="disqualified", severity="retrain", sentence=f"{why} It must not stay in service.")] if why else []
    )


def ranked(causes: Sequence[Cause]) -> list[Cause]:
    """The weightiest first."""
    return sorted(causes, key=lambda cause: -LEVELS.index(cause.severity))


def _causes(
    kind: str,
    findings: Sequence[Finding],
    since: datetime,
    *,
    columns: Sequence[str] = (),
    figures: dict[str, float | str] | None = None,
) -> list[Cause]:
    return [
        Cause.model_validate(
            {
                "kind": kind,
                "severity": level,
                "since": since,
                "columns": list(columns),
                "sentence": sentence,
                "figures": figures or {},
            }
        )
        for level, sentence in findings
        if level != "ok"
    ]


def _decision_figures(figure: DecisionFigure) -> dict[str, float | str]:
    before = {} if figure.before is None else {"before": figure.before}
    return {"metric": figure.name, "now": figure.now, "low": figure.low, "high": figure.high, **before}


def _figures(change: MetricChange | None) -> dict[str, float | str]:
    if change is None:
        return {}
    return {"metric": change.name, "now": change.now, "low": change.low, "high": change.high, "before": change.before}
