"""What a column is: how its values are read, and whether a model can learn from them.

`new`, `explore` and training all ask here and differ only in what they do with the answer.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config import UseCase
from noria.config.column_reading import ColumnReading
from noria.config.rule_syntax import rule_columns
from noria.schema.column import Kind
from noria.schema.row_check import seconds
from noria.tabular.column_reader import ColumnReader
from noria.tabular.inference import is_text, learn_reading
from noria.tabular.values import LARGEST, distinct

Unusable = Literal["empty", "constant", "free text", "compound", "calendar"]
"""Why no model can learn from a column.

`empty`: no row has a value. `constant`: every row has the same value. `free text`: text or identifiers that hardly
repeat. `compound`: values that are not single values, such as lists. `calendar`: dates, while `features.calendar` is
empty.
"""

_FREE_TEXT_SHARE = 0.5


@dataclass(frozen=True)
class ColumnValues:
    """The values of a column as a model reads them."""

    kind: Kind
    rows: int
    reading: ColumnReading
    """How they were read."""
    numbers: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """(rows,) numbers, or dates as seconds since 1970; NaN where missing or unreadable. Empty for categories."""
    counts: dict[str, int] = field(default_factory=dict)
    """Category → its rows. Empty for numbers and dates."""
    unreadable: dict[int, str] = field(default_factory=dict)
    """Row (of categories: distinct value) → what is wrong with it."""


@dataclass(frozen=True)
class ColumnType:
    """The decision about one column."""

    kind: Kind
    """What its values are to a model."""
    unusable: Unusable | None = None
    """Why no model can learn from it; None if one can."""
    reason: str = ""
    """The same in words."""
    unreadable: str = ""
    """Which values cannot be read as `kind`, in words; training refuses them. Empty if all can."""


def classify_features(frame: pd.DataFrame, use_case: UseCase) -> dict[str, ColumnType]:
    """The type of every column that a model may see, as training decides it on its rows.

    Args:
        frame: the rows to decide on; training decides on the training rows.
        use_case: the roles and declared types of columns. A column that a rule uses is always usable.

    Raises:
        NoriaError: a condition is not in the language of rules.
    """
    kept = rule_columns(use_case.rules)
    return {
        str(name): classify_column(str(name), frame[name], use_case, keep=str(name) in kept)[0]
        for name in frame.columns
        if name not in use_case.not_features
    }


def classify_column(
    name: str, series: "pd.Series[Any]", use_case: UseCase, *, keep: bool
) -> tuple[ColumnType, ColumnValues]:
    """The type of one column of a use case, and its values; a column to `keep` is usable whatever it holds."""
    reading = reading_of(name, series, use_case)
    kind = kind_of(name, reading, use_case)
    if kind == "datetime" and not (use_case.features.calendar or keep):
        reason = "a date, and `features.calendar` names no part of dates"
        return ColumnType(kind, "calendar", reason), ColumnValues(kind, len(series), reading)
    values = read_values(series, kind, reading)
    keep = keep or name in use_case.features.categorical
    return classify_values(values, use_case.features.max_categories, keep=keep), values


def classify_values(values: ColumnValues, max_categories: int, *, keep: bool = False) -> ColumnType:
    """The type of a column by its values alone.

    Args:
        values: the values as its kind reads them.
        max_categories: as many different categories are never free text; beyond, they are if more than half of the
            values are different.
        keep: the column is usable whatever it holds, unless its values are compound.
    """
    if values.kind == "category":
        unusable, reason = _unusable_category(values, max_categories, keep=keep)
        return ColumnType(values.kind, unusable, reason)
    unreadable = ""
    if values.unreadable:
        unreadable = (
            f"{len(values.unreadable)} training row(s) cannot be; first: {next(iter(values.unreadable.values()))}"
        )
    unusable, reason = (None, "") if keep else _unusable_numbers(values)
    return ColumnType(values.kind, unusable, reason, unreadable)


def _unusable_numbers(values: ColumnValues) -> tuple[Unusable | None, str]:
    missing = np.isnan(values.numbers)
    if missing.all():
        return "empty", "every value is missing"
    low, high = np.nanmin(values.numbers), np.nanmax(values.numbers)
    if low == high and not missing.any():
        return "constant", f"every value is {low:g}" if values.kind == "number" else "every date is the same"
    return None, ""


def _unusable_category(values: ColumnValues, max_categories: int, *, keep: bool) -> tuple[Unusable | None, str]:
    if values.unreadable:
        return "compound", f"its values are not single values ({next(iter(values.unreadable.values()))})"
    different, filled = len(values.counts), sum(values.counts.values())
    if keep:
        return None, ""
    if not different:
        return "empty", "every value is missing"
    if different == 1 and filled == values.rows:
        return "constant", f"every value is {next(iter(values.counts))!r}"
    if different > max(max_categories, _FREE_TEXT_SHARE * filled):
        return "free text", f"free text or an identifier ({different} different values in {filled} rows)"
    return None, ""


def reading_of(name: str, series: "pd.Series[Any]", use_case: UseCase) -> ColumnReading:
    """How a column's values are read: as the use case says or has learned, and else as these values suggest."""
    declared = use_case.reading(name)
    if declared.type is None and name == use_case.data.time and use_case.split.method == "time":
        numeric = pd.api.types.is_numeric_dtype(series.dtype)
        declared = declared if numeric else declared.model_copy(update={"type": "date"})
    is_learned = {"text": declared.whole_numbers is not None, "date": declared.format is not None}
    if is_learned.get(str(declared.type), declared.type is not None and not is_text(series)):
        return declared
    return learn_reading(series, declared, raw=False).reading


def kind_of(name: str, reading: ColumnReading, use_case: UseCase) -> Kind:
    """What a column is to a model: as `features` says, else by the type of its values."""
    if name in use_case.features.numeric:
        return "number"
    if name in use_case.features.categorical:
        return "category"
    return kind_of_reading(reading)


def kind_of_reading(reading: ColumnReading) -> Kind:
    """What values of a type are to a model."""
    if reading.type == "date":
        return "datetime"
    return "number" if reading.type in {"number", "integer"} else "category"


def read_values(series: "pd.Series[Any]", kind: Kind, reading: ColumnReading) -> ColumnValues:
    """Read every value as `kind`, by the rule of the column."""
    reader = ColumnReader(reading)
    if kind == "category":
        codes, texts, faults = reader.read_texts(series)
        counts: dict[str, int] = {}
        for text, count in zip(texts, np.bincount(codes, minlength=len(texts)), strict=True):
            if text is not None:
                counts[text] = counts.get(text, 0) + int(count)
        return ColumnValues(kind, len(series), reading, counts=counts, unreadable=faults)
    if kind == "datetime":
        moments, faults = reader.read_moments(series)
        return ColumnValues(kind, len(series), reading, seconds(moments), unreadable=faults)
    numbers, faults = reader.read_numbers(series)
    beyond = np.abs(numbers) > LARGEST
    if beyond.any():
        faults = {**faults, int(beyond.argmax()): "an infinite value, or one too large to compute with"}
    return ColumnValues(kind, len(series), reading, numbers, unreadable=faults)


def as_numbers(series: "pd.Series[Any]", kind: Kind) -> NDArray[np.float64]:
    """(n,) numbers, or dates as seconds since 1970; NaN where missing, unreadable or too large to compute with."""
    numbers = read_values(series, kind, _own_reading(series, kind)).numbers
    return np.where(np.abs(numbers) <= LARGEST, numbers, np.nan)


def as_categories(series: "pd.Series[Any]") -> "pd.Series[Any]":
    """Categories as text, None where missing."""
    codes, texts, _ = ColumnReader(_own_reading(series, "category")).read_texts(series)
    values = np.empty(len(texts), dtype=object)
    values[:] = texts
    return pd.Series(values[codes], index=series.index, name=series.name, dtype=object)


def is_blank(series: "pd.Series[Any]") -> NDArray[np.bool_]:
    """(n,) True where a value is missing as a model reads it: blank text is."""
    if pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_datetime64_any_dtype(series.dtype):
        return series.isna().to_numpy(dtype=bool)
    reader = ColumnReader(_own_reading(series, "category"))
    codes, values = distinct(series)
    return np.array([reader.is_missing(value) for value in values], dtype=bool)[codes]


def _own_reading(series: "pd.Series[Any]", kind: Kind) -> ColumnReading:
    """For a table that has been read: what stood for missing is missing."""
    if kind == "category":
        return ColumnReading(type="text", missing=[])
    declared = ColumnReading(type="number" if kind == "number" else "date")
    return learn_reading(series, declared, raw=False).reading
