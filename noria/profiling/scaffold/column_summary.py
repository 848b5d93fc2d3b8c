"""What each column of a table is: its type, how full it is, and what its name and values suggest."""

from dataclasses import dataclass

import pandas as pd

from noria.config.column_reading import ColumnReading
from noria.config.modelling import FeaturesConfig
from noria.schema.column_types import (
    ColumnType,
    classify_values,
    kind_of_reading,
    read_values,
)
from noria.tabular.types import Type

MAX_CATEGORIES = FeaturesConfig().max_categories
_PROSE_ROWS = 5_000
_PROSE_WORDS = 4.0


@dataclass(frozen=True)
class ColumnSummary:
    """One column as the table shows it."""

    name: str
    type: Type | None
    """What can be declared for it; None if its values are of no type that can."""
    training: ColumnType
    """How training will read it, and whether a model can learn from it."""
    rows: int
    distinct: int
    """Different values, missing ones not counted."""
    missing: float
    """Share of missing values (0 to 1)."""
    prose: bool = False
    """Text of several words that hardly ever repeats."""

    @property
    def is_unique(self) -> bool:
        """No value is missing or occurs twice."""
        return self.rows > 1 and self.distinct == self.rows


def summarize_columns(frame: pd.DataFrame, readings: dict[str, ColumnReading]) -> dict[str, ColumnSummary]:
    """The summary of every column of a typed table, in the table's order."""
    return {str(name): _summarize(frame[name], readings[str(name)]) for name in frame.columns}


def _summarize(values: pd.Series, reading: ColumnReading) -> ColumnSummary:
    declared: Type | None = "datetime" if reading.type == "date" else reading.type
    training = classify_values(read_values(values, kind_of_reading(reading), reading), MAX_CATEGORIES)
    distinct = _distinct(values)
    prose = declared == "text" and _is_prose(values, distinct)
    return ColumnSummary(
        str(values.name), declared, training, len(values), distinct, float(values.isna().mean()), prose
    )


def _distinct(values: pd.Series) -> int:
    try:
        return int(values.nunique())
    except TypeError:  # lists and mappings cannot be hashed
        return int(values.dropna().astype(str).nunique())


def _is_prose(values: pd.Series, distinct: int) -> bool:
    present = values.dropna()
    if len(present) < 20 or distinct < 0.5 * len(present):
        return False
    return float(present.iloc[:_PROSE_ROWS].astype(str).str.count(r"\S+").mean()) >= _PROSE_WORDS
