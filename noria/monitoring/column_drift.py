"""One column's move, from its values in training and now."""

import pandas as pd

from noria.monitoring.drift_summary import largest_category_change, largest_number_change
from noria.monitoring.null_distribution import category_level, missing_level, number_level
from noria.monitoring.results import ColumnDrift
from noria.reporting import percent

USUAL_LIMIT = 0.1


def drift_threshold(
    reference: "pd.Series[float]", current: "pd.Series[float]", *, is_number: bool, stretch: float = 1.0
) -> float | None:
    """How far the column may move: 0.1, or as far as chance reaches; None if either side has no value.

    `stretch` widens what counts as chance, where many columns are looked at many times.
    """
    known, now = reference.dropna(), current.dropna()
    if known.empty or now.empty:
        return None
    by_chance = number_level(known, len(now)) if is_number else category_level(known.astype(str), len(now))
    return max(USUAL_LIMIT, stretch * by_chance)


def number_drift(
    reference: "pd.Series[float]",
    current: "pd.Series[float]",
    distance: float | None,
    limit: float | None,
    stretch: float = 1.0,
) -> ColumnDrift:
    """The move of a number; that of its missing values where only these moved, or where there is no distance."""
    missing = _missing_move(reference, current, stretch)
    if distance is None or limit is None or (missing.moved and distance < limit):
        return missing
    figure, before, after = largest_number_change(reference.dropna(), current.dropna())
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


def category_drift(
    reference: "pd.Series[str]", current: "pd.Series[str]", distance: float, limit: float
) -> ColumnDrift:
    """The move of a category without missing values."""
    category, before, after = largest_category_change(reference, current)
    return ColumnDrift(
        name=str(reference.name),
        method="Jensen-Shannon",
        distance=distance,
        threshold=limit,
        moved=distance >= limit,
        figure=category,
        before=before,
        after=after,
    )


def _missing_move(reference: "pd.Series[float]", current: "pd.Series[float]", stretch: float) -> ColumnDrift:
    before, after = float(reference.isna().mean()), float(current.isna().mean())
    limit = max(USUAL_LIMIT, stretch * missing_level(before, after, len(reference), len(current)))
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
