"""What a metric is expected to be when the labels are known by their probabilities only.

Each row stands there twice: as a positive with the weight of its probability, and as a negative with the rest. The
metric of these weighted rows is its expected value, up to terms of the order of one over the rows. Labels drawn from
the probabilities give how far chance alone moves it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from noria.metrics.bootstrap import Statistic

Floats = NDArray[np.float64]
_DRAWS = 200
_AT_ONCE = 4_000_000


class Figure(NamedTuple):
    """A metric without labels."""

    value: float
    """What is expected."""
    deviation: float
    """Standard deviation of what the labels will show around it."""


def expected(statistic: Statistic, probabilities: Floats, *, seed: int = 0) -> Figure:
    """The metric that is expected of n rows, and how far labels may show it to be elsewhere.

    The deviation holds the chance in the labels and the doubt about the probabilities: the spread of k fits that each
    lack one part of the reference (the delete-a-group jackknife; P. S. Kott, 2001).

    Args:
        statistic: the metric as a function of the weights (b, 2 n) of n rows as positives, then the same as negatives.
        probabilities: (k, n) probabilities of the positive class by k fits.
        seed: of the drawn labels.
    """
    mean = probabilities.mean(axis=0)
    value = float(statistic(_weights(mean[None, :]))[0])
    each = statistic(_weights(probabilities))
    parts = len(each)
    doubt = float((parts - 1) / parts * ((each - each.mean()) ** 2).sum())
    return Figure(value, float(np.sqrt(label_noise(statistic, mean, seed=seed) ** 2 + doubt)))


def label_noise(statistic: Statistic, probability: Floats, *, seed: int = 0) -> float:
    """Standard deviation of a metric over labels drawn from (n,) probabilities; `statistic` as for `expected`."""
    random, rows = np.random.default_rng(seed), len(probability)
    step = max(1, _AT_ONCE // max(rows, 1))
    found = [
        statistic(_weights((random.random((min(step, _DRAWS - start), rows)) < probability).astype(np.float64)))
        for start in range(0, _DRAWS, step)
    ]
    return float(np.nanstd(np.concatenate(found)))


def _weights(positive: Floats) -> Floats:
    return np.hstack([positive, 1 - positive])
