"""A column of texts while its rule is being learned."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from noria.config.column_reading import ColumnReading
from noria.tabular.column_decision import ColumnDecision
from noria.tabular.marks import MISSING_MARKS

_NO_ROWS: pd.Series[Any] = pd.Series(dtype=np.int64, index=pd.Index([], dtype="str"))


@dataclass(frozen=True)
class LearnedReading:
    """The rule of one column and what was decided about it."""

    reading: ColumnReading
    decisions: list[ColumnDecision] = field(default_factory=list)


class TextColumn:
    """A column of texts: its different values, stripped of blanks, with the rows of each."""

    def __init__(self, name: str, series: pd.Series[Any], declared: ColumnReading, decimal: str, *, raw: bool) -> None:
        codes, found = pd.factorize(series)  # -1: missing
        counts = np.bincount(codes[codes >= 0], minlength=len(found))
        self.name, self.declared, self.decimal, self.raw = name, declared, decimal, raw
        self.decisions: list[ColumnDecision] = []
        self.is_thin = False
        """Whether the notation of its numbers rests on thin evidence, which has been reported."""
        if len(found) == 0 or (len(found) == 1 and not found[0]):  # wide tables have thousands of these
            self.blank_rows = self.merged = 0
            self.rows = self.marked = self.values = _NO_ROWS
            return
        texts = pd.Series(np.asarray(found, dtype=object)).astype("str")
        stripped = texts.str.strip()
        self.blank_rows = int(counts[(texts != stripped).to_numpy()].sum())
        rows = pd.Series(counts, index=stripped.to_numpy(dtype=object)).groupby(level=0, sort=False).sum()
        self.merged = len(texts) - len(rows)
        self.rows = rows[rows.index != ""]
        given = frozenset(declared.missing or ())
        self.marked = self.rows[self.rows.index.isin(MISSING_MARKS | given)]
        self.values = self.rows.drop(self.marked.index)

    @property
    def filled_rows(self) -> int:
        """Rows that are not blank."""
        return int(self.rows.sum())

    def decide(self, text: str, weight: float, *, asks: bool = False, line: str = "") -> None:
        """Note a decision about this column."""
        self.decisions.append(ColumnDecision(self.name, text, weight, asks, line))


def filled(declared: ColumnReading, **learned: Any) -> ColumnReading:
    """What was declared, and of the rest what was learned."""
    given = {key: value for key, value in declared.model_dump().items() if value is not None}
    return ColumnReading.model_validate({**learned, **given})


def some_rows(count: float) -> str:
    """`1 row` or `2,000 rows`."""
    return f"{int(count):,} row{'s' if count != 1 else ''}"
