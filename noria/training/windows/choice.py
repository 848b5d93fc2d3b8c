"""Which rows to learn from: all, the newest, or weighted by age; chosen on past periods."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noria.system.errors import NoriaError

Floats = NDArray[np.float64]


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
    """How many standard errors a lead needs."""


def better_window(
    worth: Mapping[str, Floats], cases: Floats, current: str, *, needed: float | None = None
) -> BetterWindow:
    """The window that was best in past periods, if it leads beyond chance; else the current one.

    In each period one model per window is judged, learned on what was known when the period began. All of them answer
    the same cases, so the leads are paired by period, and their standard error comes from how they differ between
    periods. A lead counts if it is above `needed` standard errors: by default the one-sided 95 % quantile of Student's
    t with one degree of freedom less than periods. With several windows the quantile is that of .05 / windows, so that
    one of many does not win by chance (O. J. Dunn, Multiple comparisons among means, Journal of the American
    Statistical Association, 1961).

    Args:
        worth: name of a window -> (periods,) how good its model was in each period; higher is better.
        cases: (periods,) cases with a label in each period.
        current: the window that is kept unless another one is better.
        needed: how many standard errors a lead needs, if not by default.

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
    lead, error = dict.fromkeys(worth, 0.0), dict.fromkeys(worth, float("inf"))
    periods, total = int((cases > 0).sum()), float(cases.sum())
    if periods < 2:
        return BetterWindow(current, lead, error, float("inf"))
    needed = _quantile(len(worth) - 1, periods) if needed is None else needed
    for name, one in worth.items():
        ahead = one - worth[current]
        lead[name] = float((ahead * cases).sum() / total)
        spread = ((cases * (ahead - lead[name])) ** 2).sum() * periods / (periods - 1)
        error[name] = float(np.sqrt(spread)) / total
    beyond = [name for name in worth if lead[name] > needed * error[name]]
    return BetterWindow(max(beyond, key=lambda name: lead[name], default=current), lead, error, needed)


def _quantile(windows: int, periods: int) -> float:
    """How many standard errors the lead of the best of these windows needs."""
    from scipy.stats import t

    return float(t.ppf(1 - 0.05 / max(windows, 1), periods - 1))
