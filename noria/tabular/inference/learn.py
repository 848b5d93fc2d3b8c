"""Learning how the values of a column are read, from all of its rows.

Every rule that is learned fits every value. Where the values leave room, the decision says what was chosen, on what
evidence, and which line of the use case changes it.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from noria.config.column_reading import ISO, ColumnReading
from noria.tabular.column_decision import ColumnDecision
from noria.tabular.column_reader import ISO_DATE
from noria.tabular.exact_numbers import LARGEST_EXACT
from noria.tabular.inference.dates import read_as_dates, tell_likely_dates, whole_dates
from noria.tabular.inference.numbers import read_as_numbers, tell_likely_numbers, too_many_digits
from noria.tabular.inference.patterns import PLAIN_NUMBER, WHOLE_NUMBER, all_match, matching
from noria.tabular.inference.text import read_as_text
from noria.tabular.inference.text_column import LearnedReading, TextColumn, filled, some_rows

_PLACEHOLDERS = frozenset(
    {
        *("unknown", "missing", "none", "n.a.", "n.a", "na.", "n/a", "k.a.", "not available", "undefined", "nil"),
        *("#value!", "#div/0!", "#ref!", "no data", "blank", "empty"),
    }
)
_PUNCTUATION = re.compile(r"[^\w\s]{1,4}")
_MOST_PLACEHOLDERS = 3
_MOST_OF_THE_ROWS = 0.5
_NEARLY_ALL = 0.8
_SMALL_EVIDENCE = 0.05


def learn_reading(
    series: pd.Series[Any], declared: ColumnReading, *, decimal: str = ".", raw: bool = True
) -> LearnedReading:
    """The rule that fits all values of a column.

    Args:
        series: the n values; text as the file has it, or typed.
        declared: what the use case says; it is kept, and only the rest is learned.
        decimal: the decimal mark that its file is said to have.
        raw: the values are text because the file knows no types, as CSV does. Otherwise text that is whole numbers
            stays text, as its source has declared it.
    """
    name = str(series.name)
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.cat.categories.dtype)
    if not is_text(series):
        return _learn_typed(name, series, declared)
    return _learn_text(TextColumn(name, series, declared, decimal, raw=raw))


def is_text(series: pd.Series[Any]) -> bool:
    """Whether the present values of a column are texts."""
    if isinstance(series.dtype, pd.StringDtype):
        return True
    return series.dtype == object and pd.api.types.infer_dtype(series, skipna=True) == "string"


def _learn_typed(name: str, series: pd.Series[Any], declared: ColumnReading) -> LearnedReading:
    kind = series.dtype
    present = series.dropna()
    inferred = pd.api.types.infer_dtype(series, skipna=True) if pd.api.types.is_object_dtype(kind) else ""
    if pd.api.types.is_bool_dtype(kind) or inferred == "boolean":
        given = declared.model_copy(update={"type": "text" if declared.type == "text" else None})
        return LearnedReading(filled(given, type="boolean"))
    if pd.api.types.is_datetime64_any_dtype(kind) or inferred in {"datetime", "datetime64", "date"}:
        zoned = isinstance(kind, pd.DatetimeTZDtype) or any(getattr(one, "tzinfo", None) for one in present.iloc[:1])
        return LearnedReading(filled(declared, type="date", format=ISO, timezone="offset" if zoned else "none"))
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind):
        return _learn_numbers(name, present, declared)
    if inferred in {"integer", "floating", "mixed-integer-float", "decimal"}:
        return _learn_numbers(name, present, declared)
    return LearnedReading(declared)


def _learn_numbers(name: str, present: pd.Series[Any], declared: ColumnReading) -> LearnedReading:
    numbers = np.asarray(pd.to_numeric(present, errors="coerce"), dtype=np.float64)
    with np.errstate(invalid="ignore"):
        whole = bool(len(numbers)) and bool((np.isfinite(numbers) & (numbers % 1 == 0)).all())
    decisions: list[ColumnDecision] = []
    if whole and declared.type in {None, "date"}:
        form, decision = whole_dates(name, numbers, is_declared=declared.type == "date")
        if form and declared.format in {None, form}:
            reading = filled(declared, type="date", format=form, timezone="none")
            return LearnedReading(reading, [decision] if decision and not declared.format else [])
        decisions = [decision] if decision and not form else []
    # floats have lost such digits already, and large amounts such as 1e300 are no names
    is_float = pd.api.types.is_float_dtype(present.dtype)
    if whole and not is_float and np.abs(numbers).max() > LARGEST_EXACT and declared.type is None:
        decision = too_many_digits(name, len(str(int(np.abs(numbers).max()))))
        return LearnedReading(filled(declared, type="text", whole_numbers=True), [decision])
    if declared.type == "text":
        return LearnedReading(filled(declared, whole_numbers=whole))
    return LearnedReading(filled(declared, type="integer" if whole else "number"), decisions)


def _learn_text(column: TextColumn) -> LearnedReading:
    declared = column.declared
    if declared.type in {"number", "integer"}:
        reading = read_as_numbers(column, column.values) or declared
    elif declared.type == "date":
        reading = read_as_dates(column, column.values, is_declared=True) or declared
    elif declared.type == "text" or column.values.empty:
        reading = read_as_text(column)
    elif declared.type == "boolean":
        reading = declared
    else:
        reading = _guess(column)
    _tell_blanks(column, reading)
    return LearnedReading(reading, column.decisions)


def _guess(column: TextColumn) -> ColumnReading:
    """Numbers, dates, truth values, or else text."""
    if set(column.values.index.str.lower()) <= {"true", "false"}:
        return filled(column.declared, type="boolean")
    for read in (read_as_numbers, read_as_dates):
        if (found := read(column, column.values)) is not None:
            return found
    kept, placeholders = _without_placeholders(column)
    if placeholders:
        for read in (read_as_numbers, read_as_dates):
            if (found := read(column, kept, elsewhere=placeholders)) is not None:
                return found
    if not (column.decisions or _tell_nearly(column) or tell_likely_dates(column)):
        tell_likely_numbers(column)
    _tell_placeholders(column, placeholders)
    return read_as_text(column)


def _without_placeholders(column: TextColumn) -> tuple[pd.Series[Any], list[str]]:
    """The values but for a few such as `?` and `-`, and these."""
    found = [text for text in column.values.index if _PUNCTUATION.fullmatch(text) or text.lower() in _PLACEHOLDERS]
    rows = int(column.values[found].sum())
    if not found or len(found) > _MOST_PLACEHOLDERS or rows > _MOST_OF_THE_ROWS * column.values.sum():
        return column.values, []
    return column.values.drop(found), found


def _tell_placeholders(column: TextColumn, placeholders: list[str]) -> None:
    """Marks such as `?` among texts may be a category, or a missing value."""
    marks = [text for text in placeholders if _PUNCTUATION.fullmatch(text)]
    if not marks or len(marks) == len(column.values):
        return
    rows = column.values[marks].sum()
    shown = ", ".join(f"`{mark}`" for mark in marks)
    column.decide(
        f"{shown} in {some_rows(rows)}, read as a category, not as missing",
        float(rows / column.filled_rows),
        asks=True,
        line=f'data.columns.{column.name}: {{type: text, missing: ["{marks[0]}"]}}',
    )


def _tell_nearly(column: TextColumn) -> bool:
    """Note that most values are numbers or dates, but some are not."""
    dates = matching(column.values.index, ISO_DATE)
    what, kind, fits = ("dates", "date", dates) if dates.any() else ("numbers", "number", None)
    odd = column.values[~(matching(column.values.index, PLAIN_NUMBER) if fits is None else fits)]
    share = 1 - float(odd.sum() / column.values.sum())
    if not _NEARLY_ALL <= share < 1:
        return False
    if all_match(column.values.index.drop(odd.index), WHOLE_NUMBER) and len(odd) > _MOST_PLACEHOLDERS:
        return False  # codes of digits and letters
    shown = ", ".join(f"`{text}`" for text in odd.index[:_MOST_PLACEHOLDERS])
    more = f" and {len(odd) - _MOST_PLACEHOLDERS} more" if len(odd) > _MOST_PLACEHOLDERS else ""
    column.decide(
        f"{share:.1%} of the values are {what}, the others are not ({shown}{more}), so all are read as text",
        1.0,
        asks=True,
        line=f'data.columns.{column.name}: {{type: {kind}, missing: ["{odd.index[0]}"]}}',
    )
    return True


def _tell_blanks(column: TextColumn, reading: ColumnReading) -> None:
    if column.blank_rows and reading.type == "text" and column.merged:
        column.decide(
            f"{some_rows(column.blank_rows)} with blanks around the value, which are removed; {column.merged} of the "
            "different values differed by nothing else",
            max(_SMALL_EVIDENCE, column.blank_rows / max(1, column.filled_rows)),
        )
