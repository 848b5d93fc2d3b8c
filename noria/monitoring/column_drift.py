"""One column's move, from its values in training and the totals of those now."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon

from noria.monitoring.drift_summary import MISSING, largest_category_change, largest_number_change
from noria.monitoring.null_distribution import category_level, missing_level, number_level, spread
from noria.monitoring.results import ColumnDrift
from noria.monitoring.window_totals import CategoryTotals, NumberTotals
from noria.reporting import percent

USUAL_LIMIT = 0.1
OTHERS = "(others)"
"""Values that are too many to be counted one by one."""


def drift_threshold(reference: "pd.Series[Any]", rows: int, *, is_number: bool, stretch: float = 1.0) -> float | None:
    """How far the column may move: 0.1, or as far as chance reaches; None if either side has no value.

    `rows` are the known values of now. `stretch` widens what counts as chance, where many columns are looked at many
    times.
    """
    known = reference.dropna()
    if known.empty or not rows:
        return None
    by_chance = number_level(known, rows) if is_number else category_level(known.astype(str), rows)
    return max(USUAL_LIMIT, stretch * by_chance)


def number_drift(reference: "pd.Series[float]", current: NumberTotals, stretch: float = 1.0) -> ColumnDrift:
    """The move of a number; that of its missing values where only these moved, or where a side has no other."""
    missing, known = _missing_move(reference, current, stretch), reference.dropna()
    limit = drift_threshold(reference, current.known, is_number=True, stretch=stretch)
    if limit is None:
        return missing
    distance = current.distance(np.asarray(known, dtype=np.float64)) / spread(known)
    if missing.moved and distance < limit:
        return missing
    figure, before, after = largest_number_change(known, current)
    return ColumnDrift(
        name=str(reference.name),
        method="Wasserstein",
        distance=distance,
        threshold=limit,
        moved=distance >= limit,
        figure=figure,
        before=before,
        after=after,
    )


def category_drift(reference: "pd.Series[str]", current: CategoryTotals, stretch: float = 1.0) -> ColumnDrift:
    """The move of a category; in both a missing value is a category of its own."""
    limit = drift_threshold(reference, current.rows, is_number=False, stretch=stretch) or USUAL_LIMIT
    before, after = reference.value_counts(), category_counts(current)
    distance = float(jensenshannon(*before.align(after, join="outer", fill_value=0)))
    category, *shares = largest_category_change(before, after.drop(OTHERS, errors="ignore"), current.rows)
    return ColumnDrift(
        name=str(reference.name),
        method="Jensen-Shannon",
        distance=distance,
        threshold=limit,
        moved=distance >= limit,
        figure=category,
        before=shares[0],
        after=shares[1],
    )


def category_counts(totals: CategoryTotals) -> "pd.Series[int]":
    """Category → rows, those without a value and those without a count of their own, too."""
    counts = {**totals.counts, OTHERS: totals.others}
    counts[MISSING] = counts.get(MISSING, 0) + totals.missing
    found = pd.Series(counts, dtype="int64")
    return found[found > 0]


def _missing_move(reference: "pd.Series[float]", current: NumberTotals, stretch: float) -> ColumnDrift:
    before, after = float(reference.isna().mean()), current.missing / current.rows
    limit = max(USUAL_LIMIT, stretch * missing_level(before, after, len(reference), current.rows))
    return ColumnDrift(
        name=str(reference.name),
        method="missing",
        distance=abs(after - before),
        threshold=limit,
        moved=abs(after - before) >= limit,
        figure="missing in",
        before=percent(before, 0),
        after=percent(after, 0),
    )
