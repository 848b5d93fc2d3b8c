"""Worth per day and the business figure as pictures."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from markupsafe import Markup

from noria.monitoring.results import DailyWorth, DayWorth, FigureDay
from noria.reporting import number, plural
from noria.reporting.plots import ACCENT, SECOND, SOFT, drawing, svg

_DRAWN = 120
"""Most days in one picture."""
_NAMES = {
    "model": "the model",
    "rules": "the rules",
    "nothing": "doing nothing",
    "error": "the model",
    "error_rules": "the rules",
}
_COLOURS = {"model": ACCENT, "rules": SECOND, "nothing": SOFT, "error": ACCENT, "error_rules": SECOND}


def worth_picture(worth: DailyWorth) -> Markup:
    """Per day what the model, the rules and doing nothing bring in.

    Days whose labels are still to come are drawn with hollow marks.
    """
    return _picture(worth.days[-_DRAWN:], ("model", "rules", "nothing"), f"{worth.unit} per day")


def error_picture(worth: DailyWorth) -> Markup | None:
    """Per day the mean absolute error of the model and of the rules; None if it is not known, as for classes."""
    days = [day for day in worth.days[-_DRAWN:] if day.error is not None]
    return _picture(days, ("error", "error_rules"), "mean error per day") if days else None


def figure_picture(name: str, days: Sequence[FigureDay]) -> Markup:
    """The business figure per day."""
    days = days[-_DRAWN:]
    with drawing(9, 2.3) as figure:
        axes: Any = figure.subplots()
        axes.plot([_day(each.day) for each in days], [each.value for each in days], "o-", color=ACCENT, markersize=3.5)
        _finish(axes, "per day", [_day(each.day) for each in days])
        return svg(figure, f"{name} per day, from {number(days[0].value)} to {number(days[-1].value)}")


def _picture(days: Sequence[DayWorth], lines: Sequence[str], title: str) -> Markup:
    with drawing(9, 2.9) as figure:
        axes = figure.subplots()
        for line in lines:
            _draw(axes, [(_day(day.day), getattr(day, line), day.complete) for day in days], line)
        _finish(axes, title, [_day(day.day) for day in days])
        axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(0, -0.16), ncols=3)
        return svg(figure, f"{title}: {_said(days, lines)}")


def _draw(axes: Any, points: list[tuple[date, float | None, bool]], line: str) -> None:
    known = [(day, value, complete) for day, value, complete in points if value is not None]
    if not known:
        return
    colour = _COLOURS[line]
    days, values, _ = zip(*known, strict=True)
    axes.plot(days, values, "-", color=colour, linewidth=1.4, label=_NAMES[line])
    for complete, fill in ((True, colour), (False, "white")):
        marked = [(day, value) for day, value, is_complete in known if is_complete == complete]
        if marked:
            axes.plot(*zip(*marked, strict=True), "o", color=colour, markerfacecolor=fill, markersize=3.5)


def _finish(axes: Any, title: str, days: Sequence[date]) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=2, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    if len(days) == 1:
        axes.set_xticks(days, [f"{days[0]:%d %b %Y}"])
    axes.set_title(title)


def _said(days: Sequence[DayWorth], lines: Sequence[str]) -> str:
    last = days[-1]
    values = [(line, getattr(last, line)) for line in lines]
    parts = [f"{_NAMES[line]} {number(value)}" for line, value in values if value is not None]
    return f"{plural(len(days), 'day')}, on {last.day} {', '.join(parts)}"


def _day(text: str) -> date:
    return date.fromisoformat(text)
