"""Evidence about the mean of bounded values, by betting.

Under "the mean is at most m", a player who bets a share b of the wealth on each value x of [0, 1] multiplies it by
1 + b (x / m - 1): a fair game at best, so the wealth is an e-process. Betting against small values mirrors that. The
wealth here is the average over twelve shares b, each half of the one before, so that one of them is close to the best
share for the difference at hand; larger shares have more weight, because they suit the differences that few values can
show. The average does not depend on the order of the values.

Source: I. Waudby-Smith and A. Ramdas, Estimating means of bounded random variables by betting, Journal of the Royal
Statistical Society B 86, 2023 (sections 4 and B.3).
"""

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from noria.system.errors import NoriaError

Floats = NDArray[np.float64]
Side = Literal["greater", "less", "two-sided"]

_BETS = 0.9 * 0.5 ** np.arange(12)
_LOG_WEIGHTS = np.log(1 / np.arange(1, 13) / (1 / np.arange(1, 13)).sum())
_HALVINGS = 40


def log_e_value(values: ArrayLike, mean: float, *, low: float = 0.0, high: float = 1.0, side: Side) -> float:
    """The evidence of all values against a mean, as the logarithm of an e-value; 0 without values.

    Args:
        values: (n,) values between `low` and `high`, independent and with one mean; dependent values are allowed where
            each has that mean given those before.
        mean: the mean of the null hypothesis, between `low` and `high`.
        low: no value is below it.
        high: no value is above it.
        side: what is suspected of the true mean: "greater" tests that it is at most `mean`.

    Raises:
        NoriaError: a value is outside the bounds or missing, or the mean is.
    """
    scaled, null = _scaled(values, low, high), _null(mean, low, high)
    distinct, counts = np.unique(scaled, return_counts=True)
    found = [_log_mean(_log_wealth(*given) @ counts) for given in _bets(distinct, null, side)]
    return float(np.logaddexp.reduce(found) - math.log(len(found)))


def log_e_process(values: ArrayLike, mean: float, *, low: float = 0.0, high: float = 1.0, side: Side) -> Floats:
    """(n,) `log_e_value` after each of the values, in their order; arguments and errors as there."""
    scaled, null = _scaled(values, low, high), _null(mean, low, high)
    paths = [_log_mean(_log_wealth(*given).cumsum(axis=1)) for given in _bets(scaled, null, side)]
    return np.asarray(np.logaddexp.reduce(paths, axis=0) - math.log(len(paths)), dtype=np.float64)


def mean_interval(
    values: ArrayLike, *, low: float = 0.0, high: float = 1.0, confidence: float = 0.95
) -> tuple[float, float]:
    """The means that the values do not speak against: a confidence sequence.

    With a chance of at least `confidence` the intervals of all sample sizes hold the true mean, so one may look after
    each value and stop at any. Arguments and errors as for `log_e_value`; (`low`, `high`) without values.
    """
    distinct, counts = np.unique(_scaled(values, low, high), return_counts=True)
    if not counts.size:
        return low, high
    mean, enough = float(distinct @ counts) / int(counts.sum()), math.log(2 / (1 - confidence))

    def rejected(null: float, side: Side) -> bool:
        return float(_log_mean(_log_wealth(*_bets(distinct, null, side)[0]) @ counts)) >= enough

    lower = _boundary(lambda null: rejected(null, "greater"), 0.0, mean)
    upper = _boundary(lambda null: rejected(null, "less"), 1.0, mean)
    return low + lower * (high - low), low + upper * (high - low)


def _boundary(rejected: Callable[[float], bool], end: float, mean: float) -> float:
    """The means between `end` and `mean` are rejected up to here."""
    outer, inner = end, mean
    for _ in range(_HALVINGS):
        middle = (outer + inner) / 2
        if 0 < middle < 1 and rejected(middle):
            outer = middle
        else:
            inner = middle
    return outer


def _bets(scaled: Floats, null: float, side: Side) -> list[tuple[Floats, float]]:
    up, down = (scaled, null), (1 - scaled, 1 - null)
    return {"greater": [up], "less": [down], "two-sided": [up, down]}[side]


def _log_wealth(scaled: Floats, null: float) -> Floats:
    """(bets, n) the logarithm of what each bet multiplies the wealth by."""
    return np.asarray(np.log1p(_BETS[:, None] * (scaled / null - 1)), dtype=np.float64)


def _log_mean(logs: Floats) -> Any:
    weights = _LOG_WEIGHTS if logs.ndim == 1 else _LOG_WEIGHTS[:, None]
    return np.logaddexp.reduce(logs + weights, axis=0)


def _scaled(values: ArrayLike, low: float, high: float) -> Floats:
    scaled = (np.asarray(values, dtype=np.float64) - low) / (high - low)
    if not ((scaled >= 0) & (scaled <= 1)).all():  # NaN is neither
        raise NoriaError(
            f"a value is outside {low:g} to {high:g}, or missing",
            code="evaluation.value_out_of_bounds",
            fix="give the bounds that hold for every value, or clip the values",
        )
    return scaled


def _null(mean: float, low: float, high: float) -> float:
    null = (mean - low) / (high - low)
    if not 0 < null < 1:
        raise NoriaError(
            f"a mean of {mean:g} is not between {low:g} and {high:g}",
            code="evaluation.mean_out_of_bounds",
            fix="give a mean between the bounds",
        )
    return null
