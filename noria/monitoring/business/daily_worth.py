"""Worth per day: the decisions on labelled cases beside those of the rules, and beside doing nothing."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.bundle import Bundle
from noria.config import UseCase
from noria.metrics.decision_value import decision_worth
from noria.monitoring.data_checks import times_of
from noria.monitoring.results import DailyWorth, DayWorth, FigureDay
from noria.monitoring.rules_comparison import RuleAnswers

if TYPE_CHECKING:
    from noria.monitoring.verdict import MonitoringVerdict

_DAY = pd.Timedelta(days=1)


def usual_answer(bundle: Bundle) -> str | float:
    """What is answered without rules or model: of binary the class that is left alone, of several classes the most
    frequent one of the reference rows, and of numbers their median."""
    manifest = bundle.manifest
    if manifest.task == "binary":
        return manifest.classes[0]
    truth = bundle.reference()[manifest.target]
    return float(truth.median()) if manifest.task == "regression" else str(truth.mode().iloc[0])


def worth_by_day(
    bundle: Bundle,
    use_case: UseCase,
    labelled: pd.DataFrame,
    rules: RuleAnswers | None,
    *,
    since: datetime,
    now: datetime,
    share: float = 1.0,
) -> DailyWorth | None:
    """What the decisions of each day brought in, by the day of the case (UTC).

    Args:
        bundle: the model; its reference rows say what the usual answer is.
        use_case: what a decision is worth, and how late labels come.
        labelled: (n, …) predictions with a label that the task allows, with the columns of `PredictionStore.window`.
        rules: what the rules say of the same cases; None: there are none to compare with.
        since: from when `labelled` is complete (with a zone); a day that began before is left out.
        now: the time of the check (with a zone).
        share: share of the labelled predictions that `labelled` holds (0 to 1); sums and counts are scaled by it.

    Returns:
        None if no day has a labelled case.
    """
    if not len(labelled):
        return None
    problem, is_number = use_case.problem, use_case.problem.task == "regression"
    truth = labelled["label"].to_numpy(dtype=np.float64 if is_number else str)
    predicted = labelled["prediction"].to_numpy(dtype=np.float64 if is_number else str)
    usual = np.full(len(truth), usual_answer(bundle))
    leave = np.full(len(truth), "leave")
    columns: dict[str, NDArray[Any]] = {
        "model": decision_worth(problem, truth, predicted, labelled["decision"].to_numpy(dtype=str)) / share,
        "nothing": decision_worth(problem, truth, usual, leave) / share,
    }
    if rules is not None:
        columns["rules"] = decision_worth(problem, truth, rules.predictions, rules.decisions) / share
    if is_number:
        columns["error"] = np.abs(predicted - truth)
        if rules is not None:
            columns["error_rules"] = np.abs(rules.predictions.astype(np.float64) - truth)
    days = times_of(labelled).dt.tz_convert(None).dt.floor("D")
    table = pd.DataFrame(columns).groupby(days.to_numpy())
    begins, known_until = _plain(since), _plain(now) - pd.Timedelta(days=problem.label_delay_days)
    found = []
    for start, rows in table:
        if start < begins:
            continue
        totals = {name: float(rows[name].sum()) for name in ("model", "rules", "nothing") if name in rows}
        errors = {name: float(rows[name].mean()) for name in ("error", "error_rules") if name in rows}
        complete = bool(start + _DAY <= known_until)
        count = round(len(rows) / share)
        found.append(DayWorth(day=f"{start:%Y-%m-%d}", rows=count, complete=complete, **totals, **errors))
    if not found:
        return None
    return DailyWorth(unit=problem.unit, days=found, share=share)


def joined_worth(history: Sequence["MonitoringVerdict"]) -> DailyWorth | None:
    """Worth per day over all checks and versions.

    A day is taken from the newest check of each version that has it. Where several versions answered on one day, their
    worth is added up; the rules are then compared on that day only if they were with each version.

    Args:
        history: all verdicts of a use case, oldest first.
    """
    newest: dict[tuple[str, str], DayWorth] = {}
    last: DailyWorth | None = None
    for verdict in history:
        if verdict.daily_worth is None:
            continue
        last = verdict.daily_worth
        newest |= {(day.day, verdict.version): day for day in last.days}
    if last is None:
        return None
    by_day: dict[str, list[DayWorth]] = {}
    for (day, _), worth in sorted(newest.items()):
        by_day.setdefault(day, []).append(worth)
    return DailyWorth(unit=last.unit, days=[_added(days) for days in by_day.values()], share=last.share)


def joined_figure(history: Sequence["MonitoringVerdict"]) -> list[FigureDay]:
    """The business figure per day over all checks: of each day the newest value under the name of the last one.

    Args:
        history: all verdicts of a use case, oldest first.
    """
    figures = [verdict.figure for verdict in history if verdict.figure is not None]
    if not figures:
        return []
    values = {
        day.day: day
        for figure in figures
        if (figure.name, figure.origin) == (figures[-1].name, figures[-1].origin)
        for day in figure.days
    }
    return [values[day] for day in sorted(values)]


def _plain(moment: datetime) -> pd.Timestamp:
    """In UTC, without its zone."""
    return pd.Timestamp(moment).tz_convert(None)


def _added(days: Sequence[DayWorth]) -> DayWorth:
    if len(days) == 1:
        return days[0]
    rows = sum(each.rows for each in days)
    return DayWorth(
        day=days[0].day,
        rows=rows,
        complete=all(each.complete for each in days),
        model=sum(each.model for each in days),
        rules=_total(each.rules for each in days),
        nothing=sum(each.nothing for each in days),
        error=_mean([(each.error, each.rows) for each in days]),
        error_rules=_mean([(each.error_rules, each.rows) for each in days]),
    )


def _total(values: Iterable[float | None]) -> float | None:
    known = list(values)
    return None if None in known else sum(value for value in known if value is not None)


def _mean(values: Sequence[tuple[float | None, int]]) -> float | None:
    total = _total(None if value is None else value * count for value, count in values)
    rows = sum(count for _, count in values)
    return None if total is None or not rows else total / rows
