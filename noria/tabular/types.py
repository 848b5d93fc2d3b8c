"""Reading values as the declared type; unreadable values are distinguished from missing ones."""

from typing import Literal

import numpy as np
import pandas as pd

from noria.tabular.values import BOOLEANS

Type = Literal["number", "integer", "text", "boolean", "datetime"]


def convert(values: pd.Series, kind: Type) -> tuple[pd.Series, pd.Series]:
    """Read a column as `kind`.

    Args:
        values: n values of any dtype.
        kind: the declared type.

    Returns:
        The n converted values, and a mask (n,) of those that are present but cannot be read as `kind`;
        converted, these are missing.
    """
    converted = {
        "number": _numbers,
        "integer": _integers,
        "text": _text,
        "boolean": _booleans,
        "datetime": _datetimes,
    }[kind](values)
    return converted, converted.isna() & values.notna()


def is_number(values: pd.Series) -> bool:
    """True for integers and floats, not for booleans."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _numbers(values: pd.Series) -> pd.Series:
    if is_number(values):
        return values
    if pd.api.types.is_datetime64_any_dtype(values):
        return pd.Series(np.nan, index=values.index, name=values.name)
    return pd.to_numeric(values, errors="coerce")


def _integers(values: pd.Series) -> pd.Series:
    numbers = _numbers(values)
    if pd.api.types.is_integer_dtype(numbers):
        return numbers
    with np.errstate(invalid="ignore"):
        # an infinite value passes here and gets its own reason
        whole = numbers.where((numbers % 1 == 0) | np.isinf(numbers.astype("float64")))
    complete = whole.notna().all() and np.isfinite(whole.astype("float64")).all()
    return whole.astype("int64") if complete and len(whole) else whole


def _text(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.StringDtype):
        return values
    # as a request is read: 1.0 is "1", whether or not a missing value made the column one of floats
    from noria.tabular.values import distinct, read_each, text_of

    codes, found = distinct(values)
    texts, _ = read_each(text_of, found)
    read = [value if isinstance(value, str) else text for value, text in zip(found, texts, strict=True)]
    return pd.Series(np.array([*read, None], dtype=object)[codes], index=values.index, name=values.name).astype("str")


def _booleans(values: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(values):
        return values
    codes, distinct = pd.factorize(values)
    read = np.array([BOOLEANS.get(str(value).strip().lower()) for value in distinct] + [None], dtype=object)
    found = pd.Series(read[codes], index=values.index, name=values.name)
    return found.astype(bool) if found.notna().all() and len(found) else found


def _datetimes(values: pd.Series) -> pd.Series:
    """ISO 8601 first, else the format of the first value; offsets are turned into UTC.

    A date must have a year of four digits, as every text that carries it to a prediction has.
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        return values.where(values.dt.year.between(1, 9999))
    if is_number(values) or pd.api.types.is_bool_dtype(values):
        return pd.Series(pd.NaT, index=values.index, name=values.name)
    parsed = _parse(values, "ISO8601")
    if parsed.isna().sum() > values.isna().sum():
        other = _parse(values, None)
        parsed = other if other.notna().sum() > parsed.notna().sum() else parsed
    return parsed


def _parse(values: pd.Series, form: str | None) -> pd.Series:
    import warnings

    # 05.03.2024 is the fifth of March wherever dates are written with dots
    first = values.dropna().iloc[:1].astype("str")
    day_first = form is None and bool(first.str.match(r"\s*\d{1,2}\.\d{1,2}\.").any())
    with warnings.catch_warnings():
        # pandas warns that it guesses the format
        warnings.simplefilter("ignore", UserWarning)
        try:
            return pd.to_datetime(values, format=form, errors="coerce", dayfirst=day_first)
        except (ValueError, TypeError):
            return pd.to_datetime(values, format=form, errors="coerce", dayfirst=day_first, utc=True)
