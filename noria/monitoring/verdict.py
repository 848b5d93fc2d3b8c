"""From figures to a verdict: all is well, watch it, train again, or have the data fixed; with the reasons."""

from collections.abc import Sequence
from datetime import datetime

from noria.config import UseCase
from noria.config.section import Section
from noria.monitoring.causes import LEVELS, Cause, Level
from noria.monitoring.drift_summary import number
from noria.monitoring.label_findings import (
    ASK_AT_RANDOM,
    coverage_sentences,
    decision_findings,
    unjudged,
)
from noria.monitoring.results import (
    DailyWorth,
    DaySummary,
    DriftResult,
    FigureByDay,
    MetricChange,
    NewestBatch,
    PerformanceResult,
    PreviousComparison,
    RulesComparison,
)
from noria.reporting import percent, plural

__all__ = ["Cause", "Level", "MonitoringVerdict", "decide", "next_step"]
_NAMED = 5


class MonitoringVerdict(Section):
    """How a deployed model is doing."""

    use_case: str
    """Name of the use case."""
    version: str
    """Version of the model."""
    at: datetime
    """When it was checked (UTC)."""
    since: datetime
    """Predictions from this time on were looked at (UTC)."""
    verdict: Level
    """`ok`: leave it; `watch`: a person should look; `retrain`: train again; `fix_data`: the delivered data are broken,
    and a model trained on them would learn that."""
    confident: bool
    """False for an `ok` that rests on too few rows or labels to say more than "too early to tell"."""
    reasons: list[str]
    """Why, in plain sentences, the weightiest first."""
    next_action: str
    """What to do now, in words."""
    next_command: str
    """The command that does it, without the use case, the stack and the workspace."""
    drift: DriftResult | None
    """None if there are too few predictions."""
    performance: PerformanceResult
    """How right the model has been."""
    causes: list[Cause] = []
    """What speaks for the verdict, and what is worth knowing, the weightiest first."""
    newest: NewestBatch | None = None
    """The newest predictions beside those before them."""
    newest_performance: PerformanceResult | None = None
    """How right the model has been on the newest batch; None if it has too few labels, or is all that is known."""
    days: list[DaySummary] = []
    """Each day of the window, oldest first."""
    sampled: int | None = None
    """Predictions of a larger window that were looked at one by one, drawn at random; None: all of them."""
    rules: RulesComparison | None = None
    """The model beside the rules of the business; None if there are too few labels, or no rules to beat."""
    daily_worth: DailyWorth | None = None
    """What the decisions of each day brought in; None: no labelled case."""
    figure: FigureByDay | None = None
    """The business figure per day; None: the use case gives it in words only."""
    previous: PreviousComparison | None = None
    """The model beside the one before it, on the same cases; None if there is none, or too few labels."""
    reports: dict[str, str] = {}
    """Name of a report → its file."""


def decide(
    use_case: UseCase,
    rows: int,
    drift: DriftResult | None,
    performance: PerformanceResult,
    disqualified: str = "",
    *,
    causes: Sequence[Cause] = (),
) -> tuple[Level, bool, list[str]]:
    """The verdict, whether it is confident, and its reasons.

    Args:
        use_case: `monitoring` holds the limits.
        rows: predictions in the window.
        drift: None if there are too few of them.
        performance: figures on the labelled predictions.
        disqualified: why the model must not answer any more; empty: it may.
        causes: what else was found, such as faults of the data.
    """
    found: list[Finding] = [
        *about_metric(use_case, performance),
        *about_worth(use_case, performance),
        *((level, text) for _, level, text, _ in decision_findings(use_case, performance.decisions)),
        *about_inputs(use_case, rows, drift),
        *about_answers(drift, performance),
        *((cause.severity, cause.sentence) for cause in causes),
    ]
    if disqualified:
        found.insert(0, ("retrain", f"{disqualified} It must not stay in service."))
    found.sort(key=lambda item: -LEVELS.index(item[0]))  # stable: equals stay in order
    level = found[0][0]
    answered = drift is not None and performance.metric is not None
    reasons = [reason for _, reason in found]
    if level == "ok" and not answered:
        reasons.insert(0, "It is too early to tell.")
    return level, level != "ok" or answered, [*reasons, *_about_labels(use_case, performance)]


def next_step(level: Level, performance: PerformanceResult) -> tuple[str, str]:
    """What to do now: in words, and as a command."""
    if level == "fix_data":
        return (
            "Ask who delivers the data about the faults above, and train again only when they are fixed.",
            "python run.py monitor",
        )
    if level == "retrain":
        return (
            "Bring the newest rows with their labels into the data, train again and deploy what passes the gate.",
            "python run.py cycle",
        )
    if level == "watch":
        return "Look at what moved, and ask those who know the data why.", "python run.py dashboard"
    if performance.coverage is not None and not performance.coverage.is_whole:
        return (
            "Ask for the labels of some cases drawn at random: nothing else tells how right the model is.",
            ASK_AT_RANDOM,
        )
    if performance.metric is None:
        return "Hand in the true labels as they become known, then check again.", "python run.py monitor"
    return "Nothing now; check again when new labels have come.", "python run.py monitor"


Finding = tuple[Level, str]


def about_metric(use_case: UseCase, performance: PerformanceResult) -> list[Finding]:
    """How right the model is on the labelled predictions."""
    metric, case = performance.metric, use_case.problem.case
    if metric is None:
        if unknown := unjudged(use_case, performance):
            return [("ok", unknown)]
        fewest = use_case.monitoring.min_labels
        if performance.labels < fewest:
            known = f"{plural(performance.labels, 'label')} known, {fewest} needed to judge how right the model is."
            return [("ok", known[0].upper() + known[1:])]
        return [("ok", f"{use_case.evaluation.metric} cannot be measured on the {performance.labels} labels known.")]
    summary = (
        f"{metric.name} is {number(metric.now)} on {plural(performance.labels, f'labelled {case}')} "
        f"({number(metric.low)} to {number(metric.high)}), {number(metric.before)} on the test rows"
    )
    allowed = use_case.monitoring.metric_drop
    if metric.worse_by <= allowed:
        return [("ok", f"{summary}.")]
    too_much = f"{summary}: worse by {number(metric.worse_by)}, where {number(allowed)} is allowed"
    if metric.beyond_chance:
        return [("retrain", f"{too_much}, and more than chance explains.")]
    return [("ok", f"{too_much}; with so few labels that may be chance.")]


def about_worth(use_case: UseCase, performance: PerformanceResult) -> list[Finding]:
    """What its decisions bring in."""
    worth, unit = performance.worth, use_case.problem.unit
    if worth is None:
        return []
    summary = _balance(worth, unit)
    if _fell_too_far(worth, use_case.monitoring.worth_drop):
        lost = f"{number(worth.worse_by)} {unit}"
        share = f" ({percent(worth.worse_by / abs(worth.before), 0)})" if worth.before else ""
        return [("watch", f"{summary}: worse by {lost}{share}, and more than chance explains.")]
    return [("ok", f"{summary}.")]


def _fell_too_far(worth: MetricChange, allowed: float) -> bool:
    return worth.beyond_chance and worth.worse_by >= allowed * abs(worth.before)


def _balance(worth: MetricChange, unit: str) -> str:
    costs = max(worth.now, worth.before) < 0
    now, low, high, before = (
        number(-value if costs else value) for value in (worth.now, worth.low, worth.high, worth.before)
    )
    reach = f"{high} to {low}" if costs else f"{low} to {high}"
    return f"1,000 decisions {'cost' if costs else 'bring in'} {now} {unit} ({reach}), {before} {unit} on the test rows"


def about_inputs(use_case: UseCase, rows: int, drift: DriftResult | None) -> list[Finding]:
    """How far the inputs moved."""
    limits = use_case.monitoring
    if drift is None:
        known = f"{plural(rows, 'prediction')} in the last {number(limits.window_days)} days"
        return [("ok", f"{known}, {limits.min_rows} needed to judge drift.")]
    total = len(drift.inputs)
    beside = f", compared with {drift.season}" if drift.season else ""
    if not drift.moved:
        return [("ok", f"None of the {total} input columns moved{beside}."), *_about_table(drift)]
    level: Level = "ok"
    share, summary = drift.weighted_share, f"{len(drift.moved)} of {total} input columns moved{beside}"
    weighed = "" if drift.inputs[0].weight is None else " of what moves the model's answers"
    summary = f"{summary} ({percent(share, 0)}{weighed})"
    if share >= limits.drift_retrain:
        level, summary = (
            "retrain",
            f"{summary}; from {percent(limits.drift_retrain, 0)} on the model is due for training",
        )
    elif share >= limits.drift_watch:
        level, summary = "watch", f"{summary}; from {percent(limits.drift_watch, 0)} on a person should look"
    named = "; ".join(f"{column.name} moved: {column.change}" for column in drift.moved[:_NAMED])
    more = f"; and {len(drift.moved) - _NAMED} more" if len(drift.moved) > _NAMED else ""
    return [(level, f"{summary}: {named}{more}."), *_about_table(drift)]


def _about_table(drift: DriftResult) -> list[Finding]:
    if drift.table is None or not drift.table.moved:
        return []
    sentence = f"A classifier distinguishes the rows of now from those of training (AUC {drift.table.auc:.2f}"
    return [("ok", f"{sentence}, where chance reaches {drift.table.chance:.2f}).")]


def about_answers(drift: DriftResult | None, performance: PerformanceResult) -> list[Finding]:
    """How far the answers and the truth moved."""
    found: list[Finding] = []
    if drift is not None and drift.predictions is not None and drift.predictions.moved:
        # the answers move when what moved matters to the model, long before labels can tell
        found.append(("watch", f"The model's answers moved: {drift.predictions.name}, {drift.predictions.change}."))
    if performance.target is not None and performance.target.moved:
        found.append(("ok", f"The truth itself moved: {performance.target.name}, {performance.target.change}."))
    return found


def _about_labels(use_case: UseCase, performance: PerformanceResult) -> list[str]:
    summary = coverage_sentences(use_case, performance.coverage)
    if performance.unusable:
        wanted = "numbers" if use_case.problem.task == "regression" else "classes that the model knows"
        summary.append(f"{plural(performance.unusable, 'label')} left out, which are no {wanted}.")
    if performance.waiting:
        days = number(use_case.problem.label_delay_days)
        summary.append(
            f"{plural(performance.waiting, 'prediction')} younger than {days} days still wait for their label."
        )
    if performance.overdue:
        summary.append(f"{plural(performance.overdue, 'prediction')} should have their label by now and have none.")
    if performance.changed:
        summary.append(
            f"{plural(performance.changed, 'prediction')} got two labels with different values; the newest counts."
        )
    if performance.early:
        summary.append(
            f"{plural(performance.early, 'label')} dated before the case happened: check `data.time` and the clocks."
        )
    return summary
