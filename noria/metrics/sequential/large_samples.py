"""Evidence about the mean of values without bounds, such as the errors of a regression; valid in large samples.

Source: I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy and A. Ramdas, Time-uniform central limit theory and
asymptotic confidence sequences, Annals of Statistics 52, 2024 (theorem 2.2; equation 10 for the scale).
"""

import math

import numpy as np
from numpy.typing import ArrayLike

FEWEST = 25
"""With fewer values there is no evidence, because the variance is not known well enough."""
_TYPICAL = 250  # the sample size at which the interval is narrowest
_ALPHA = 0.05
_SCALE = (-2 * math.log(_ALPHA) + math.log(-2 * math.log(_ALPHA)) + 1) / _TYPICAL


def log_e_large_sample(values: ArrayLike, mean: float = 0.0) -> float:
    """The evidence against a mean, to either side, as the logarithm of an e-value; 0 below 25 values.

    Args:
        values: (n,) independent values with a finite variance.
        mean: the mean of the null hypothesis.
    """
    given = np.asarray(values, dtype=np.float64)
    rows = len(given)
    if rows < FEWEST:
        return 0.0
    variance, off = float(given.var(ddof=1)), float(given.mean()) - mean
    if variance == 0:
        return 0.0 if off == 0 else math.inf
    growth = rows * _SCALE + 1
    return rows**2 * off**2 * _SCALE / (2 * variance * growth) - math.log(growth) / 2


def mean_interval_large_sample(values: ArrayLike, *, confidence: float = 0.95) -> tuple[float, float]:
    """An asymptotic confidence sequence of the mean; infinite below 25 values."""
    given = np.asarray(values, dtype=np.float64)
    rows = len(given)
    if rows < FEWEST:
        return -math.inf, math.inf
    growth = rows * _SCALE + 1
    alpha = 1 - confidence
    reach = math.sqrt(growth / (rows**2 * _SCALE) * (math.log(growth) - 2 * math.log(alpha)))
    reach *= float(given.std(ddof=1))
    return float(given.mean()) - reach, float(given.mean()) + reach
