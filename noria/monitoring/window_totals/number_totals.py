"""A number in all rows: counts and sums in bins that begin at the values of the reference.

Between two neighbouring values of the reference its distribution function is constant. So counts and sums of the bins
between them give the Wasserstein distance of two samples as the rows themselves would: exactly where no bin holds both
rows that belong below and rows that belong above, and within the width of a bin elsewhere.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from noria.tabular.values import LARGEST

Floats = NDArray[np.float64]
REACH = 10.0
"""Numbers are followed this many ranges beyond those of training: one absurd value must not outweigh a thousand."""
_PARTS = 8_192
_FINE = 100
_GROWTH = 1.05


class NumberTotals:
    """n values of a number, as far as they were added.

    Args:
        reference: the values that it will be compared with, NaN where missing; at most some thousands.
    """

    def __init__(self, reference: Floats) -> None:
        known = np.unique(reference[~np.isnan(reference)])
        self._edges, self._low, self._high = _edges(known)
        self.rows = 0
        """Values that were added, missing ones included."""
        self.missing = 0
        """How many of them were missing."""
        self.mean = float("nan")
        """The mean of the known values."""
        self._counts = np.zeros(len(self._edges) + 1, dtype=np.int64)
        self._sums = np.zeros(len(self._edges) + 1)

    def add(self, values: Floats, counts: NDArray[np.int64] | None = None) -> None:
        """Add (n,) values, NaN where missing; with `counts` (n,) each so many times."""
        times = np.ones(len(values), dtype=np.int64) if counts is None else counts
        is_known = ~np.isnan(values)
        known, weights = values[is_known], times[is_known]
        places = np.searchsorted(self._edges, known, side="right")
        size = len(self._counts)
        self._counts += np.bincount(places, weights=weights, minlength=size).astype(np.int64)
        self._sums += np.bincount(places, weights=known * weights, minlength=size)
        self.rows += int(times.sum())
        self.missing += int(times.sum() - weights.sum())
        if self.known:
            self.mean = float(self._sums.sum()) / self.known

    @property
    def known(self) -> int:
        """Values that are not missing."""
        return self.rows - self.missing

    def quantile(self, share: float) -> float:
        """The value below which this share (0 to 1) of the known values lies, to the mean of its bin; n > 0."""
        behind = np.cumsum(self._counts)
        place = int(np.searchsorted(behind, share * (self.known - 1), side="right"))
        return float(self._sums[place] / self._counts[place])

    def distance(self, reference: Floats) -> float:
        """The Wasserstein distance of the known values from others, in the units of the column.

        Args:
            reference: (m,) values without missing ones, m > 0, all of them among those that the bins were made for.
        """
        edges = self._edges[self._low : self._high + 1]
        counts = self._counts[self._low : self._high + 2].astype(np.float64)
        sums = self._sums[self._low : self._high + 2].copy()
        for end, edge, beyond in ((0, edges[0], slice(self._low)), (-1, edges[-1], slice(self._high + 2, None))):
            extra = float(self._counts[beyond].sum())
            counts[end] += extra
            sums[end] = counts[end] * edge  # as if they were as far away as numbers are followed
        below = np.cumsum(counts)[:-1] / self.known
        widths = np.diff(edges)
        ours = widths * below[:-1] + (counts[1:-1] * edges[1:] - sums[1:-1]) / self.known
        theirs = np.searchsorted(np.sort(reference), edges[:-1], side="right") / len(reference) * widths
        return float(np.abs(theirs - ours).sum())


def _edges(known: Floats) -> tuple[Floats, int, int]:
    """Ascending edges of bins, and the places of those as far as numbers are followed.

    Every known value is one. Where neighbours lie far apart there are more between them, and outwards they grow.
    """
    if not len(known):
        known = np.zeros(1)
    low, high = float(known[0]), float(known[-1])
    reach = REACH * (high - low)
    step = max((high - low) / _PARTS, float(np.std(known)) / _FINE)
    pieces = np.ceil(np.diff(known) / step).astype(np.int64) if step else np.empty(0, dtype=np.int64)
    inner = [
        np.linspace(known[place], known[place + 1], int(pieces[place]), endpoint=False)[1:]
        for place in np.flatnonzero(pieces > 1)
    ]
    outer = _outwards() * (step or 1.0)
    ends = np.array([low - reach, high + reach])
    edges = np.unique(np.clip(np.concatenate([known, *inner, low - outer, high + outer, ends]), -LARGEST, LARGEST))
    places = np.searchsorted(edges, np.clip(ends, -LARGEST, LARGEST))
    return edges, int(places[0]), int(places[1])


@cache
def _outwards() -> Floats:
    steps = int(np.log(LARGEST) / np.log(_GROWTH))
    found: Floats = np.cumprod(np.full(steps, _GROWTH))
    return found
