"""Checking rows against the schema: errors and warnings for each row, and the values in their proper types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from noria.schema.column import Column
from noria.system.errors import NoriaError
from noria.tabular.column_reader import Raw, per_row
from noria.tabular.names import did_you_mean, one_note
from noria.tabular.values import BOOLEANS, LARGEST, shown

if TYPE_CHECKING:
    import pandas as pd

Values = NDArray[Any]


@dataclass(frozen=True)
class CheckedRows:
    """n rows after the check, in the order they came. A value that is wrong counts as missing in its row."""

    values: dict[str, Values]
    """Column → (n,) float64 numbers, text or None for categories, datetime64 for dates."""
    matrix: NDArray[np.float64]
    """(n, p) the rows as `InputSchema.encode` gives them."""
    errors: list[str]
    """Per row what is wrong with it; empty when nothing is."""
    warnings: list[str]
    """Per row what the model has not seen in training; empty when there is nothing."""
    ignored: list[str]
    """Columns that the schema does not know."""
    index: pd.Index[Any] | None
    """The index of the rows; None where they were no table."""

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The typed values as a table with the rows' own index."""
        import pandas as pd

        return pd.DataFrame(self.values, index=self.index)


def check_names(columns: Sequence[Column], frame: pd.DataFrame) -> list[str]:
    """The columns of `frame` that the schema does not know.

    Raises:
        NoriaError: a column of the schema is missing, or comes twice.
    """
    given, wanted = list(frame.columns), {column.name for column in columns}
    known = set(given)
    absent = [column.name for column in columns if column.name not in known]
    ignored = [str(name) for name in given if name not in wanted]
    if absent:
        names = ", ".join(f"`{name}`" for name in absent)
        fix = did_you_mean(absent[0], ignored or given) if len(absent) == 1 else "give every input column of the model"
        raise NoriaError(
            f"missing column{'s' if len(absent) > 1 else ''}: {names}",
            code="schema.column_missing",
            where="input",
            fix=fix,
        )
    if len(given) > len(known):
        twice = sorted({str(name) for name, times in Counter(given).items() if times > 1} & wanted)
        if twice:
            raise NoriaError(
                f"column `{twice[0]}` comes twice",
                code="data.column_duplicated",
                where="input",
                fix="give each column once",
            )
    return ignored


def check_column(
    column: Column, raw: Raw, calendar: Sequence[str], errors: list[str], warnings: list[str]
) -> tuple[Values, Values]:
    """Read one column; what is wrong or unseen is added to the rows' `errors` and `warnings`.

    Returns:
        The (n,) typed values and their (n, width) encoding.
    """
    if column.kind == "number":
        numbers = _numbers(column, raw, errors, warnings)
        return numbers, numbers[:, None]
    if column.kind == "category":
        codes, texts = _categories(column, raw, errors, warnings)
        known = np.array([column.codes.get(text, -1) for text in texts], dtype=np.float64)
        return _objects(texts)[codes], known[codes][:, None]
    moments = _dates(column, raw, errors, warnings, years="year" in calendar)
    return moments, calendar_parts(moments, calendar)


def calendar_parts(moments: Values, calendar: Sequence[str]) -> NDArray[np.float64]:
    """(n, len(calendar)) year, month, day, weekday (Monday 0) and hour as numbers; NaN where the date is missing."""
    days, months = moments.astype("datetime64[D]"), moments.astype("datetime64[M]")
    parts: dict[str, Callable[[], NDArray[np.int64]]] = {
        "year": lambda: moments.astype("datetime64[Y]").astype(np.int64) + 1970,
        "month": lambda: months.astype(np.int64) % 12 + 1,
        "day": lambda: (days - months).astype(np.int64) + 1,
        # 1970-01-01 was a Thursday
        "weekday": lambda: (days.astype(np.int64) + 3) % 7,
        "hour": lambda: (moments - days).astype("timedelta64[h]").astype(np.int64),
    }
    matrix = np.empty((len(moments), len(calendar)), dtype=np.float64)
    for place, part in enumerate(calendar):
        matrix[:, place] = parts[part]()
    matrix[np.isnat(moments)] = np.nan
    return matrix


def seconds(moments: Values) -> NDArray[np.float64]:
    """Seconds since 1970, NaN for NaT."""
    epoch = moments.astype("datetime64[us]").astype(np.int64) / 1e6
    return np.where(np.isnat(moments), np.nan, epoch)


def _numbers(column: Column, raw: Raw, errors: list[str], warnings: list[str]) -> Values:
    values, faults = column.reader.read_numbers(raw)
    for row, fault in faults.items():
        _note(errors, row, column.name, fault)
    beyond = np.abs(values) > LARGEST
    if beyond.any():
        for place in np.flatnonzero(beyond):
            _note(errors, int(place), column.name, "infinite" if np.isinf(values[place]) else "too large")
        values = np.where(beyond, np.nan, values)
    _note_range(column, values, warnings)
    return values


def _categories(
    column: Column, raw: Raw, errors: list[str], warnings: list[str]
) -> tuple[NDArray[np.intp], list[str | None]]:
    codes, texts, faults = column.reader.read_texts(raw)
    if column.is_boolean:
        texts = [_spelled(text, column) for text in texts]
    for row, fault in per_row(codes, faults).items():
        _note(errors, row, column.name, fault)
    unseen = {code: f"unseen category {shown(text)}" for code, text in enumerate(texts) if text not in column.codes}
    for row, note in per_row(codes, unseen).items():
        _note(warnings, row, column.name, note)
    return codes, texts


def _dates(column: Column, raw: Raw, errors: list[str], warnings: list[str], *, years: bool) -> Values:
    moments, faults = column.reader.read_moments(raw)
    for row, fault in faults.items():
        _note(errors, row, column.name, fault)
    if years:
        _note_years(column, moments, warnings)
    return moments


def _note_years(column: Column, moments: Values, warnings: list[str]) -> None:
    """Only the year can be new: months and hours come round again."""
    if column.minimum is None or column.maximum is None:
        return
    first, last = (int(str(np.datetime64(int(end), "s"))[:4]) for end in (column.minimum, column.maximum))
    years = moments.astype("datetime64[Y]").astype(np.int64) + 1970
    for row in np.flatnonzero(((years < first) | (years > last)) & ~np.isnat(moments)):
        _note(warnings, int(row), column.name, f"{years[row]} is outside the training range {first}–{last}")


def _note_range(column: Column, numbers: NDArray[np.float64], warnings: list[str]) -> None:
    if column.minimum is None or column.maximum is None:
        return
    outside = (numbers < column.minimum) | (numbers > column.maximum)
    if not outside.any():
        return
    low, high = f"{column.minimum:.10g}", f"{column.maximum:.10g}"
    for row in np.flatnonzero(outside):
        _note(warnings, int(row), column.name, f"{numbers[row]:.10g} is outside the training range {low}–{high}")


def _note(notes: list[str], row: int, name: str, text: str) -> None:
    note = f"{one_note(name)}: {one_note(text)}"
    notes[row] = f"{notes[row]}; {note}" if notes[row] else note


def _objects(values: Sequence[Any]) -> Values:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _spelled(text: str | None, column: Column) -> str | None:
    """`yes`, `1` or `true` as the column has it, where validation made booleans of such words in training."""
    meant = None if text is None or text in column.codes else BOOLEANS.get(text.strip().lower())
    return text if meant is None else str(meant)
