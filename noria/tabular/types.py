"""Turning a column into the type that its rule says; unreadable values are distinguished from missing ones."""

from typing import Any, Literal

import numpy as np
import pandas as pd

from noria.config.column_reading import ISO, ColumnReading, ReadingType
from noria.tabular.column_reader import LOCAL_DATE, ColumnReader, group_pattern, number_pattern
from noria.tabular.values import BOOLEANS

Type = Literal["number", "integer", "text", "boolean", "datetime"]
"""A type that an expectation can declare."""
_INT64_DIGITS = 18


def convert(
    values: "pd.Series[Any]", reading: ColumnReading, *, decimal: str = "."
) -> "tuple[pd.Series[Any], pd.Series[bool]]":
    """Read a column by its rule.

    Args:
        values: n values of any dtype.
        reading: the rule; without a type the values stay as they are.
        decimal: the decimal mark of the column's file, for a rule without one.

    Returns:
        The n typed values (int64 or float64, text, bool, datetime64: naive, or UTC where the rule says that the times
        have an offset), and a mask (n,) of those that are present but cannot be read; typed, these are missing.
    """
    reader = ColumnReader(reading, decimal)
    kinds = {"number": _numbers, "integer": _integers, "text": _texts, "boolean": _booleans, "date": _dates}
    if reading.type is None:
        return values, pd.Series(False, index=values.index)
    typed = kinds[reading.type](values, reader)
    unreadable = np.array(typed.isna() & values.notna(), dtype=bool)
    rows = np.flatnonzero(unreadable)
    unreadable[rows] = [not reader.is_missing(value) for value in values.iloc[rows]]
    return typed, pd.Series(unreadable, index=values.index)


def convert_to(values: "pd.Series[Any]", kind: ReadingType | Type) -> "tuple[pd.Series[Any], pd.Series[bool]]":
    """`convert` by the rule that fits the values themselves, as this type."""
    from noria.tabular.inference import learn_reading

    declared = ColumnReading.model_validate({"type": kind})
    return convert(values, learn_reading(values, declared).reading)


def is_number(values: "pd.Series[Any]") -> bool:
    """True for integers and floats, not for booleans."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def without_zone(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Times with a zone as UTC, without it; other values as they are."""
    return values.dt.tz_convert("UTC").dt.tz_localize(None) if isinstance(values.dtype, pd.DatetimeTZDtype) else values


def _numbers(values: "pd.Series[Any]", reader: ColumnReader) -> "pd.Series[Any]":
    if is_number(values):
        return values
    if pd.api.types.is_datetime64_any_dtype(values):
        return pd.Series(np.nan, index=values.index, name=values.name)
    fast = _plain_numbers(values, reader)
    if fast is not None:
        return fast
    numbers, _ = reader.read_numbers(values)
    return pd.Series(numbers, index=values.index, name=values.name)


def _plain_numbers(values: "pd.Series[Any]", reader: ColumnReader) -> "pd.Series[Any] | None":
    """Text of which every value is a number, many at once; None where a value needs a closer look."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not isinstance(values.dtype, pd.StringDtype) or reader.reading.symbol:
        return None
    texts = pc.utf8_trim_whitespace(pa.array(values, type=pa.large_string(), from_pandas=True))
    marks = pa.array(sorted(reader.marks), type=pa.large_string())
    texts = pc.if_else(pc.is_in(texts, value_set=marks), pa.scalar(None, pa.large_string()), texts)
    decimal, thousands = reader.decimal, reader.reading.thousands
    fits = pc.match_substring_regex(texts, f"^(?:{number_pattern(decimal, thousands)})$", ignore_case=True)
    if not pc.all(fits, min_count=0).as_py():
        return None
    if thousands:
        texts = pc.replace_substring_regex(texts, group_pattern(thousands), "")
    if decimal != ".":
        texts = pc.replace_substring(texts, decimal, ".")
    texts = pc.utf8_ltrim(texts, "+")
    lengths = pc.max(pc.utf8_length(texts)).as_py() or 0
    is_whole = texts.null_count == 0 and lengths <= _INT64_DIGITS and len(texts) > 0
    if is_whole and pc.all(pc.match_substring_regex(texts, r"^-?\d+$")).as_py():
        return pd.Series(texts.cast(pa.int64()).to_numpy(), index=values.index, name=values.name)
    numbers = texts.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return pd.Series(numbers, index=values.index, name=values.name)


def _integers(values: "pd.Series[Any]", reader: ColumnReader) -> "pd.Series[Any]":
    numbers = _numbers(values, reader)
    if pd.api.types.is_integer_dtype(numbers):
        return numbers
    floats = numbers.astype("float64")
    with np.errstate(invalid="ignore"):
        # an infinite value passes here and gets its own reason
        whole = floats.where((floats % 1 == 0) | np.isinf(floats))
    fits = bool(np.isfinite(whole).all()) and len(whole) > 0 and float(whole.abs().max()) < 2.0**63
    return whole.astype("int64") if fits else whole


def _texts(values: "pd.Series[Any]", reader: ColumnReader) -> "pd.Series[Any]":
    codes, texts, _ = reader.read_texts(values)
    found = np.array([*texts, None], dtype=object)[codes]
    return pd.Series(found, index=values.index, name=values.name).astype("str")


def _booleans(values: "pd.Series[Any]", reader: ColumnReader) -> "pd.Series[Any]":
    if pd.api.types.is_bool_dtype(values):
        return values
    codes, distinct = pd.factorize(values)
    read = np.array([BOOLEANS.get(str(value).strip().lower()) for value in distinct] + [None], dtype=object)
    found = pd.Series(read[codes], index=values.index, name=values.name)
    return found.astype(bool) if found.notna().all() and len(found) else found


def _dates(values: "pd.Series[Any]", reader: ColumnReader) -> "pd.Series[Any]":
    if is_number(values) and reader.reading.format in {None, ISO}:
        return pd.Series(pd.NaT, index=values.index, name=values.name)  # its unit and its start are not known
    fast = _plain_dates(values, reader)
    if fast is not None:
        return fast
    moments, _ = reader.read_moments(values)
    dates = pd.Series(moments, index=values.index, name=values.name)
    return dates.dt.tz_localize("UTC") if reader.reading.timezone == "offset" else dates


def _plain_dates(values: "pd.Series[Any]", reader: ColumnReader) -> "pd.Series[Any] | None":
    """Text of which every value is an ISO 8601 date without an offset, many at once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not isinstance(values.dtype, pd.StringDtype) or reader.reading.timezone == "offset":
        return None
    texts = pa.array(values, type=pa.large_string(), from_pandas=True)
    if not pc.all(pc.match_substring_regex(texts, f"^(?:{LOCAL_DATE})$"), min_count=0).as_py():
        return None
    return pd.to_datetime(values, format="ISO8601", errors="coerce").dt.as_unit("us")
