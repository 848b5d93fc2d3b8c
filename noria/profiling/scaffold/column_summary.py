"""What each column of a table is: its kind, how full it is, and what its name and values make of it."""

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from noria.profiling.scaffold import name_hints
from noria.tabular.types import convert, is_number

Kind = Literal["number", "integer", "boolean", "text", "datetime", "other"]
# a date of at least a day, a month and a year; plain numbers are no dates
_DATE_LIKE = re.compile(r"^\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?\s*$")
_LOOK_AT = 5_000
_PROSE_WORDS = 4.0


@dataclass(frozen=True)
class ColumnSummary:
    """One column as the table shows it."""

    name: str
    kind: Kind
    rows: int
    distinct: int
    """Different values, missing ones not counted."""
    missing: float
    """Share of missing values (0 to 1)."""
    prose: bool = False
    """Text of several words that hardly ever repeats."""

    @property
    def unique(self) -> bool:
        """No value is missing or comes twice."""
        return self.rows > 1 and self.distinct == self.rows

    @property
    def constant(self) -> bool:
        """The same in every row, so there is nothing to learn from; one value among missing ones may tell something."""
        return self.distinct == 0 or (self.distinct == 1 and self.missing == 0)

    @property
    def filled(self) -> int:
        """Rows with a value."""
        return round(self.rows * (1 - self.missing))


def summarize_columns(frame: pd.DataFrame) -> dict[str, ColumnSummary]:
    """Facts of every column, in the table's order."""
    return {str(name): _facts(frame[name]) for name in frame.columns}


def typed(frame: pd.DataFrame, facts: dict[str, ColumnSummary]) -> pd.DataFrame:
    """The table with its date columns read as dates."""
    dates = {name: convert(frame[name], "datetime")[0] for name, fact in facts.items() if fact.kind == "datetime"}
    return frame.assign(**dates)


def _facts(values: pd.Series) -> ColumnSummary:
    kind = _kind(values)
    distinct = 0 if kind == "other" and values.isna().all() else _distinct(values)
    prose = kind == "text" and _is_prose(values, distinct)
    return ColumnSummary(str(values.name), kind, len(values), distinct, float(values.isna().mean()), prose)


def _distinct(values: pd.Series) -> int:
    try:
        return int(values.nunique())
    except TypeError:  # lists and mappings cannot be hashed
        return int(values.dropna().astype(str).nunique())


def _kind(values: pd.Series) -> Kind:
    if values.isna().all():
        return "other"
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _kind(values.astype(values.cat.categories.dtype))
    if pd.api.types.is_bool_dtype(values):
        return "boolean"
    if is_number(values):
        return "integer" if pd.api.types.is_integer_dtype(values) else "number"
    if pd.api.types.is_datetime64_any_dtype(values):
        return "datetime"
    return _kind_of_objects(values)


def _kind_of_objects(values: pd.Series) -> Kind:
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    if inferred in {"string", "empty"}:
        return "datetime" if _all_dates(values) else "text"
    known: dict[str, Kind] = {
        "boolean": "boolean",
        "decimal": "number",
        "integer": "integer",
        "floating": "number",
        "mixed-integer-float": "number",
        "date": "datetime",
        "datetime": "datetime",
        "datetime64": "datetime",
    }
    return known.get(inferred, "other")


def _all_dates(values: pd.Series) -> bool:
    """True if every value reads as a date; one that does not would be quarantined later."""
    present = values.dropna()
    some = present.iloc[np.linspace(0, len(present) - 1, min(len(present), _LOOK_AT)).astype(int)]
    if not some.astype(str).str.match(_DATE_LIKE).all():
        return False
    return not convert(present, "datetime")[1].any()


def _is_prose(values: pd.Series, distinct: int) -> bool:
    present = values.dropna()
    if len(present) < 20 or distinct < 0.5 * len(present):
        return False
    return float(present.iloc[:_LOOK_AT].astype(str).str.count(r"\S+").mean()) >= _PROSE_WORDS


def is_identifier(fact: ColumnSummary) -> bool:
    """Unique, and either named like an identifier or text that is no prose."""
    if not fact.unique or fact.kind not in {"integer", "text"}:
        return False
    return name_hints.is_id(fact.name) or (fact.kind == "text" and not fact.prose)


def is_repeated_identifier(fact: ColumnSummary) -> bool:
    """Named like an identifier, but several rows share one: a group of rows, such as the visits of a patient."""
    if fact.unique or fact.constant or fact.kind not in {"integer", "text"}:
        return False
    return name_hints.is_id(fact.name) and fact.missing == 0 and 20 <= fact.distinct <= 0.9 * fact.rows
