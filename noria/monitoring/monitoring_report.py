"""The monitoring page for people: is it fine, since when not, why, what was done, what next; then the figures."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from noria.config import UseCase
from noria.monitoring.business import error_picture, figure_picture, joined_figure, joined_worth, worth_picture
from noria.monitoring.drift_summary import number
from noria.monitoring.loop_news import LoopNews
from noria.monitoring.plain_answers import plain_answers
from noria.monitoring.results import DailyWorth, FigureDay, MetricChange
from noria.monitoring.verdict import MonitoringVerdict
from noria.reporting import count, percent, plural, render
from noria.reporting.plots import ACCENT, BAD, GOOD, SOFT, WATCH, drawing, svg
from noria.system.command_hints import CommandHints
from noria.system.files import write_text
from noria.system.workspace import Workspace

PAGE = "monitoring.html"
"""The page in the folder of each check, and the newest one in the folder above."""
_TONES = {"ok": "good", "watch": "watch", "retrain": "bad", "fix_data": "bad"}
_COLOURS = {"ok": GOOD, "watch": WATCH, "retrain": BAD, "fix_data": BAD}
_SENTENCES = {
    "ok": "The model is doing well.",
    "watch": "Something has changed: have a look.",
    "retrain": "The model should be trained again.",
    "fix_data": "The delivered data look broken.",
}
_DRAWN = 60
_TICKS = 8
_LISTED_DAYS = 31
_DONE = 3
"""How much of what was done is at the head of the page; `history` has all of it."""
_LONGEST = 180


def write_newest_page(
    workspace: Workspace,
    history: Sequence[MonitoringVerdict],
    use_case: UseCase,
    hints: CommandHints,
    news: LoopNews,
) -> Path | None:
    """Write the page of the newest check at its address that stays the same; None if there was no check.

    Raises:
        NoriaError: it cannot be written.
    """
    if not history:
        return None
    page = workspace.monitoring / PAGE
    write_text(page, monitoring_report(history[-1], history, use_case, hints, news=news, folder=page.parent))
    return page


def monitoring_report(
    verdict: MonitoringVerdict,
    history: Sequence[MonitoringVerdict],
    use_case: UseCase,
    hints: CommandHints,
    *,
    news: LoopNews,
    folder: Path,
) -> str:
    """The page of one check.

    Args:
        verdict: what to report.
        history: all verdicts, oldest first, this one included.
        use_case: the question, the unit and the limits.
        hints: what commands are completed with.
        news: what the loop has done.
        folder: where the page will be; Evidently's pages are linked from there.

    Returns:
        Self-contained HTML.
    """
    answers = plain_answers(verdict, history, use_case, news)
    worth, figures = joined_worth(history), joined_figure(history)
    sentence = _SENTENCES[verdict.verdict] if verdict.confident else "It is too early to tell."
    contents = [("answers", "In half a minute"), ("why", "Why, in figures"), ("figures", "Figures")]
    if worth or verdict.figure:
        contents.insert(1, ("worth", "Worth per day"))
    if verdict.drift:
        contents.append(("columns", "Column by column"))
    if verdict.days:
        contents.append(("days", "Day by day"))
    contents.append(("history", "How it went so far"))
    return render(
        "monitoring/monitoring_report.html",
        contents=contents,
        sentence=sentence,
        answers=answers,
        done=[
            (f"{each.at:%d %B %Y, %H:%M} UTC", each, _short(each.why), hints.complete(each.command))
            for each in news.done[:_DONE]
        ],
        watch_command=hints.complete("python run.py watch"),
        worth=worth,
        worth_picture=worth_picture(worth) if worth else None,
        error_picture=error_picture(worth) if worth else None,
        worth_days=_worth_days(worth, figures),
        figure=verdict.figure,
        figure_picture=figure_picture(verdict.figure.name, figures) if verdict.figure and figures else None,
        figure_note=hints.complete(verdict.figure.note) if verdict.figure else "",
        verdict=verdict,
        next_command=hints.complete(verdict.next_command),
        use_case=use_case,
        tone=_TONES[verdict.verdict] if verdict.confident else "",
        days=number(use_case.monitoring.window_days),
        cards=[*_cards(verdict, use_case), *_estimate_cards(verdict, history)],
        columns=_columns(verdict),
        by_day=_days(verdict),
        segments=_segments(verdict),
        newest_rows=count(verdict.newest.rows) if verdict.newest else "",
        labels=_labels(verdict),
        picture=_history_picture(history[-_DRAWN:]),
        pages=[
            (name, quote(os.path.relpath(file, folder).replace(os.sep, "/")))
            for name, file in verdict.reports.items()
            if name != "summary"
        ],
    )


def _worth_days(worth: DailyWorth | None, figures: Sequence[FigureDay]) -> tuple[list[str], list[tuple[str, ...]]]:
    """The head and the rows of the table, the newest day first; only columns with a value."""
    known, values = {} if worth is None else {day.day: day for day in worth.days}, {each.day: each for each in figures}
    columns = [
        ("by the decisions", "model"),
        ("by the rules", "rules"),
        ("doing nothing", "nothing"),
        ("mean error", "error"),
        ("mean error of the rules", "error_rules"),
    ]
    shown = [(name, key) for name, key in columns if any(getattr(day, key) is not None for day in known.values())]
    head = ["Day", "Cases with a label", *(name for name, _ in shown)]
    head += ["business figure"] if figures else []
    rows = []
    for day in sorted({*known, *values}, reverse=True)[:_LISTED_DAYS]:
        found = known.get(day)
        cells = [day + ("" if found is None or found.complete else " *"), "" if found is None else count(found.rows)]
        cells += ["" if found is None else number(getattr(found, key)) for _, key in shown]
        cells += [number(values[day].value) if day in values else ""] if figures else []
        rows.append(tuple(cells))
    return head, rows


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"


def _cards(verdict: MonitoringVerdict, use_case: UseCase) -> list[tuple[str, str, str]]:
    """(name, value, note) of the figures that matter."""
    performance, drift = verdict.performance, verdict.drift
    cards = [("Labels known", count(performance.labels), f"{count(performance.waiting)} still to come")]
    if performance.metric is not None:
        cards.append((performance.metric.name, number(performance.metric.now), _beside(performance.metric)))
    if performance.coverage is not None:
        alike = f"as good as {count(round(performance.coverage.effective))} drawn at random"
        cards[0] = (*cards[0][:2], f"{alike}; {cards[0][2]}")
    for figure in (each for decision in performance.decisions for each in decision.figures if each.name != "worth"):
        before = "" if figure.before is None else f"; {number(figure.before)} in training"
        cards.append(
            (
                figure.name.replace("_", " "),
                number(figure.now),
                f"{number(figure.low)} to {number(figure.high)}{before}",
            )
        )
    if performance.worth is not None:
        name = f"{use_case.problem.unit} from 1,000 decisions"
        cards.append((name, number(performance.worth.now), _beside(performance.worth)))
    if drift is not None:
        cards.insert(
            0, ("Predictions looked at", count(drift.rows), f"in {number(use_case.monitoring.window_days)} days")
        )
        note = f"{len(drift.moved)} of {plural(len(drift.inputs), 'column')}"
        cards.append(("Inputs that moved", percent(drift.share, 0), note))
    return cards


def _estimate_cards(verdict: MonitoringVerdict, history: Sequence[MonitoringVerdict]) -> list[tuple[str, str, str]]:
    """What is estimated without labels, and how far off such estimates of this version were."""
    estimate = verdict.performance.estimate
    if estimate is None:
        return []
    note = f"{number(estimate.low)} to {number(estimate.high)}; without labels, by {estimate.method}"
    cards = [(f"{estimate.metric}, estimated", number(estimate.value), note)]
    same = [check for check in history if check.version == verdict.version]
    scored = [each for check in same for each in check.performance.scored]
    if scored:
        off = sum(each.error for each in scored) / len(scored)
        held = sum(each.held for each in scored)
        cards.append(
            ("Estimates so far, off by", number(off), f"the interval held {held} of {plural(len(scored), 'time')}")
        )
    return cards


def _beside(figure: MetricChange) -> str:
    return f"{number(figure.low)} to {number(figure.high)}; {number(figure.before)} on the test rows"


def _segments(verdict: MonitoringVerdict) -> list[tuple[str, ...]]:
    """(segment, newest predictions, share with a warning, mean answer, mean answer before)."""
    segments = verdict.newest.segments if verdict.newest else []
    return [
        (
            f"{each.column}: {each.value}",
            count(each.rows),
            percent(each.warned, 0),
            *("" if value is None else number(value) for value in (each.answer, each.answer_before)),
        )
        for each in segments
    ]


def _labels(verdict: MonitoringVerdict) -> list[tuple[str, ...]]:
    """(decision, cases, labels by themselves, drawn at random, chosen) where labels come for some cases only."""
    coverage = verdict.performance.coverage
    return [
        (each.decision, *map(count, (each.cases, each.labelled, each.drawn, each.selected)))
        for each in ([] if coverage is None else coverage.decisions)
    ]


def _days(verdict: MonitoringVerdict) -> list[tuple[str, str, str, str]]:
    """(day, predictions, share with a warning, mean answer), the newest first."""
    return [
        (day.day, count(day.rows), percent(day.warned, 0), "" if day.answer is None else number(day.answer))
        for day in reversed(verdict.days)
    ]


def _columns(verdict: MonitoringVerdict) -> list[tuple[str, str, str, str, str]]:
    """(column, change, distance, limit, whether it moved), the answers and the labels first."""
    drift, target = verdict.drift, verdict.performance.target
    if drift is None:
        return []
    moves = [(move.name, move) for move in drift.inputs]
    if drift.predictions is not None:
        moves.insert(0, (drift.predictions.name, drift.predictions))
    if target is not None:
        moves.insert(0, (f"{target.name} (true labels)", target))
    return [
        (name, move.change, f"{move.distance:.2f}", f"{move.threshold:.2f}", "moved" if move.moved else "")
        for name, move in moves
    ]


def _history_picture(history: Sequence[MonitoringVerdict]) -> Markup:
    measured = [(i, check.performance.metric) for i, check in enumerate(history) if check.performance.metric]
    with drawing(9, 3.2 if measured else 1.5) as figure:
        rows = figure.subplots(
            2 if measured else 1, 1, sharex=True, squeeze=False, height_ratios=[1, 1.6][: 1 + bool(measured)]
        )
        levels, places = list(_COLOURS), range(len(history))
        top = rows[0][0]
        top.scatter(
            places,
            [levels.index(check.verdict) for check in history],
            c=[_COLOURS[check.verdict] if check.confident else SOFT for check in history],
            s=46,
            zorder=3,
        )
        top.set(yticks=range(len(levels)), yticklabels=levels, ylim=(-0.5, len(levels) - 0.5), title="Verdict")
        if measured:
            _draw_metric(rows[1][0], measured)
        step = max(1, len(history) // _TICKS)
        rows[-1][0].set_xticks(places[::step], [f"{check.at:%d %b %Y\n%H:%M}" for check in history][::step])
        rows[-1][0].set_xlim(-0.5, max(len(history) - 0.5, 5.5))
        summary = ", ".join(check.verdict for check in history)
        return svg(figure, f"Verdicts so far, oldest first: {summary}")


def _draw_metric(axes: Any, measured: list[tuple[int, MetricChange]]) -> None:
    places = [place for place, _ in measured]
    figures = [figure for _, figure in measured]
    axes.vlines(places, [f.low for f in figures], [f.high for f in figures], color=ACCENT, alpha=0.35, linewidth=5)
    axes.plot(places, [f.now for f in figures], "o-", color=ACCENT, markersize=4, label="labelled predictions")
    axes.plot(places, [f.before for f in figures], "_", color=SOFT, markersize=14, label="promised on the test rows")
    axes.set_title(f"{figures[-1].name}, with the range that chance allows")
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(0, -0.28), ncols=2)
