"""Drift: how far the inputs and the answers have moved from the reference, measured by Evidently.

Numbers are compared by the Wasserstein distance, categories by the Jensen-Shannon distance, both with Evidently's
usual limit of 0.1, raised where chance alone reaches further in a sample of this size
(`noria.monitoring.null_distribution`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from noria.monitoring.column_drift import category_drift, drift_threshold, number_drift
from noria.monitoring.drift_summary import MISSING
from noria.monitoring.results import DriftResult
from noria.tabular.with_columns import with_columns

if TYPE_CHECKING:
    from noria.monitoring.evidently_reports import Snapshot

_REACH = 10  # numbers are followed this many ranges beyond those of training


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
    at: datetime,
    drift_share: float = 0.5,
    stretch: float = 1.0,
) -> "tuple[DriftResult, Snapshot | None]":
    """Compare two tables column by column.

    Args:
        reference: (m, p) training rows.
        current: (n, p) rows of now, n > 0.
        columns: which of the p columns to compare, and how.
        at: the time of the snapshot.
        drift_share: the share of moved columns from which Evidently's page speaks of drift.
        stretch: by how much the limits that chance sets are widened, see `noria.monitoring.look_level`.

    Returns:
        The facts, and Evidently's snapshot; None if no column holds values on both sides.
    """
    before, after = _plain(reference, columns), _plain(current, columns)
    limits = {
        name: limit
        for name in before.columns
        if (limit := _limit(before[name], after[name], name in columns.numbers, stretch)) is not None
    }
    snapshot, distances = _compare(before, after, columns, limits, at=at, drift_share=drift_share)
    moves = {
        name: category_drift(before[name], after[name], distances[name], limits[name])
        if name in columns.categories and name in distances
        else number_drift(before[name], after[name], distances.get(name), limits.get(name), stretch)
        for name in before.columns
    }
    inputs = sorted((moves[name] for name in columns.inputs), key=lambda move: -move.distance / move.threshold)
    return DriftResult(
        rows=len(current),
        reference_rows=len(reference),
        inputs=inputs,
        predictions=moves[columns.prediction] if columns.prediction else None,
    ), snapshot


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


def _compare(
    before: pd.DataFrame,
    after: pd.DataFrame,
    columns: ComparedColumns,
    limits: dict[str, float],
    *,
    at: datetime,
    drift_share: float,
) -> "tuple[Snapshot | None, dict[str, float]]":
    from noria.monitoring.evidently_reports import drift_snapshot, value_drifts

    if not limits:
        return None, {}
    snapshot = drift_snapshot(
        before,
        with_columns(after, {name: _within_reach(after[name], before[name]) for name in columns.numbers}),
        numbers=[name for name in columns.numbers if name in limits],
        categories=[name for name in columns.categories if name in limits],
        inputs=[name for name in columns.inputs if name in limits],
        at=at,
        drift_share=drift_share,
    )
    return snapshot, value_drifts(snapshot)


def _within_reach(current: "pd.Series[float]", reference: "pd.Series[float]") -> "pd.Series[float]":
    # one absurd value must neither outweigh a thousand others nor overflow a histogram
    low, high = float(reference.min()), float(reference.max())
    return current.clip(low - _REACH * (high - low), high + _REACH * (high - low))


def _limit(before: Any, after: Any, is_number: bool, stretch: float) -> float | None:
    return drift_threshold(before, after, is_number=is_number, stretch=stretch)
