"""Worth per day and the business figure over all checks of a use case."""

from collections.abc import Iterable, Sequence

from noria.monitoring.results import DailyWorth, DayWorth, FigureDay
from noria.monitoring.verdict import MonitoringVerdict


def joined_worth(history: Sequence[MonitoringVerdict]) -> DailyWorth | None:
    """Worth per day over all checks and versions.

    A day is taken from the latest check of each version that has it. Where several versions answered on one day, their
    worth is added up; the rules are then compared on that day only if they were with each version.

    Args:
        history: all verdicts of a use case, oldest first.
    """
    newest: dict[tuple[str, str], DayWorth] = {}
    last: DailyWorth | None = None
    for verdict in _in_time(history):
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


def joined_figure(history: Sequence[MonitoringVerdict]) -> list[FigureDay]:
    """The business figure per day over all checks: of each day the newest value under the name of the last one.

    Args:
        history: all verdicts of a use case, oldest first.
    """
    figures = [verdict.figure for verdict in _in_time(history) if verdict.figure is not None]
    if not figures:
        return []
    values = {
        day.day: day
        for figure in figures
        if (figure.name, figure.origin) == (figures[-1].name, figures[-1].origin)
        for day in figure.days
    }
    return [values[day] for day in sorted(values)]


def _in_time(history: Sequence[MonitoringVerdict]) -> list[MonitoringVerdict]:
    """By the time that was checked: a later check of a past time knows fewer labels."""
    return sorted(history, key=lambda verdict: verdict.at)


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
