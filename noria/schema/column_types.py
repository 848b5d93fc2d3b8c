"""What a column is: how its values are read, and whether a model can learn from them.

`new`, `explore` and training all ask here and differ only in what they do with the answer.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config import UseCase
from noria.config.rule_syntax import rule_columns
from noria.schema.column import Kind
from noria.schema.row_check import read_dates, read_numbers, read_texts, seconds
from noria.tabular.types import Type, convert, is_number
from noria.tabular.values import LARGEST, distinct, is_missing

Unusable = Literal["empty", "constant", "free text", "compound", "calendar"]
"""Why no model can learn from a column.

`empty`: no row has a value. `constant`: every row has the same value. `free text`: text or identifiers that hardly
repeat. `compound`: values that are not single values, such as lists. `calendar`: dates, while `features.calendar` is
empty.
"""

_FREE_TEXT_SHARE = 0.5
_TYPES_OF_OBJECTS: dict[str, Type] = {
    "string": "text",
    "empty": "text",
    "boolean": "boolean",
    "decimal": "number",
    "integer": "integer",
    "floating": "number",
    "mixed-integer-float": "number",
    "datetime": "datetime",
    "datetime64": "datetime",
    "date": "datetime",
}
# a date of at least a day, a month and a year; plain numbers are no dates
_DATE_LIKE = re.compile(r"^\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?\s*$")
_DATES_SAMPLED = 5_000


@dataclass(frozen=True)
class ColumnValues:
    """The values of a column as a model reads them."""

    kind: Kind
    rows: int
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
    """How its values are read."""
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
    kind = kind_of(name, series, use_case)
    if kind == "datetime" and not (use_case.features.calendar or keep):
        reason = "a date, and `features.calendar` names no part of dates"
        return ColumnType(kind, "calendar", reason), ColumnValues(kind, len(series))
    values = read_values(series, kind)
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


def kind_of(name: str, series: "pd.Series[Any]", use_case: UseCase) -> Kind:
    """How a column's values are read: as `features` says, else as its declared type, else as its values suggest."""
    if name in use_case.features.numeric:
        return "number"
    if name in use_case.features.categorical:
        return "category"
    expectation = use_case.data.expectations.columns.get(name)
    declared = expectation.type if expectation else None
    if declared == "datetime" or name == use_case.data.time or pd.api.types.is_datetime64_any_dtype(series.dtype):
        return "datetime"
    return kind_of_type(declared or value_type(series))


def kind_of_type(declared: Type | None) -> Kind:
    """How values of a declared type are read."""
    if declared == "datetime":
        return "datetime"
    return "number" if declared in {"number", "integer"} else "category"


def value_type(series: "pd.Series[Any]") -> Type | None:
    """The type that a column's values have as they are; None if it cannot be declared, as of lengths of time."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        return "text"
    if pd.api.types.is_bool_dtype(series.dtype):
        return "boolean"
    if is_number(series):
        return "integer" if pd.api.types.is_integer_dtype(series.dtype) else "number"
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return "datetime"
    return _TYPES_OF_OBJECTS.get(pd.api.types.infer_dtype(series, skipna=True))


def holds_dates_as_text(series: "pd.Series[Any]") -> bool:
    """True for text of which every value reads as a date, so that it can be declared `type: datetime`."""
    present = series.dropna()
    if present.empty or pd.api.types.infer_dtype(present) != "string":
        return False
    some = present.iloc[np.linspace(0, len(present) - 1, min(len(present), _DATES_SAMPLED)).astype(int)]
    return bool(some.astype(str).str.match(_DATE_LIKE).all()) and not convert(present, "datetime")[1].any()


def read_values(series: "pd.Series[Any]", kind: Kind) -> ColumnValues:
    """Read every value as `kind`."""
    if kind == "category":
        codes, texts, faults = read_texts(series)
        counts: dict[str, int] = {}
        for text, count in zip(texts, np.bincount(codes, minlength=len(texts)), strict=True):
            if text is not None:
                counts[text] = counts.get(text, 0) + int(count)
        return ColumnValues(kind, len(series), counts=counts, unreadable=faults)
    if kind == "datetime":
        moments, faults = read_dates(series)
        return ColumnValues(kind, len(series), seconds(moments), unreadable=faults)
    numbers, faults = read_numbers(series)
    beyond = np.abs(numbers) > LARGEST
    if beyond.any():
        faults = {**faults, int(beyond.argmax()): "an infinite value, or one too large to compute with"}
    return ColumnValues(kind, len(series), numbers, unreadable=faults)


def as_numbers(series: "pd.Series[Any]", kind: Kind) -> NDArray[np.float64]:
    """(n,) numbers, or dates as seconds since 1970; NaN where missing, unreadable or too large to compute with."""
    numbers = read_values(series, kind).numbers
    return np.where(np.abs(numbers) <= LARGEST, numbers, np.nan)


def as_categories(series: "pd.Series[Any]") -> "pd.Series[Any]":
    """Categories as text, None where missing."""
    codes, texts, _ = read_texts(series)
    values = np.empty(len(texts), dtype=object)
    values[:] = texts
    return pd.Series(values[codes], index=series.index, name=series.name, dtype=object)


def is_blank(series: "pd.Series[Any]") -> NDArray[np.bool_]:
    """(n,) True where a value is missing as a model reads it: blank text is."""
    if pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_datetime64_any_dtype(series.dtype):
        return series.isna().to_numpy(dtype=bool)
    codes, values = distinct(series)
    return np.array([is_missing(value) for value in values], dtype=bool)[codes]
