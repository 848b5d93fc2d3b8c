"""Columns as they are stored, read by the schema and added to their totals; what the service warned of is marked."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noria.monitoring.window_totals.category_totals import CategoryTotals
from noria.monitoring.window_totals.number_totals import NumberTotals
from noria.schema import Column
from noria.schema.row_check import check_column
from noria.tabular.values import LARGEST

Flags = NDArray[np.bool_]
_REMEMBERED = 50_000


class ColumnFold:
    """Adds one column to its totals.

    Args:
        column: how its values are read.
        calendar: parts of dates that are features.
        totals: what the values are added to; None: they are only checked, as dates are.
    """

    def __init__(self, column: Column, calendar: Sequence[str], totals: NumberTotals | CategoryTotals | None) -> None:
        self.column, self.totals = column, totals
        self._calendar = calendar
        self._read: dict[Any, tuple[Any, bool]] = {}

    def add(self, values: Any) -> tuple[Flags, "NDArray[np.intp] | None", list[Any]]:
        """Add n values: a pyarrow array, or a list of any values.

        Returns:
            (n,) whether the service warned of the value, codes (n,) of the values, and what each code stands for; no
            codes for numbers.
        """
        import pyarrow as pa

        if self.column.kind == "number" and not isinstance(values, list) and pa.types.is_floating(values.type):
            return self._add_numbers(values), None, []
        codes, distinct = _coded(values)
        read = self._checked(distinct)
        typed, warned = [each[0] for each in read], np.array([each[1] for each in read], dtype=bool)
        if isinstance(self.totals, NumberTotals):
            self.totals.add(np.array(typed, dtype=np.float64)[codes])
        elif isinstance(self.totals, CategoryTotals):
            counts: dict[str | None, int] = {}
            for text, count in zip(typed, np.bincount(codes, minlength=len(typed)).tolist(), strict=True):
                counts[text] = counts.get(text, 0) + count
            self.totals.add(counts)
        return warned[codes], codes, typed

    def _add_numbers(self, values: Any) -> Flags:
        """Numbers that came as numbers: what `check_column` does, without a note for each row."""
        numbers = values.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
        beyond = np.abs(numbers) > LARGEST
        typed = np.where(beyond, np.nan, numbers)
        if isinstance(self.totals, NumberTotals):
            self.totals.add(*_counted(values))
        low, high = self.column.ends
        warned: Flags = beyond | (typed < low) | (typed > high)
        return warned | np.isnan(typed) if self.column.missing == 0 else warned

    def _checked(self, values: list[Any]) -> list[tuple[Any, bool]]:
        """Each value as the model has it, and whether the service warned of it; what was read before is remembered."""
        keys = [_key(value) for value in values]
        if len(self._read) > _REMEMBERED:
            self._read.clear()
        new = {key: value for key, value in zip(keys, values, strict=True) if key not in self._read}
        if new:
            errors, warnings = [""] * len(new), [""] * len(new)
            typed = check_column(self.column, list(new.values()), self._calendar, errors, warnings)[0]
            never = self.column.missing == 0
            for key, value, *notes in zip(new, typed, errors, warnings, strict=True):
                is_missing = value is None or value != value  # noqa: PLR0124 - NaN and NaT differ from themselves
                self._read[key] = value, bool(any(notes) or (is_missing and never))
        return [self._read[key] for key in keys]


def _key(value: Any) -> tuple[type, Any]:
    """`True`, 1 and 1.0 are different; what cannot be a key stands by its text."""
    return type(value), value if isinstance(value, (str, int, float, type(None))) else repr(value)


def _counted(values: Any) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The distinct numbers, NaN for those that are none or too large, and how often they come."""
    found = values.value_counts()
    numbers = found.field("values").to_numpy(zero_copy_only=False).astype(np.float64)
    numbers[np.abs(numbers) > LARGEST] = np.nan
    return numbers, found.field("counts").to_numpy().astype(np.int64)


def _coded(values: Any) -> tuple[NDArray[np.intp], list[Any]]:
    """Codes (n,) and what each stands for; values of different types stay apart."""
    if isinstance(values, list):
        places: dict[Any, int] = {}
        distinct: list[Any] = []
        codes = np.empty(len(values), dtype=np.intp)
        for row, value in enumerate(values):
            place = places.setdefault(_key(value), len(distinct))
            if place == len(distinct):
                distinct.append(value)
            codes[row] = place
        return codes, distinct
    encoded = values.dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    found = encoded.indices.fill_null(len(distinct)).to_numpy(zero_copy_only=False).astype(np.intp)
    return found, [*distinct, None]
