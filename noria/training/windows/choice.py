"""Which rows to learn from: all, the newest, or weighted by age; chosen on past periods."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from noria.system.errors import NoriaError

Floats = NDArray[np.float64]
ERROR = 0.1
"""How often another window is chosen where none is better."""
FEWEST_PERIODS = 4
_ALL_SIGNS = 12
"""Up to so many periods all patterns of signs are tried; of more, as many at random."""


@dataclass(frozen=True)
class BetterWindow:
    """The window to learn from next."""

    name: str
    """The window that was chosen."""
    lead: dict[str, float]
    """How much better each window was than the current one, as the mean over all cases, in the units of `worth`."""
    error: dict[str, float]
    """The standard error of each lead."""
    needed: float
    """How many standard errors a lead needs; infinite with fewer than four periods."""


def better_window(worth: Mapping[str, Floats], cases: Floats, current: str) -> BetterWindow:
    """The window that was best in past periods, if it leads beyond chance; else the current one.

    In each period one model per window is judged, learned on what was known when the period began. All of them answer
    the same cases, so the leads are paired by period, and their standard error comes from how they differ between
    periods. How many standard errors a lead needs is found by the wild bootstrap: the differences from the mean lead
    get random signs, the same for all windows, and the largest lead of all windows, in standard errors, is noted. A
    lead must exceed 90 % of these. So where no window is better, one of many is chosen in 10 % of cases, however alike
    the windows are.

    Sources: V. Chernozhukov, D. Chetverikov and K. Kato, Gaussian approximations and multiplier bootstrap for maxima of
    sums, Annals of Statistics 2013; J. Romano and M. Wolf, Stepwise multiple testing, Econometrica 2005.

    Args:
        worth: name of a window -> (periods,) how good its model was in each period; higher is better.
        cases: (periods,) cases with a label in each period.
        current: the window that is kept unless another one is better.

    Raises:
        NoriaError: `training.windows` if the current window is missing, a worth is not finite, or lengths differ.

    >>> worth = {"all": np.array([1.0, 1.1, 0.9, 1.0]), "newest": np.array([1.3, 1.3, 1.2, 1.3])}
    >>> better_window(worth, np.full(4, 500.0), "all").name
    'newest'
    """
    if current not in worth or any(len(one) != len(cases) or not np.isfinite(one).all() for one in worth.values()):
        raise NoriaError(
            f"the windows {', '.join(worth)} cannot be compared with `{current}`",
            code="training.windows",
            fix="give one finite worth per period for each window, the current one included",
        )
    others, counted = [name for name in worth if name != current], cases > 0
    lead, error = dict.fromkeys(worth, 0.0), dict.fromkeys(worth, float("inf"))
    if counted.sum() < FEWEST_PERIODS or not others:
        return BetterWindow(current, lead, error, float("inf"))
    ahead = np.array([(worth[name] - worth[current])[counted] for name in others])
    share = cases[counted] / cases[counted].sum()
    leads, errors = _lead_and_error(ahead, share)
    needed = _needed(ahead - leads[:, None], share)
    lead |= dict(zip(others, leads.tolist(), strict=True))
    error |= dict(zip(others, errors.tolist(), strict=True))
    beyond = [name for name in others if lead[name] > max(needed * error[name], 0.0)]
    return BetterWindow(max(beyond, key=lambda name: lead[name], default=current), lead, error, needed)


def _lead_and_error(ahead: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Mean and standard error over (…, periods), each period by its share of the cases."""
    periods = len(share)
    lead = ahead @ share
    spread = ((share * (ahead - lead[..., None])) ** 2).sum(axis=-1) * periods / (periods - 1)
    return lead, np.sqrt(spread)


def _needed(noise: Floats, share: Floats) -> float:
    """How many standard errors the largest lead of (windows, periods) noise seldom exceeds."""
    periods = len(share)
    if periods <= _ALL_SIGNS:
        signs = np.array(list(product((-1.0, 1.0), repeat=periods)))
    else:
        signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(2**_ALL_SIGNS, periods))
    lead, error = _lead_and_error(signs[:, None, :] * noise, share)
    largest = np.divide(lead, error, out=np.zeros_like(lead), where=error > 0).max(axis=1)
    return float(np.quantile(largest, 1 - ERROR))
