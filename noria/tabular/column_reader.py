"""Reading the values of one column by its rule: the same value means the same from every file, query and request."""

from __future__ import annotations

import contextlib
import re
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from noria.config.column_reading import EPOCH_MS, EPOCH_S, ISO, ColumnReading
from noria.tabular.marks import MISSING_MARKS
from noria.tabular.values import BOOLEANS, distinct, is_missing, number_of, read_each, shown, text_of

if TYPE_CHECKING:
    import pandas as pd

Raw: TypeAlias = "pd.Series[Any] | list[Any]"
Moments = NDArray[np.datetime64]
_OFFSET_FORM = r"\s?(Z|[+-]\d{2}(:?\d{2})?)"
_DAY, _TIME = r"\d{4}-\d{2}-\d{2}", r"[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?"
LOCAL_DATE = rf"{_DAY}({_TIME})?"
"""ISO 8601 without an offset from UTC: a date, with or without a time of day."""
ISO_DATE = rf"{_DAY}({_TIME}({_OFFSET_FORM})?)?"
"""ISO 8601: a date, with or without a time of day and an offset from UTC."""
_ISO = re.compile(ISO_DATE)
ENDS_WITH_OFFSET = rf":\d{{2}}(\.\d+)?{_OFFSET_FORM}"
"""How an ISO 8601 time with an offset from UTC ends."""
_OFFSET = re.compile(f"{ENDS_WITH_OFFSET}$")
_FRACTION = re.compile(r"(\.\d{6})\d+")
WHOLE_NAME = r"-?(0|[1-9]\d*)(\.0+)?"
"""A whole number without leading zeros, also as a float writes it: `7` and `7.0`."""
_WHOLE = re.compile(WHOLE_NAME)
_EPOCHS = {EPOCH_S: 1_000_000, EPOCH_MS: 1_000}
# as escapes, so that no editor makes plain blanks of them
_SPELLINGS = {" ": "[ \u00a0\u2009\u202f]", "'": "['\u2019]"}
_FAR = np.datetime64("9999-12-31T23:59:59", "us")
_EARLIEST = np.datetime64("0001-01-01", "us")


def group_pattern(thousands: str) -> str:
    """The regular expression of a mark between groups of digits: a blank of any width, a straight or curly mark."""
    return _SPELLINGS.get(thousands, re.escape(thousands))


def number_pattern(decimal: str, thousands: str | None) -> str:
    """The regular expression of a number that is written with these marks; the groups of thousands are whole."""
    point = re.escape(decimal)
    plain = rf"(\d+({point}\d*)?|{point}\d+)([eE][+-]?\d+)?"
    if thousands is None:
        return rf"[+-]?({plain}|inf|infinity)"
    mark = group_pattern(thousands)
    return rf"[+-]?({plain}|[1-9]\d{{0,2}}({mark}\d{{3}})+({point}\d*)?|inf|infinity)"


class ColumnReader:
    """Reads single values, lists and series of one column.

    >>> ColumnReader(ColumnReading(type="number", decimal=",", thousands=".")).number("1.234,50")
    1234.5

    Args:
        reading: the column's rule; what it leaves open is read as such values are read anywhere.
        decimal: the decimal mark of the file, for a column whose rule has none.
    """

    def __init__(self, reading: ColumnReading, decimal: str = ".") -> None:
        self.reading = reading
        self.decimal: str = reading.decimal or decimal
        """The decimal mark of numbers in text."""
        given = reading.missing
        if reading.type == "text":
            self.marks = MISSING_MARKS if given is None else frozenset(given)
        else:
            self.marks = MISSING_MARKS | frozenset(given or ())
        self._number = re.compile(number_pattern(self.decimal, reading.thousands), re.IGNORECASE)

    def is_missing(self, value: Any) -> bool:
        """Whether a value stands for a missing one."""
        return is_missing(value) or (isinstance(value, str) and value.strip() in self.marks)

    def number(self, value: Any) -> float:
        """A number; infinity is left to the caller.

        Raises:
            ValueError: the value is no number by this rule.
        """
        if not isinstance(value, str):
            if isinstance(value, bool | np.bool_) and self.reading.type != "boolean":
                raise ValueError(f"{shown(value)} is not a number")
            return number_of(value)
        if self.reading.type == "boolean" and (truth := BOOLEANS.get(value.strip().lower())) is not None:
            return float(truth)
        text = self.without_symbol(value.strip())
        if not self._number.fullmatch(text):
            raise ValueError(self._no_number(value))
        return number_of(self.plain(text))

    def without_symbol(self, text: str) -> str:
        """A number as text, without the column's currency or percent sign."""
        symbol = self.reading.symbol
        if not symbol or symbol not in text:
            return text
        sign, rest = (text[0], text[1:].lstrip()) if text[:1] in {"+", "-"} else ("", text)
        rest = rest.removeprefix(symbol) if rest.startswith(symbol) else rest.removesuffix(symbol)
        return sign + rest.strip()

    def plain(self, text: str) -> str:
        """A number as text, with a decimal point and without groups."""
        if self.reading.thousands:
            text = re.sub(group_pattern(self.reading.thousands), "", text)
        return text.replace(self.decimal, ".") if self.decimal != "." else text

    def text(self, value: Any) -> str:
        """A category as text, without blanks around it.

        Raises:
            ValueError: a list, a mapping or another compound value.
        """
        if not isinstance(value, str):
            return text_of(value)
        text = value.strip()
        kind = self.reading.type
        if (kind == "integer" or self.reading.whole_numbers) and _WHOLE.fullmatch(text):
            return text.partition(".")[0]
        if kind == "number":
            with contextlib.suppress(ValueError):
                return text_of(self.number(text))
        if kind == "boolean" and text.lower() in {"true", "false"}:
            return text.capitalize()
        return text

    def moment(self, value: Any) -> np.datetime64:
        """A date in microseconds; times with an offset as UTC.

        Raises:
            ValueError: the value is no date by this rule.
        """
        if isinstance(value, np.generic) and not isinstance(value, np.datetime64):
            value = value.item()
        if isinstance(value, str):
            return self._from_text(value)
        if isinstance(value, datetime):
            return self._from_datetime(value, value)
        if isinstance(value, date | np.datetime64):
            moment = np.array([value], dtype="datetime64[us]")[0]
            return self._checked(moment, value, has_offset=False)
        return self._from_number(value, value)

    def read_numbers(self, raw: Raw) -> tuple[NDArray[np.float64], dict[int, str]]:
        """(n,) float64, NaN for what is missing or unreadable; and row → what is wrong with it."""
        if not isinstance(raw, list):
            import pandas as pd

            kind = raw.dtype
            is_boolean = pd.api.types.is_bool_dtype(kind)
            if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind) and not is_boolean:
                return raw.to_numpy(dtype=np.float64, na_value=np.nan), {}
        codes, values = distinct(raw)
        read, faults = self._each(self.number, values)
        return np.array(read, dtype=np.float64)[codes], per_row(codes, faults)

    def read_texts(self, raw: Raw) -> tuple[NDArray[np.intp], list[str | None], dict[int, str]]:
        """Codes (n,), the text of each code (None: missing or unreadable), and code → what is wrong with it."""
        codes, values = distinct(raw)
        return codes, *self._each(self.text, values)

    def read_moments(self, raw: Raw) -> tuple[Moments, dict[int, str]]:
        """(n,) datetime64 in microseconds, NaT for what is missing or unreadable; and row → what is wrong with it."""
        if not isinstance(raw, list):
            import pandas as pd

            if pd.api.types.is_datetime64_any_dtype(raw.dtype):
                return self._typed_moments(raw)
        codes, values = distinct(raw)
        read, faults = self._each(self.moment, values)
        moments = np.array([np.datetime64("NaT", "us") if one is None else one for one in read], dtype="datetime64[us]")
        return moments[codes], per_row(codes, faults)

    def _each(self, read: Any, values: list[Any]) -> tuple[list[Any], dict[int, str]]:
        marks = self.marks
        given = [None if isinstance(value, str) and value.strip() in marks else value for value in values]
        return read_each(read, given)

    def _typed_moments(self, series: pd.Series[Any]) -> tuple[Moments, dict[int, str]]:
        import pandas as pd

        has_offset = isinstance(series.dtype, pd.DatetimeTZDtype)
        present = series.notna().to_numpy()
        plain = series.dt.tz_convert("UTC").dt.tz_localize(None) if has_offset else series
        moments = plain.to_numpy(dtype="datetime64[us]").copy()
        wrong = self._offset_fault(has_offset)
        bad = present & ((moments < _EARLIEST) | (moments > _FAR) | bool(wrong))
        moments[bad] = np.datetime64("NaT")
        return moments, {
            int(row): f"{series.iloc[row]} {wrong or 'is not a date of the years 1 to 9999'}"
            for row in np.flatnonzero(bad)
        }

    def _from_text(self, value: str) -> np.datetime64:
        text, form = value.strip(), self.reading.format
        if _ISO.fullmatch(text):
            return self._iso(text, value)
        is_number = form in {None, ISO, *_EPOCHS}
        return self._from_number(text, value) if is_number else self._parsed(text, value)

    def _iso(self, text: str, value: Any) -> np.datetime64:
        has_offset = bool(_OFFSET.search(text))
        try:
            if not has_offset:
                return self._checked(np.datetime64(_FRACTION.sub(r"\1", text), "us"), value, has_offset=False)
            return self._from_datetime(datetime.fromisoformat(_python_iso(text)), value)
        except ValueError as error:
            raise error if str(error).startswith(shown(value)) else self._no_date(value) from error

    def _from_datetime(self, moment: datetime, value: Any) -> np.datetime64:
        offset = moment.utcoffset()
        plain = moment.replace(tzinfo=None) - offset if offset is not None else moment
        return self._checked(np.datetime64(plain, "us"), value, has_offset=offset is not None)

    def _from_number(self, number: Any, value: Any) -> np.datetime64:
        """A date that is written as a whole number; a number without such a rule names no moment."""
        form = self.reading.format
        is_float = isinstance(number, float)
        whole = number.is_integer() if is_float else isinstance(number, int) and not isinstance(number, bool)
        if isinstance(number, str) and re.fullmatch(r"[+-]?\d+(\.0+)?", number):
            number, whole = float(number), True
        if not whole or form is None or form == ISO:
            raise self._no_date(value)
        if form in _EPOCHS:
            with contextlib.suppress(OverflowError, ValueError):
                return self._checked(np.datetime64(int(number) * _EPOCHS[form], "us"), value, has_offset=None)
            raise self._no_date(value)
        return self._parsed(str(int(number)), value)

    def _parsed(self, text: str, value: Any) -> np.datetime64:
        form = str(self.reading.format)
        text = re.sub(r"(?<=\d)\.0+$", "", text) if form.isascii() and "." not in form else text
        try:
            moment = datetime.strptime(text, form)
        except ValueError as error:
            raise self._no_date(value) from error
        return self._from_datetime(moment, value)

    def _checked(self, moment: np.datetime64, value: Any, *, has_offset: bool | None) -> np.datetime64:
        if has_offset is not None and (wrong := self._offset_fault(has_offset)):
            raise ValueError(f"{shown(value)} {wrong}")
        if not _EARLIEST <= moment <= _FAR:
            raise self._no_date(value)
        return moment

    def _offset_fault(self, has_offset: bool) -> str:
        if has_offset and self.reading.timezone == "none":
            return "has an offset from UTC, and the column's times are local ones without it"
        if not has_offset and self.reading.timezone == "offset":
            return "has no offset from UTC, and the column's times have one"
        return ""

    @cached_property
    def _form(self) -> str:
        form = self.reading.format
        return "" if form in {None, ISO} else f" of the form {form}"

    def _no_date(self, value: Any) -> ValueError:
        return ValueError(f"{shown(value)} is not a date{self._form}")

    def _no_number(self, value: Any) -> str:
        reading, marks = self.reading, []
        if self.decimal != ".":
            marks.append(f"decimal mark `{self.decimal}`")
        if reading.thousands:
            marks.append(f"groups of thousands `{reading.thousands}`")
        return f"{shown(value)} is not a number" + (f" ({', '.join(marks)})" if marks else "")


def is_whole_number(text: str) -> bool:
    """Whether a text is a whole number as it is usually written: `7`, neither `007` nor `7.5`."""
    return bool(_WHOLE.fullmatch(text)) and "." not in text


def per_row(codes: NDArray[np.intp], notes: dict[int, str]) -> dict[int, str]:
    """Code → note as row → note."""
    if not notes:
        return {}
    rows = np.flatnonzero(np.isin(codes, list(notes)))
    return {int(row): notes[int(codes[row])] for row in rows}


def _python_iso(text: str) -> str:
    """Python reads at most six digits of a fraction, and no blank before the offset."""
    return _FRACTION.sub(r"\1", re.sub(r"(?<=\d)\s(?=Z|[+-])", "", text))
