"""The pictures of the exploration report."""

from typing import TYPE_CHECKING

from markupsafe import Markup

from noria.profiling.report.profile_findings import rank_inputs
from noria.profiling.report.profile_results import ColumnProfile, TableProfile
from noria.profiling.target_association import MISSING, LevelSummary
from noria.reporting.formats import count, date, number, percent
from noria.reporting.plots import ACCENT, ACCENT_SOFT, INK, SERIES, SOFT, drawing, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH = 8.6
_LABEL = 26
_SHOWN_CLASSES = 6
_MOST_BARS = 30
_DAY_S = 86_400
_FIRST_DAY, _LAST_DAY = -719_000, 2_932_000
"""Early in the year 1 and late in the year 9997, in days since 1970."""


def target_plot(facts: TableProfile) -> Markup:
    """How the target is distributed."""
    column = facts.column(facts.target)
    height = 2.4 if facts.task == "regression" else 0.7 + 0.32 * len(column.levels)
    with drawing(_WIDTH, height) as figure:
        axes = figure.subplots()
        if column.histogram:
            _histogram(axes, column)
            axes.set_xlabel(facts.target)
        else:
            _value_bars(axes, column.levels, facts)
            axes.grid(visible=False)
        return svg(figure, f"Distribution of {facts.target}")


def association_plot(facts: TableProfile) -> Markup:
    """What each input alone tells about the target, the strongest on top."""
    columns = [c for c in rank_inputs(facts) if c.strength is not None][:_MOST_BARS]
    names, values = [_short(c.name) for c in columns], [100 * (c.strength or 0) for c in columns]
    with drawing(_WIDTH, 0.6 + 0.24 * len(columns)) as figure:
        axes = figure.subplots()
        bars = axes.barh(range(len(names)), values, color=ACCENT, height=0.68)
        axes.bar_label(bars, [percent(c.strength or 0) for c in columns], padding=4, color=SOFT, fontsize=8.5)
        _named_rows(axes, names)
        axes.margins(x=0.12)
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        axes.grid(visible=False)
        return svg(figure, f"What each column alone tells about {facts.target}")


def column_plot(column: ColumnProfile, facts: TableProfile) -> Markup | None:
    """Left how often values occur, right how the target turns out for them; None for free text and empty columns."""
    if not column.levels and not column.histogram:
        return None
    if column.histogram:
        return _number_picture(column, facts)
    return _category_picture(column, facts)


def _number_picture(column: ColumnProfile, facts: TableProfile) -> Markup:
    with drawing(_WIDTH, 2.3) as figure:
        left, right = figure.subplots(1, 2)
        _histogram(left, column)
        left.set_title("How often")
        if any(level.position is not None for level in column.levels):
            _answer_line(right, column, facts)
            right.set_title(_answer_title(facts))
        else:
            right.set_axis_off()
        return svg(figure, f"Distribution of {column.name}, and {facts.target} by {column.name}")


def _category_picture(column: ColumnProfile, facts: TableProfile) -> Markup:
    levels = column.levels
    with drawing(_WIDTH, 0.95 + 0.25 * len(levels)) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        _value_bars(left, levels, facts)
        left.set_title("How often")
        left.grid(visible=False)
        _answer_bars(right, levels, facts)
        right.set_title(_answer_title(facts))
        right.grid(visible=False)
        return svg(figure, f"Values of {column.name}, and {facts.target} by {column.name}")


def _histogram(axes: "Axes", column: ColumnProfile) -> None:
    lefts = [_place(bar.left, column) for bar in column.histogram]
    widths = [bar.right - bar.left for bar in column.histogram]
    days = column.kind == "datetime"
    axes.bar(
        lefts,
        [bar.rows for bar in column.histogram],
        width=[width / _DAY_S for width in widths] if days else widths,
        align="edge",
        color=ACCENT_SOFT,
        edgecolor="white",
        linewidth=0.6,
    )
    _number_axis(axes, column)
    axes.yaxis.set_major_formatter(lambda value, _: count(value))
    axes.locator_params(axis="y", nbins=4, integer=True)
    if column.numbers and not days:
        axes.axvline(column.numbers.median, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.annotate(
            f"median {number(column.numbers.median, 3)}",
            (column.numbers.median, 1),
            xycoords=("data", "axes fraction"),
            xytext=(4, -2),
            textcoords="offset points",
            va="top",
            fontsize=8,
            color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
        )


def _answer_line(axes: "Axes", column: ColumnProfile, facts: TableProfile) -> None:
    levels = [level for level in column.levels if level.position is not None]
    places = [_place(level.position or 0.0, column) for level in levels]
    if facts.task == "multiclass":
        for index, label in enumerate(facts.classes[:_SHOWN_CLASSES]):
            shares = [level.answer[index] for level in levels]
            axes.plot(places, shares, color=SERIES[index], marker="o", markersize=3, linewidth=1.4, label=_short(label))
        axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    else:
        answers = [level.answer[0] for level in levels]
        lows = [level.low if level.low is not None else level.answer[0] for level in levels]
        highs = [level.high if level.high is not None else level.answer[0] for level in levels]
        axes.fill_between(places, lows, highs, color=ACCENT_SOFT, alpha=0.55, linewidth=0)
        axes.plot(places, answers, color=ACCENT, marker="o", markersize=3.5, linewidth=1.6)
        axes.axhline(facts.overall[0], color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
    _number_axis(axes, column)
    _answer_axis(axes.yaxis, facts)
    axes.locator_params(axis="y", nbins=5)
    axes.set_ylim(bottom=0 if facts.task != "regression" else None)


def _value_bars(axes: "Axes", levels: list[LevelSummary], facts: TableProfile) -> None:
    bars = axes.barh(range(len(levels)), [level.rows for level in levels], color=ACCENT_SOFT, height=0.68)
    shares = [f"{count(level.rows)}  ({percent(level.rows / facts.sampled)})" for level in levels]
    axes.bar_label(bars, shares, padding=4, color=SOFT, fontsize=8)
    _named_rows(axes, [_short(level.label) for level in levels])
    axes.margins(x=0.32)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)


def _answer_bars(axes: "Axes", levels: list[LevelSummary], facts: TableProfile) -> None:
    rows = range(len(levels))
    axes.tick_params(labelleft=False)
    if facts.task == "multiclass":
        _stacked(axes, levels, facts)
        return
    answers = [level.answer[0] for level in levels]
    axes.barh(rows, answers, color=ACCENT, height=0.68)
    errors = [
        [max(0.0, level.answer[0] - level.low) if level.low is not None else 0.0 for level in levels],
        [max(0.0, level.high - level.answer[0]) if level.high is not None else 0.0 for level in levels],
    ]
    axes.errorbar(answers, rows, xerr=errors, fmt="none", ecolor=INK, elinewidth=0.9, capsize=2)
    axes.axvline(facts.overall[0], color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
    _answer_axis(axes.xaxis, facts)
    axes.locator_params(axis="x", nbins=5)


def _stacked(axes: "Axes", levels: list[LevelSummary], facts: TableProfile) -> None:
    start = [0.0] * len(levels)
    for index, label in enumerate(facts.classes[:_SHOWN_CLASSES]):
        shares = [level.answer[index] for level in levels]
        axes.barh(range(len(levels)), shares, left=start, color=SERIES[index], height=0.68, label=_short(label))
        start = [sum(pair) for pair in zip(start, shares, strict=True)]
    axes.set_xlim(0, 1)
    _answer_axis(axes.xaxis, facts)
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))


def _named_rows(axes: "Axes", names: list[str]) -> None:
    axes.set_yticks(range(len(names)), names, color=INK)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.spines["left"].set_visible(False)


def _number_axis(axes: "Axes", column: ColumnProfile) -> None:
    if column.kind == "datetime" and _drawable(axes):
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator(minticks=3, maxticks=6)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        return
    is_date = column.kind == "datetime"
    axes.xaxis.set_major_formatter(lambda value, _: date(value * _DAY_S)[:-6] if is_date else number(value))
    axes.locator_params(axis="x", nbins=6)


def _drawable(axes: "Axes") -> bool:
    """Has matplotlib dates for all of the axis? It ends in the year 9999, which often stands for "for ever"."""
    low, high = axes.get_xlim()
    return low > _FIRST_DAY and high < _LAST_DAY


def _answer_axis(axis: object, facts: TableProfile) -> None:
    shares = facts.task != "regression"
    axis.set_major_formatter(lambda value, _: percent(value, 0) if shares else number(value))  # type: ignore[attr-defined]


def _answer_title(facts: TableProfile) -> str:
    if facts.task == "binary":
        return f"Share with {facts.target} = {facts.positive}"
    return f"Average {facts.target}" if facts.task == "regression" else f"Share of each {facts.target}"


def _place(value: float, column: ColumnProfile) -> float:
    """Where a value lies on the axis; matplotlib counts dates in days since 1970."""
    return value / _DAY_S if column.kind == "datetime" else value


def _short(text: str) -> str:
    if text == MISSING or len(text) <= _LABEL:
        return text.replace("$", r"\$")
    return text[: _LABEL - 1].replace("$", r"\$") + "…"
