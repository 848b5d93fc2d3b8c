"""The bootstrap: how far a figure could move if the test rows had been other rows of the same kind.

Source: B. Efron and R. Tibshirani, An Introduction to the Bootstrap, 1993: percentile intervals (chapter 13) and
paired comparison (chapter 8). Rows that belong together (a day, a group) are drawn together: C. A. Field and
A. H. Welsh, Bootstrapping clustered data, Journal of the Royal Statistical Society B 69, 2007.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""Weights (b, n), one line per resample and one column per row → the b values of a metric."""

_FEWEST = 200
_MOST_DRAWS = 50_000_000
_AT_ONCE = 2_000_000


def bootstrap(
    statistics: Sequence[Statistic], rows: int, resamples: int, seed: int, blocks: NDArray[np.int64] | None = None
) -> Floats:
    """Every statistic on the same resamples, so that differences between two of them are paired.

    Args:
        statistics: each maps weights (b, rows) to b values.
        rows: number of rows that the statistics expect.
        resamples: how many resamples are wanted. Large tables get fewer: rows × resamples stays below 50 million,
            but never fewer than 200, where Efron and Tibshirani (1993, section 6.4) see standard errors settle.
        seed: the same seed gives the same resamples.
        blocks: (rows,) number of the block (from 0) that each row belongs to; blocks are drawn whole.

    Returns:
        (len(statistics), resamples) values; NaN where a resample leaves a metric undefined.
    """
    parts = [
        np.stack([statistic(weights) for statistic in statistics])
        for weights in _weights(rows, _affordable(rows, resamples), seed, blocks)
    ]
    return np.concatenate(parts, axis=1)


def stratified_bootstrap(
    statistics: Sequence[Statistic],
    weights: Floats,
    strata: NDArray[np.int64],
    *,
    cases: int,
    resamples: int,
    seed: int,
) -> Floats:
    """Every statistic on the same resamples of a stratified sample.

    Each stratum is drawn again with one row less than it has, and scaled up to what it stands for, so that small strata
    do not look too certain (J. N. K. Rao and C. F. J. Wu, Resampling inference with complex survey data, JASA 1988).
    What a stratum stands for is drawn, too: the population is a sample itself.

    Args:
        statistics: each maps weights (b, n) to b values.
        weights: (n,) of the rows.
        strata: (n,) number of each row's stratum, from 0; each stratum has rows.
        cases: rows of the population that the sample stands for.
        resamples: how many are wanted; large samples get fewer, as with `bootstrap`.
        seed: the same seed gives the same resamples.

    Returns:
        (len(statistics), resamples) values; NaN where a resample leaves a metric undefined.
    """
    random, rows = np.random.default_rng(seed), len(weights)
    share = np.bincount(strata, weights) / max(weights.sum(), 1e-12)
    members = [np.flatnonzero(strata == stratum) for stratum in range(len(share))]
    wanted, parts = _affordable(rows, resamples), []
    step = max(1, _AT_ONCE // max(rows, 1))
    for start in range(0, wanted, step):
        lines = min(step, wanted - start)
        counts = np.ones((lines, rows))
        for places in members:
            counts[:, places] = _rescaled_counts(len(places), lines, random)
        population = random.multinomial(max(cases, 1), share / share.sum(), size=lines) / (max(cases, 1) * share)
        drawn = weights * counts * population[:, strata]
        parts.append(np.stack([statistic(drawn) for statistic in statistics]))
    return np.concatenate(parts, axis=1)


def _rescaled_counts(rows: int, lines: int, random: np.random.Generator) -> Floats:
    """(lines, rows) how often each row of a stratum is drawn, with a mean of 1."""
    if rows == 1:
        return np.ones((lines, 1))
    drawn = random.integers(0, rows, size=(lines, rows - 1)) + np.arange(lines)[:, None] * rows
    counts = np.bincount(drawn.ravel(), minlength=lines * rows).reshape(lines, rows)
    return np.asarray(counts * (rows / (rows - 1)), dtype=np.float64)


def percentile_interval(values: Floats, confidence: float) -> tuple[float, float]:
    """The middle `confidence` share of the values, NaN left out; (NaN, NaN) if none is left."""
    known = values[~np.isnan(values)]
    if known.size == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _affordable(rows: int, wanted: int) -> int:
    return min(wanted, max(_FEWEST, _MOST_DRAWS // max(rows, 1)))


def _weights(rows: int, resamples: int, seed: int, blocks: NDArray[np.int64] | None) -> Iterator[Floats]:
    random = np.random.default_rng(seed)
    units = rows if blocks is None else int(blocks.max()) + 1
    step = max(1, _AT_ONCE // max(rows, 1))
    for start in range(0, resamples, step):
        lines = min(step, resamples - start)
        drawn = random.integers(0, units, size=(lines, units))
        drawn += np.arange(lines)[:, None] * units
        counts = np.bincount(drawn.ravel(), minlength=lines * units).reshape(lines, units).astype(np.float64)
        yield counts if blocks is None else counts[:, blocks]
