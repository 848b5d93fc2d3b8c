"""How far two samples of a column lie apart, and how far chance alone would bring them."""

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_CHANCE = 1.63
"""Kolmogorov's factor: 1 % of pairs of samples from one distribution lie further apart."""
_CERTAIN = 2.7
"""The same for less than one pair in a million."""
_NEAR = 0.03
_FAR = 0.1
_FEWEST = 20
_STICKY = 0.4
_CORRELATED = 0.3


def ks_distance(first: Floats, second: Floats) -> float:
    """The Kolmogorov–Smirnov distance (0 to 1) of two sorted samples without missing values; 1 if one is empty."""
    if not len(first) or not len(second):
        return 1.0
    points = np.concatenate([first, second])
    gaps = np.searchsorted(first, points, side="right") / len(first)
    gaps -= np.searchsorted(second, points, side="right") / len(second)
    return float(np.abs(gaps).max())


def share_distance(first: "pd.Series[Any]", second: "pd.Series[Any]") -> float:
    """The total variation distance (0 to 1) of two samples, given as category → rows; 1 if one is empty."""
    before, after = first.to_dict(), second.to_dict()  # a tenth of the time of two series
    sizes = sum(before.values()), sum(after.values())
    if not all(sizes):
        return 1.0
    gaps = (before.get(each, 0) / sizes[0] - after.get(each, 0) / sizes[1] for each in {**before, **after})
    return float(sum(map(abs, gaps)) / 2)


def is_near(distance: float, first: int, second: int) -> bool:
    """Whether samples of these sizes may come from one distribution, or from two that hardly differ."""
    return distance <= max(_NEAR, _CHANCE * _unit(first, second))


def is_far(distance: float, first: int, second: int, least: float = _FAR) -> bool:
    """Whether samples of these sizes differ by `least`, and by more than chance ever reaches."""
    return distance >= max(least, _CERTAIN * _unit(first, second))


def follows_time(values: NDArray[Any]) -> bool:
    """Whether the values of consecutive rows resemble one another more than chance has it, as a month or a counter do.

    What such a column holds depends on when one looks, so a value that is gone is no fault.
    """
    known = values[~pd.isna(values)]
    if len(known) < _FEWEST:
        return False
    if known.dtype != object:
        return autocorrelation(known) > _CORRELATED
    codes = pd.factorize(known)[0]
    shares = np.bincount(codes) / len(codes)
    expected = 1 - float((shares**2).sum())
    return expected > 0 and float((codes[1:] != codes[:-1]).mean()) < _STICKY * expected


def autocorrelation(values: Floats) -> float:
    """The rank correlation of each value with the one before it; 0 if all are equal."""
    ranks = pd.Series(values).rank().to_numpy(dtype=np.float64)
    if len(ranks) < _FEWEST or np.ptp(ranks[1:]) == 0 or np.ptp(ranks[:-1]) == 0:
        return 0.0
    return float(np.corrcoef(ranks[1:], ranks[:-1])[0, 1])


def shares_are_near(first: "pd.Series[Any]", second: "pd.Series[Any]") -> bool:
    """Whether two samples of a category, given as category → rows, may come from one distribution."""
    return share_distance(first, second) <= max(_NEAR, _share_chance(first, second, 2.2))


def shares_are_far(first: "pd.Series[Any]", second: "pd.Series[Any]", least: float = _FAR) -> bool:
    """Whether two samples of a category, given as category → rows, differ by more than chance ever reaches."""
    return share_distance(first, second) >= max(least, _share_chance(first, second, 5))


def _share_chance(first: "pd.Series[Any]", second: "pd.Series[Any]", scores: float) -> float:
    """The total variation distance that two samples of one distribution reach by chance, by the normal approximation.

    It varies by about its expectation over the root of the degrees of freedom; `scores` counts such deviations.
    """
    both = first.add(second, fill_value=0)
    shares = (both / max(both.sum(), 1)).to_numpy(dtype=np.float64)
    spread = np.sqrt(shares * (1 - shares)).sum() * _unit(int(first.sum()), int(second.sum()))
    return float(spread) / math.sqrt(2 * math.pi) * (1 + scores / math.sqrt(max(len(shares) - 1, 1)))


def _unit(first: int, second: int) -> float:
    return math.sqrt(1 / max(first, 1) + 1 / max(second, 1))
