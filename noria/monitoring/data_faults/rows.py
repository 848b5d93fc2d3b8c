"""Rows in the form in which faults are looked for: one array for each column, in the order of their time."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.schema import InputSchema
from noria.schema.row_check import check_column
from noria.tabular.values import raw_columns

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """n rows as typed columns."""

    numbers: Mapping[str, Floats]
    """Column → (n,) values, NaN where missing."""
    categories: Mapping[str, NDArray[Any]]
    """Column → (n,) text, None where missing."""
    dates: Mapping[str, NDArray[np.datetime64]] = field(default_factory=dict)
    """Column → (n,) times, NaT where missing."""
    unreadable: Mapping[str, Flags] = field(default_factory=dict)
    """Column → (n,) whether the value could not be read; such a value counts as missing, too."""
    unseen: Mapping[str, Flags] = field(default_factory=dict)
    """Column → (n,) whether the service warned of the value: an unseen category, or a number out of range."""
    at: NDArray[np.datetime64] = field(default_factory=lambda: np.empty(0, dtype="datetime64[us]"))
    """(n,) the time of each row (UTC); empty for reference rows, whose time is not kept."""
    keys: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    """(n,) a hash of each row's values as they came; empty for reference rows."""

    def __len__(self) -> int:
        return len(next(iter((*self.numbers.values(), *self.categories.values(), *self.dates.values())), self.at))

    def part(self, start: int, stop: int | None = None) -> "Rows":
        """The rows from `start` up to `stop`; their values are not copied."""
        return self._chosen(slice(start, stop))

    def part_of(self, chosen: Flags) -> "Rows":
        """The rows for which `chosen` (n,) is true."""
        return self._chosen(chosen)

    def _chosen(self, which: Any) -> "Rows":
        def of(columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
            return {name: values[which] for name, values in columns.items()}

        return Rows(
            of(self.numbers),
            of(self.categories),
            of(self.dates),
            of(self.unreadable),
            of(self.unseen),
            self.at[which] if len(self.at) else self.at,
            self.keys[which] if len(self.keys) else self.keys,
        )

    def time_of(self, place: int) -> datetime | None:
        """The time of a row (UTC); None where times are not kept."""
        if not len(self.at):
            return None
        return pd.Timestamp(self.at[place]).to_pydatetime().replace(tzinfo=UTC)

    @cached_property
    def sorted_numbers(self) -> dict[str, Floats]:
        """Column → its known values in ascending order."""
        return {name: np.sort(values[~np.isnan(values)]) for name, values in self.numbers.items()}

    @cached_property
    def category_counts(self) -> dict[str, "pd.Series[int]"]:
        """Column → category → number of rows; missing values are left out."""
        return {name: pd.Series(values, dtype=object).value_counts() for name, values in self.categories.items()}

    def missing(self, name: str) -> Flags:
        """(n,) whether the column has no value."""
        if name in self.numbers:
            return np.isnan(self.numbers[name])
        return np.asarray(pd.isna(self.categories[name] if name in self.categories else self.dates[name]))

    @property
    def columns(self) -> list[str]:
        """All columns."""
        return [*self.numbers, *self.categories, *self.dates]


def read_rows(
    schema: InputSchema, inputs: pd.DataFrame, at: "pd.Series[Any] | None" = None, *, dated: Collection[str] = ()
) -> Rows:
    """Read n rows by the schema, as the service did when it was asked.

    Args:
        schema: what the model takes in; columns that it does not know are left out.
        inputs: (n, p) values as they were stored; a column that is absent counts as missing.
        at: (n,) their times, ascending.
        dated: columns that differ in a copy of a row that came again, such as its time.
    """
    found: dict[str, dict[str, Any]] = {kind: {} for kind in ("number", "category", "datetime")}
    unreadable, unseen = {}, {}
    table = inputs.reindex(columns=schema.names)
    raw = raw_columns(table)
    for column in schema.columns:
        errors, warnings = [""] * len(table), [""] * len(table)
        typed, _ = check_column(column, raw[column.name], schema.calendar, errors, warnings)
        found[column.kind][column.name] = typed
        unreadable[column.name] = np.fromiter(map(bool, errors), dtype=bool, count=len(table))
        unseen[column.name] = np.fromiter(map(bool, warnings), dtype=bool, count=len(table))
    times, keys = np.empty(0, dtype="datetime64[us]"), np.empty(0, dtype=np.uint64)
    if at is not None:
        times = at.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
        moving = {*dated, *(column.name for column in schema.columns if column.kind == "datetime")}
        keys = _keys(inputs.drop(columns=[name for name in inputs.columns if name in moving]))
    return Rows(found["number"], found["category"], found["datetime"], unreadable, unseen, times, keys)


def _keys(table: pd.DataFrame) -> NDArray[np.uint64]:
    texts = table.map(str, na_action="ignore").astype(object)
    return np.asarray(pd.util.hash_pandas_object(texts, index=False), dtype=np.uint64)
