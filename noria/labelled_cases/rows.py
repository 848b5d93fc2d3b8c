"""Labelled predictions as rows of the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from noria.config.column_reading import ColumnReading
from noria.config.data import DataConfig
from noria.labelled_cases.results import OTHER_SCHEMA, UNREADABLE, UNTIMED
from noria.labelled_cases.settings import CaseSettings
from noria.predictions import inputs_of
from noria.tabular.types import convert, is_number, without_zone

_MOST_CATEGORIES, _FREE_TEXT_SHARE = 50, 0.5


@dataclass(frozen=True)
class TableSoFar:
    """The table that labelled cases are added to."""

    frame: pd.DataFrame
    """(m, p) its rows, typed."""
    readings: Mapping[str, ColumnReading]
    """How its columns are read."""
    data: DataConfig
    """The roles of its columns."""
    settings: CaseSettings
    """Of the use case."""


@dataclass
class CaseRows:
    """n labelled cases as rows of the table."""

    frame: pd.DataFrame
    """(n, p) with the columns of the table, typed as they are there."""
    asked: pd.DataFrame
    """(n, p) whether the value was asked, and not filled in as missing."""
    stored: pd.DataFrame
    """(n, …) the predictions that they come from."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Why → predictions that were left out."""
    absent: dict[str, int] = field(default_factory=dict)
    """Column of the table → rows whose model version did not ask for it."""
    unknown: dict[str, int] = field(default_factory=dict)
    """Column that the table does not have → rows whose model version asked for it."""

    def keep(self, chosen: "pd.Series[bool]", reason: str) -> None:
        """Leave out the other rows, for this reason."""
        if lost := int((~chosen).sum()):
            self.left_out[reason] = self.left_out.get(reason, 0) + lost
        self.frame, self.asked, self.stored = (
            part[chosen.to_numpy()].reset_index(drop=True) for part in (self.frame, self.asked, self.stored)
        )


def rows_of(stored: pd.DataFrame, table: TableSoFar) -> CaseRows:
    """Labelled predictions with the columns of the table.

    What `serving.privacy` keeps from the store is missing. So are columns that no model may see, because predictions do
    not hold them. A row without an identifier goes by that of its prediction. The predictions of a model version that
    asked for columns that the table does not have, and not for others that it has, are left out: their columns may have
    been renamed.

    Args:
        stored: n predictions with the columns of `PredictionStore.window`.
        table: what they are added to.
    """
    inputs = inputs_of(stored).reset_index(drop=True)
    rows = _filled(stored, inputs, table)
    fits = _fit(rows, inputs, table)
    unreadable = pd.Series(False, index=inputs.index)
    for name in rows.frame.columns:
        if name != table.data.time or name in inputs.columns:  # a time that the store keeps is typed already
            rows.frame[name], wrong = convert(rows.frame[name], table.readings.get(name, ColumnReading()))
            unreadable |= wrong
    rows.keep(fits, OTHER_SCHEMA)
    rows.keep(~unreadable[fits], UNREADABLE)
    if table.data.time is not None and table.settings.needs_time:
        rows.keep(rows.frame[table.data.time].notna(), UNTIMED)
    return rows


def _filled(stored: pd.DataFrame, inputs: pd.DataFrame, table: TableSoFar) -> CaseRows:
    """The values as they were asked, column by column of the table."""
    data, hidden = table.data, table.settings.hidden
    columns, asked = {}, {}
    for name in table.frame.columns:
        is_asked = name in inputs.columns and name not in hidden
        if name == data.target:
            columns[name] = stored["label"]
        elif name == data.id:
            columns[name] = stored["prediction_id"] if name in hidden else _named(stored)
        elif is_asked:
            columns[name] = inputs[name]
        elif name == data.time and name not in hidden:
            columns[name] = _times(stored, table.readings.get(name, ColumnReading()))
        else:
            kind = "float64" if is_number(table.frame[name]) else object
            columns[name] = pd.Series(np.nan, index=inputs.index, dtype=kind)
        asked[name] = inputs[name].notna() if is_asked else pd.Series(False, index=inputs.index)
    return CaseRows(pd.DataFrame(columns, index=inputs.index), pd.DataFrame(asked, index=inputs.index), stored)


def _fit(rows: CaseRows, inputs: pd.DataFrame, table: TableSoFar) -> "pd.Series[bool]":
    """(n,) whether the columns of a prediction may be those of the table; notes which are absent and unknown."""
    data, hidden = table.data, table.settings.hidden
    roles = {data.target, data.id, data.time, *table.settings.not_features}
    expected = [name for name in table.frame.columns if name not in roles and _is_usable(table.frame[name])]
    fits = pd.Series(True, index=inputs.index)
    for _, part in inputs.groupby(rows.stored["version"]):
        asked = [name for name in part.columns if name in hidden or part[name].notna().any()]
        unknown = [name for name in asked if name not in {*table.frame.columns, *hidden, *table.settings.computed}]
        absent = [name for name in expected if name not in asked]
        for names, counts in ((unknown, rows.unknown), (absent, rows.absent)):
            for name in names:
                counts[name] = counts.get(name, 0) + len(part)
        fits[part.index] = not (unknown and absent)
    return fits


def _named(stored: pd.DataFrame) -> "pd.Series[Any]":
    return stored["entity"].where(stored["entity"].notna(), stored["prediction_id"])


def _times(stored: pd.DataFrame, reading: ColumnReading) -> "pd.Series[Any]":
    """The times that the store keeps, as the column has them: missing where the clock stood in, or it has no dates."""
    if reading.type != "date":
        return pd.Series(np.nan, index=stored.index, dtype=object)
    own = stored["event_at"].where(stored["event_at"] != stored["at"])
    return own if reading.timezone == "offset" else without_zone(own)


def _is_usable(column: "pd.Series[Any]") -> bool:
    """Whether a model may have asked for it: neither constant nor free text."""
    different = column.nunique()
    if different < 2:
        return False
    few = different <= max(_MOST_CATEGORIES, _FREE_TEXT_SHARE * column.notna().sum())
    return is_number(column) or pd.api.types.is_datetime64_any_dtype(column) or few


def comparable(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Values that are equal where those of the table and of a request are."""
    if pd.api.types.is_bool_dtype(column):
        return column.astype("str")
    if is_number(column):
        return column.astype("float64")
    if pd.api.types.is_datetime64_any_dtype(column):
        return without_zone(column).astype("datetime64[us]").astype("str")
    return column.astype("str").where(column.notna(), "")


def hashes(frame: pd.DataFrame, columns: Sequence[str]) -> "pd.Series[Any]":
    """(n,) a number of 64 bits for each row, equal where the values of these columns are."""
    values = pd.DataFrame({name: comparable(frame[name]) for name in columns}, index=frame.index)
    return pd.util.hash_pandas_object(values, index=False)
