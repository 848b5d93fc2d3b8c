"""The exploration report: one self-contained page that a person without statistics can read."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
from markupsafe import Markup

from noria.config import UseCase
from noria.profiling.report.profile_findings import describe_association, describe_strength, rank_inputs
from noria.profiling.report.profile_results import ColumnProfile, TableProfile
from noria.reporting import date, number, percent, plural, render

_PICTURED = 60
_FIRST_ROWS = 5
_WORDS = {"number": "number", "category": "category", "datetime": "date", "text": "free text", "empty": "no values"}


@dataclass(frozen=True)
class _Shown:
    """What the page says about one column."""

    facts: ColumnProfile
    anchor: str
    kind: str
    typical: str
    tells: str
    relation: str
    summary: list[tuple[str, str]]
    picture: Markup | None


def exploration_report(exploration: TableProfile, frame: pd.DataFrame, use_case: UseCase) -> str:
    """Write the page.

    Args:
        exploration: the facts about the table.
        frame: the same table, of which the first rows are shown.
        use_case: whose table it is.

    Returns:
        HTML that loads nothing from elsewhere. Of a table with very many columns, those that tell most about the
        target are pictured.
    """
    from noria.profiling.report.profile_plots import association_plot, column_plot, target_plot

    pictured = {c.name for c in [*rank_inputs(exploration), *_others(exploration)][:_PICTURED]} - {exploration.target}
    shown = []
    for index, column in enumerate(exploration.columns):
        picture = column_plot(column, exploration) if column.name in pictured else None
        shown.append(_shown(column, index, picture, exploration))
    related = any(c.strength is not None for c in rank_inputs(exploration))
    sections = _sections(exploration, related=related)
    return render(
        "profiling/report/exploration_report.html",
        facts=exploration,
        decided_by=use_case.problem.decided_by,
        contents=[*sections, *((c.anchor, c.facts.name, "sub") for c in shown if c.facts.name != exploration.target)],
        columns=shown,
        target_picture=target_plot(exploration),
        strengths=association_plot(exploration) if related else None,
        first_rows=_first_rows(frame),
        today=datetime.now(UTC).strftime("%d %B %Y").lstrip("0"),
    )


def _sections(facts: TableProfile, *, related: bool) -> list[tuple[str, str]]:
    return [
        ("short", "In short"),
        ("target", f"The target: {facts.target}"),
        *([("strength", f"What tells about {facts.target}")] if related else []),
        ("glance", "All columns at a glance"),
        *([("aside", "Rows set aside")] if facts.quarantined else []),
        ("rows", "The first rows"),
        ("reading", "How to read this"),
        ("columns", "Column by column"),
    ]


def _others(facts: TableProfile) -> list[ColumnProfile]:
    return [column for column in facts.columns if column.role != "input"]


def _shown(column: ColumnProfile, index: int, picture: Markup | None, facts: TableProfile) -> _Shown:
    return _Shown(
        facts=column,
        anchor=f"column-{index}",
        kind=_WORDS[column.kind],
        typical=_typical(column),
        tells=describe_strength(column.strength) if column.strength is not None else "",
        relation=describe_association(column, facts),
        summary=_summary(column, facts),
        picture=picture,
    )


def _typical(column: ColumnProfile) -> str:
    if column.kind == "datetime" and column.numbers:
        return f"{date(column.numbers.minimum)} to {date(column.numbers.maximum)}"
    if column.kind == "number" and column.numbers and column.histogram:
        return f"{number(column.numbers.quarter)} to {number(column.numbers.three_quarters)}"
    return _cut(column.most_common) if column.kind in {"number", "category"} else ""


def _summary(column: ColumnProfile, facts: TableProfile) -> list[tuple[str, str]]:
    missing = f"{plural(column.missing, 'row')} ({percent(column.missing_share)})" if column.missing else "none"
    lines = [("Missing", missing), ("Different values", f"{column.distinct:,}")]
    if column.kind == "datetime" and column.numbers:
        return [*lines, ("From", date(column.numbers.minimum)), ("To", date(column.numbers.maximum))]
    if column.kind == "number" and column.distinct > 2 and (n := column.numbers):
        lines += [
            ("Smallest", number(n.minimum)),
            ("Middle half", f"{number(n.quarter)} to {number(n.three_quarters)}"),
            ("Average", number(n.mean)),
            ("Largest", number(n.maximum)),
            ("Far from the rest", plural(n.outliers, "value") if n.outliers else "none"),
        ]
    elif column.most_common:
        share = percent(column.most_common_rows / facts.rows)
        lines.append(("Most frequent", f"{_cut(column.most_common)} ({share})"))
    return lines


def _first_rows(frame: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    head = frame.head(_FIRST_ROWS)
    return [str(name) for name in head.columns], [
        [_cell(value) for value in row] for row in head.to_numpy(dtype=object)
    ]


def _cell(value: object) -> str:
    return "" if pd.isna(value) else _cut(str(value).removesuffix(" 00:00:00"))  # type: ignore[call-overload]


def _cut(text: str, longest: int = 40) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
