"""The overview as one page that loads nothing from elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from markupsafe import Markup

from noria.evaluation.report.labels import kind_name
from noria.monitoring.results import DailyWorth
from noria.overview.case_row import CaseRow, Link
from noria.reporting import number, plural, render
from noria.reporting.plots import ACCENT, LINE, SECOND
from noria.system.command_hints import CommandHints

_VERDICTS = {
    "ok": "All is well",
    "watch": "A person should look",
    "retrain": "Should be trained again",
    "fix_data": "The data look broken",
}
_TONES = {"ok": "good", "watch": "watch", "retrain": "bad", "fix_data": "bad"}
_LEVELS = ("fix_data", "retrain", "watch")
_DRAWN = 60
_WIDTH, _HEIGHT, _MARGIN = 170.0, 44.0, 3.0
_REASON = 140


def overview_page(
    rows: Sequence[CaseRow],
    at: datetime,
    hints: Callable[[str], CommandHints],
    own: CommandHints,
    dashboards: Sequence[Link] = (),
) -> str:
    """The page of all use cases, those that need attention first.

    Args:
        rows: one for each use case.
        at: when it is written (with a zone).
        hints: use case → what commands on it are completed with.
        own: what commands on no particular use case are completed with.
        dashboards: dashboards of all use cases that are running.

    Returns:
        Self-contained HTML; all text is escaped, and only addresses that begin with http are linked as such.
    """
    ordered = sorted(rows, key=_urgency)
    attention = sum(_needs_attention(row) for row in rows)
    return render(
        "overview/overview.html",
        rows=[_cells(row, hints(row.name)) for row in ordered],
        at=at,
        attention=attention,
        dashboards=[each for each in dashboards if _is_web(each.href)],
        dashboard_command=own.complete("python run.py dashboard"),
        train_command=own.complete("python run.py train"),
    )


@dataclass(frozen=True)
class _Cells:
    """The texts of one row."""

    name: str
    champion: str
    champion_note: str
    tone: str
    verdict: str
    verdict_note: str
    reason: str
    worth: str
    worth_note: str
    sparkline: Markup | None
    action: str
    action_note: str
    next_look: str
    next_command: str
    links: list[Link]
    notes: list[str]


def _cells(row: CaseRow, hints: CommandHints) -> _Cells:
    verdict, news = row.verdict, row.news
    champion, champion_note = _champion(row)
    worth, worth_note = ("not known yet", "") if row.worth is None else _worth(row.worth)
    last = news.done[0] if news.done else None
    command = "python run.py train" if row.champion is None else "python run.py monitor"
    return _Cells(
        name=row.name,
        champion=champion,
        champion_note=champion_note,
        tone="" if verdict is None or not _is_sure(row) else _TONES[verdict.verdict],
        verdict=_verdict(row),
        verdict_note="" if verdict is None else f"version {verdict.version}, {_time(verdict.at)}",
        reason="" if verdict is None or not verdict.reasons else _short(verdict.reasons[0]),
        worth=worth,
        worth_note=worth_note,
        sparkline=None if row.worth is None else sparkline(row.worth),
        action=f"{news.under_way}." if news.under_way else f"{last.text}." if last is not None else "none",
        action_note="" if last is None or news.under_way else _time(last.at),
        next_look=news.next_look or ("the loop is watching" if news.is_watching else "not planned"),
        next_command=hints.complete(command if verdict is None else verdict.next_command),
        links=[each for each in row.links if _is_web(each.href) or ":" not in each.href],
        notes=row.notes,
    )


def sparkline(worth: DailyWorth) -> Markup:
    """Worth per day of the model as a small line, that of the rules behind it, and a line at zero."""
    days = worth.days[-_DRAWN:]
    values = [each for day in days for each in (day.model, day.rules, 0.0) if each is not None]
    low, high = min(values), max(values)
    span = (high - low) or 1.0

    def place(index: int, value: float) -> str:
        across = _MARGIN + index * (_WIDTH - 2 * _MARGIN) / max(len(days) - 1, 1)
        return f"{across:.1f},{_MARGIN + (high - value) / span * (_HEIGHT - 2 * _MARGIN):.1f}"

    def line(points: Sequence[tuple[int, float]], colour: str, width: float) -> str:
        if len(points) == 1:
            across, down = place(*points[0]).split(",")
            return f'<circle cx="{across}" cy="{down}" r="2.5" fill="{colour}"/>'
        drawn = " ".join(place(*point) for point in points)
        return f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="{width}"/>'

    rules = [(index, day.rules) for index, day in enumerate(days) if day.rules is not None]
    zero = place(0, 0.0).split(",")[1]
    parts = [f'<line x1="0" x2="{_WIDTH:g}" y1="{zero}" y2="{zero}" stroke="{LINE}" stroke-width="1"/>']
    parts += [line(rules, SECOND, 1.1)] if rules else []
    parts.append(line([(index, day.model) for index, day in enumerate(days)], ACCENT, 1.8))
    label = f"Worth per day from {number(days[0].model)} to {number(days[-1].model)}"
    size = f'width="{_WIDTH:g}" height="{_HEIGHT:g}" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}"'
    return Markup(f'<svg role="img" aria-label="{label}" {size}>{"".join(parts)}</svg>')  # noqa: S704 - made of numbers only


def _worth(worth: DailyWorth) -> tuple[str, str]:
    """The mean per day over the days whose labels are all known, or over all days if there is none."""
    complete = [day for day in worth.days if day.complete]
    days = (complete or worth.days)[-_DRAWN:]

    def mean(values: Sequence[float]) -> str:
        return number(sum(values) / len(values))

    with_rules = [day.rules for day in days if day.rules is not None]
    others = [f"rules {mean(with_rules)}"] if len(with_rules) == len(days) else []
    others.append(f"doing nothing {mean([day.nothing for day in days])}")
    so_far = "" if complete else "; outcomes are still to come"
    return (
        f"{mean([day.model for day in days])} {worth.unit} per day",
        f"{', '.join(others)}; {plural(len(days), 'day')} to {days[-1].day}{so_far}",
    )


def _champion(row: CaseRow) -> tuple[str, str]:
    champion = row.champion
    if champion is None:
        return "not known" if row.notes else "none yet", ""
    try:
        kind = f", {kind_name(champion.kind)}" if champion.kind else ""
    except KeyError:  # of a later version
        kind = f", {champion.kind}"
    since = "" if champion.since is None else f"since {_time(champion.since)}"
    served = "" if row.url else "not served on this machine"
    return f"version {champion.version}{kind}", ", ".join(filter(None, [since, served]))


def _verdict(row: CaseRow) -> str:
    if row.verdict is None:
        return "not known" if row.notes else "none yet"
    return _VERDICTS[row.verdict.verdict] if _is_sure(row) else "Too early to tell"


def _is_sure(row: CaseRow) -> bool:
    return row.verdict is not None and (row.verdict.confident or row.verdict.verdict != "ok")


def _needs_attention(row: CaseRow) -> bool:
    return bool(row.notes) or (row.verdict is not None and row.verdict.verdict in _LEVELS)


def _urgency(row: CaseRow) -> tuple[int, bool, str]:
    level = row.verdict.verdict if row.verdict is not None else ""
    return (_LEVELS.index(level) if level in _LEVELS else len(_LEVELS), not row.notes, row.name)


def _time(at: datetime) -> str:
    return f"{at:%d %b %Y, %H:%M} UTC"


def _short(text: str) -> str:
    return text if len(text) <= _REASON else f"{text[: _REASON - 1].rstrip()}…"


def _is_web(address: str) -> bool:
    return urlsplit(address).scheme in {"http", "https"}
