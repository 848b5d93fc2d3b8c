"""Where in a series of rows a column began to look different.

Binary segmentation (L. Vostrikova, 1981): each column is cut where the likelihood ratio of two multinomials over the
bins of its values is largest, if it is far beyond chance.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.monitoring.data_faults.rows import Rows

_BINS = 20
_CATEGORIES = 30
_GRID = 64
_RATIO = 40.0
"""Least log likelihood ratio of a cut, beyond half a unit for each bin: chance reaches it less than once in 1e12."""
_MOST = 12


def change_points(rows: Rows, fewest: int) -> list[int]:
    """Places at which at least one column began to look different, ascending; each side has `fewest` rows."""
    if len(rows) < 2 * fewest:
        return []
    found: dict[int, float] = {}
    for name in rows.columns:
        cut = _cut(_codes(rows, name), fewest)
        if cut is not None:
            found[cut[0]] = max(cut[1], found.get(cut[0], 0.0))
    strongest = sorted(found, key=lambda place: -found[place])[:_MOST]
    return sorted(strongest)


def onset(scores: NDArray[np.float64]) -> int:
    """The place from which the scores are high: the cut that leaves the largest sum behind it.

    Scores are log likelihood ratios, positive for a row that speaks for the change.
    """
    behind = np.cumsum(np.nan_to_num(scores)[::-1])[::-1]
    return int(np.argmax(behind)) if len(behind) else 0


def _codes(rows: Rows, name: str) -> NDArray[np.int64]:
    """(n,) the bin of each value, 0 for missing."""
    if name in rows.categories:
        counts = rows.category_counts[name]
        numbered = {text: place + 1 for place, text in enumerate(counts.index[:_CATEGORIES])}
        series = pd.Series(rows.categories[name], dtype=object).map(numbered).fillna(_CATEGORIES + 1)
        return np.where(rows.missing(name), 0, series.to_numpy(dtype=np.int64))
    values: Any = rows.numbers[name] if name in rows.numbers else rows.dates[name].astype(np.float64)
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(len(values), dtype=np.int64)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1]))
    places = np.searchsorted(edges, values, side="left").astype(np.int64) + 1
    return np.where(np.isnan(values), 0, places)


def _cut(codes: NDArray[np.int64], fewest: int) -> tuple[int, float] | None:
    total = len(codes)
    width = int(codes.max()) + 1
    grid = np.unique(np.linspace(fewest, total - fewest, _GRID).astype(np.int64))
    best = _best(codes, grid, width)
    near = np.unique(
        np.linspace(max(fewest, best[0] - total // _GRID), min(total - fewest, best[0] + total // _GRID), 48)
    )
    best = max(best, _best(codes, near.astype(np.int64), width), key=lambda cut: cut[1])
    used = len(np.unique(codes))
    return best if best[1] > _RATIO + used / 2 else None


def _best(codes: NDArray[np.int64], places: NDArray[np.int64], width: int) -> tuple[int, float]:
    """The place of the largest log likelihood ratio, and the ratio."""
    parts = np.split(codes, places)
    counts = np.array([np.bincount(part, minlength=width) for part in parts], dtype=np.float64)
    before = counts.cumsum(axis=0)[:-1]
    after = before[-1] + counts[-1] - before
    whole = before[-1] + counts[-1]
    ratios = _likelihood(before) + _likelihood(after) - _likelihood(whole[None, :])
    place = int(np.argmax(ratios))
    return int(places[place]), float(ratios[place])


def _likelihood(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.ones_like(counts), where=counts > 0)
    found: NDArray[np.float64] = (counts * np.log(shares)).sum(axis=1)
    return found
