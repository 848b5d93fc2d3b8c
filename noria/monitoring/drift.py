"""Drift: how far the inputs and the answers have moved from the reference.

Numbers are compared by the Wasserstein distance, categories by the Jensen-Shannon distance, both as Evidently has them
and with its usual limit of 0.1, raised where chance alone reaches further in a sample of this size
(`noria.monitoring.null_distribution`). All rows count: distances come from totals (`noria.monitoring.window_totals`).
Evidently's page is drawn of the rows at hand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from noria.monitoring.column_drift import category_drift, number_drift
from noria.monitoring.drift_summary import MISSING
from noria.monitoring.results import ColumnDrift, DriftResult
from noria.monitoring.window_totals import CategoryTotals, NumberTotals
from noria.monitoring.window_totals.number_totals import REACH
from noria.tabular.with_columns import with_columns

if TYPE_CHECKING:
    from noria.monitoring.evidently_reports import Snapshot

Totals = NumberTotals | CategoryTotals


@dataclass(frozen=True)
class ComparedColumns:
    """How the columns of the compared tables are read."""

    numbers: Sequence[str]
    """Columns compared as numbers."""
    categories: Sequence[str]
    """Columns compared as categories; a missing value is a category of its own."""
    prediction: str | None = None
    """The model's answer, one of the columns above."""

    @property
    def inputs(self) -> list[str]:
        """All columns but the answer."""
        return [name for name in (*self.numbers, *self.categories) if name != self.prediction]


def measure_drift(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    columns: ComparedColumns,
    *,
    stretch: float = 1.0,
    totals: Mapping[str, Totals] | None = None,
) -> DriftResult:
    """Compare two tables column by column.

    Args:
        reference: (m, p) training rows.
        current: (n, p) rows of now, n > 0.
        columns: which of the p columns to compare, and how.
        stretch: by how much the limits that chance sets are widened, see `noria.monitoring.look_level`.
        totals: column → the totals of all rows of now, where `current` is a sample of them.
    """
    before = _plain(reference, columns)
    counted = _totals(before, _plain(current, columns), columns) if totals is None else totals
    moves = {name: _move(before[name], counted[name], stretch) for name in before.columns}
    inputs = sorted((moves[name] for name in columns.inputs), key=lambda move: -move.distance / move.threshold)
    return DriftResult(
        rows=max((each.rows for each in counted.values()), default=len(current)),
        reference_rows=len(reference),
        inputs=inputs,
        predictions=moves[columns.prediction] if columns.prediction else None,
    )


def drift_page(
    reference: pd.DataFrame, current: pd.DataFrame, columns: ComparedColumns, *, at: datetime, drift_share: float
) -> "Snapshot | None":
    """Evidently's snapshot of the columns with values on both sides; None if there are none.

    Args:
        reference: (m, p) training rows.
        current: (n, p) rows of now.
        columns: which of the p columns to compare, and how.
        at: the time of the snapshot.
        drift_share: the share of moved columns from which the page speaks of drift.
    """
    from noria.monitoring.evidently_reports import drift_snapshot

    before, after = _plain(reference, columns), _plain(current, columns)
    comparable = {name for name in before.columns if before[name].notna().any() and after[name].notna().any()}
    if not comparable:
        return None
    return drift_snapshot(
        before,
        with_columns(after, {name: _within_reach(after[name], before[name]) for name in columns.numbers}),
        numbers=[name for name in columns.numbers if name in comparable],
        categories=[name for name in columns.categories if name in comparable],
        inputs=[name for name in columns.inputs if name in comparable],
        at=at,
        drift_share=drift_share,
    )


def _move(reference: Any, current: Totals, stretch: float) -> ColumnDrift:
    if isinstance(current, NumberTotals):
        return number_drift(reference, current, stretch)
    return category_drift(reference, current, stretch)


def _totals(before: pd.DataFrame, after: pd.DataFrame, columns: ComparedColumns) -> dict[str, Totals]:
    found: dict[str, Totals] = {}
    for name in columns.numbers:
        numbers = found[name] = NumberTotals(before[name].to_numpy(dtype=np.float64))
        numbers.add(after[name].to_numpy(dtype=np.float64))
    for name in columns.categories:
        texts = found[name] = CategoryTotals(before[name].unique())
        texts.add({str(text): int(rows) for text, rows in after[name].value_counts().items()})
    return found


def _plain(frame: pd.DataFrame, columns: ComparedColumns) -> pd.DataFrame:
    """Numbers as float64 without infinities, categories as text with missing values spelled out."""
    table: dict[str, Any] = {}
    for name in columns.numbers:
        values = pd.to_numeric(frame[name], errors="coerce").astype("float64")
        table[name] = values.where(np.isfinite(values))
    for name in columns.categories:
        text = frame[name].map(str, na_action="ignore").astype(object)
        table[name] = text.where(frame[name].notna(), MISSING)
    return pd.DataFrame(table)


def _within_reach(current: "pd.Series[float]", reference: "pd.Series[float]") -> "pd.Series[float]":
    # one absurd value must neither outweigh a thousand others nor overflow a histogram
    low, high = float(reference.min()), float(reference.max())
    return current.clip(low - REACH * (high - low), high + REACH * (high - low))
