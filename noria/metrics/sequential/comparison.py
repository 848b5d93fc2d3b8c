"""A comparison of two variants that may be looked at each day: which leads, by how much, and how long it will take.

Source of the sample sizes: the logarithm of the wealth after n blocks is nearly normal, with mean n δ² / 2 σ² less what
the mixture over bets costs, and variance n δ² / σ² (Waudby-Smith and Ramdas 2023, section 4.4, for small differences).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from noria.metrics.sequential.betting import log_e_value, mean_interval
from noria.metrics.sequential.large_samples import log_e_large_sample, mean_interval_large_sample

Floats = NDArray[np.float64]
_MIXTURE_COST = math.log(5)  # what the best of the twelve bets loses to the others' weights


@dataclass(frozen=True)
class Comparison:
    """What the cases so far say about the second variant beside the first."""

    difference: float
    """Mean of the second less that of the first; NaN before the first block is complete."""
    low: float
    """Lower end of the confidence sequence of the difference."""
    high: float
    """Upper end of it."""
    log_e: float
    """The evidence for the one that leads, as the logarithm of an e-value."""
    cases: int
    """Cases of both so far."""
    larger: Literal["first", "second"] | None
    """Whose mean is larger beyond chance; None: not decided yet."""
    more_cases: int | None
    """About how many more cases of both it takes to decide, if the difference is what it seems; None: cannot be said,
    or it is decided."""


def compare(
    differences: Floats, *, cases: int, bound: float | None = None, confidence: float = 0.95, margin: float = 0.0
) -> Comparison:
    """Compare two variants by differences with the mean of the true difference.

    Where there is no difference, the chance that any look finds one is at most 1 - `confidence`.

    Args:
        differences: (k,) second less first: of single cases where both answered the same ones, else of blocks
            (`mean_differences`, `auc_differences`).
        cases: how many cases of both they stand for.
        bound: no difference is larger in size; None: there is no bound, and the test holds in large samples.
        confidence: of the interval and the decision.
        margin: what the mean difference is compared with instead of 0.

    Raises:
        NoriaError: a difference exceeds the bound.
    """
    alpha = 1 - confidence
    if not len(differences):
        reach = math.inf if bound is None else bound
        return Comparison(math.nan, -reach, reach, 0.0, cases, None, None)
    mean = float(differences.mean())
    if bound is None:
        low, high = mean_interval_large_sample(differences, confidence=confidence)
        evidence, needed = log_e_large_sample(differences, margin), math.log(1 / alpha)
    else:
        limits = {"low": -bound, "high": bound}
        low, high = mean_interval(differences, **limits, confidence=confidence)
        side: Literal["greater", "less"] = "greater" if mean > margin else "less"
        evidence, needed = log_e_value(differences, margin, **limits, side=side), math.log(2 / alpha)
    decided = evidence >= needed
    leader: Literal["first", "second"] = "second" if mean > margin else "first"
    more = None if decided else _more_cases(differences - margin, needed - evidence, cases)
    return Comparison(mean, low, high, evidence, cases, leader if decided else None, more)


def planned_cases(
    difference: float, deviation: float, *, share: float = 0.5, confidence: float = 0.95, power: float = 0.8
) -> int:
    """How many cases of both variants it takes until the test has found a difference, with a chance of `power`.

    Args:
        difference: the true difference of the means, not 0.
        deviation: standard deviation of one case's value.
        share: share of the cases that the second variant answers.
        confidence: of the decision.
        power: the chance that it is decided by then.

    >>> planned_cases(0.03, 0.4)  # a difference of 3 points in accuracy, about 80 % right
    12568
    """
    evidence = math.log(2 / (1 - confidence)) + _MIXTURE_COST
    quantile = NormalDist().inv_cdf(power)
    standard_errors = quantile + math.sqrt(quantile**2 + 2 * evidence)
    return math.ceil((standard_errors * deviation / difference) ** 2 * (1 / share + 1 / (1 - share)))


def _more_cases(differences: Floats, missing: float, cases: int) -> int | None:
    mean, square = float(differences.mean()), float((differences**2).mean())
    if mean == 0 or len(differences) < 2:
        return None
    return math.ceil(missing / (mean**2 / (2 * square)) * cases / len(differences))
