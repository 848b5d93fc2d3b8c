"""How far chance alone moves a sample, so that a small one is not taken for a changed world.

A parametric bootstrap (B. Efron and R. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 6): two samples of
the sizes at hand are drawn from the reference, many times; 99 % of their distances lie below the level.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

_DRAWS = 300
_LEVEL = 0.99
_BINS = 200
_NORMAL_QUANTILE = 2.576  # 99 % of a normal distribution lie within so many standard deviations

Floats = NDArray[np.floating[Any]]


def category_level(reference: "pd.Series[str]", rows: int, seed: int = 0) -> float:
    """The Jensen-Shannon distance (natural logarithm) that `rows` rows from the reference reach by chance."""
    weights = reference.value_counts(normalize=True).to_numpy(dtype=np.float64)
    first, second = _two_samples(weights, len(reference), rows, seed)
    return float(np.quantile(_jensen_shannon(first, second), _LEVEL))


def number_level(reference: "pd.Series[float]", rows: int, seed: int = 0) -> float:
    """The Wasserstein distance, in standard deviations of the reference, that `rows` rows reach by chance.

    The reference is read at 200 quantiles at most, which keeps the cost the same for any size.
    """
    values, weights = _binned(reference.to_numpy(dtype=np.float64))
    first, second = _two_samples(weights, len(reference), rows, seed)
    gaps = np.abs((first - second).cumsum(axis=1)[:, :-1]) @ np.diff(values)
    return float(np.quantile(gaps / spread(reference), _LEVEL))


def missing_level(before: float, after: float, reference_rows: int, rows: int) -> float:
    """The difference between two shares that chance reaches, by the normal approximation."""
    share = (before * reference_rows + after * rows) / (reference_rows + rows)
    return _NORMAL_QUANTILE * float(np.sqrt(share * (1 - share) * (1 / reference_rows + 1 / rows)))


def spread(reference: "pd.Series[float]") -> float:
    """The standard deviation that distances are given in, at least 0.001 (as Evidently has it)."""
    return max(float(np.std(reference.to_numpy(dtype=np.float64))), 0.001)


def _two_samples(weights: Floats, reference_rows: int, rows: int, seed: int) -> tuple[Floats, Floats]:
    random = np.random.default_rng(seed)
    first = random.multinomial(reference_rows, weights, size=_DRAWS) / reference_rows
    return first, random.multinomial(rows, weights, size=_DRAWS) / rows


def _jensen_shannon(first: Floats, second: Floats) -> Floats:
    middle = (first + second) / 2
    divergence = (_relative_entropy(first, middle) + _relative_entropy(second, middle)) / 2
    return np.sqrt(np.maximum(divergence, 0))


def _relative_entropy(shares: Floats, other: Floats) -> Floats:
    ratio = np.divide(shares, other, out=np.ones_like(shares), where=shares > 0)
    total: Floats = (shares * np.log(ratio)).sum(axis=1)
    return total


def _binned(values: Floats) -> tuple[Floats, Floats]:
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) <= _BINS:
        return distinct.astype(np.float64), counts / counts.sum()
    middles = np.quantile(values, (np.arange(_BINS) + 0.5) / _BINS)
    return middles, np.full(_BINS, 1 / _BINS)
