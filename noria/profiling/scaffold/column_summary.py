"""What each column of a table is: its type, how full it is, and what its name and values suggest."""

from dataclasses import dataclass

import pandas as pd

from noria.config.modelling import FeaturesConfig
from noria.profiling.scaffold import name_hints
from noria.schema.column_types import (
    ColumnType,
    classify_values,
    holds_dates_as_text,
    kind_of_type,
    read_values,
    value_type,
)
from noria.tabular.types import Type, convert

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


def summarize_columns(frame: pd.DataFrame) -> dict[str, ColumnSummary]:
    """The summary of every column, in the table's order."""
    return {str(name): _summarize(frame[name]) for name in frame.columns}


def parse_dates(frame: pd.DataFrame, facts: dict[str, ColumnSummary]) -> pd.DataFrame:
    """The table with its date columns read as dates."""
    dates = {name: convert(frame[name], "datetime")[0] for name, fact in facts.items() if fact.type == "datetime"}
    return frame.assign(**dates)


def _summarize(values: pd.Series) -> ColumnSummary:
    declared = "datetime" if holds_dates_as_text(values) else value_type(values)
    training = classify_values(read_values(values, kind_of_type(declared)), MAX_CATEGORIES)
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


def is_identifier(fact: ColumnSummary) -> bool:
    """Unique, and either named like an identifier or text that hardly repeats and is no prose."""
    if not fact.is_unique or fact.type not in {"integer", "text"}:
        return False
    return name_hints.is_id(fact.name) or (fact.training.unusable == "free text" and not fact.prose)


def is_repeated_identifier(fact: ColumnSummary) -> bool:
    """Named like an identifier, but several rows share one: a group of rows, such as the visits of a patient."""
    if fact.is_unique or fact.type not in {"integer", "text"}:
        return False
    return name_hints.is_id(fact.name) and fact.missing == 0 and 20 <= fact.distinct <= 0.9 * fact.rows
