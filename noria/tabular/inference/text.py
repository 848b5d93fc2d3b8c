"""Text: which values are names, and which stand for a missing one."""

from __future__ import annotations

from noria.config.column_reading import ColumnReading
from noria.tabular.column_reader import WHOLE_NAME
from noria.tabular.inference.patterns import all_match
from noria.tabular.inference.text_column import TextColumn, filled, some_rows


def read_as_text(column: TextColumn) -> ColumnReading:
    """The rule that reads the values as the names that they are."""
    marks = column.marked
    missing = column.declared.missing
    if missing is None and len(marks):
        names = _marks_that_are_names(column)
        if names:
            shown = ", ".join(f"`{name}`" for name in names)
            like = ", ".join(f"`{text}`" for text in column.values.index[:3])
            column.decide(
                f"{shown} stands in {some_rows(marks[names].sum())} beside values such as {like}; read as a "
                "category, not as missing",
                float(marks[names].sum() / column.filled_rows),
                line=f'data.columns.{column.name}: {{type: text, missing: ["{names[0]}"]}}',
            )
            missing = sorted(set(marks.index) - set(names))
        else:
            _tell_marks(column)
    texts = column.values.index
    whole = len(texts) > 0 and all_match(texts, WHOLE_NAME)
    return filled(
        column.declared,
        type="text",
        **({"missing": missing} if missing is not None else {}),
        whole_numbers=whole,
    )


def _marks_that_are_names(column: TextColumn) -> list[str]:
    """`NA` is Namibia among codes of two capital letters."""
    texts = column.values.index
    if "NA" not in column.marked.index or len(texts) < 2:
        return []
    return ["NA"] if all_match(texts, r"[A-Z]{2}") else []


def _tell_marks(column: TextColumn) -> None:
    if column.declared.missing is not None or column.marked.empty:
        return
    rows = int(column.marked.sum())
    shown = ", ".join(f"`{mark}`" for mark in column.marked.index)
    column.decide(
        f"{shown} in {rows:,} of {column.filled_rows:,} rows, read as missing",
        rows / column.filled_rows,
        line=f"data.columns.{column.name}: {{type: text, missing: []}}",
    )
