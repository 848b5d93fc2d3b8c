"""Which rows to learn from: all, the newest, or weighted by age; chosen on past periods."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noria.system.errors import NoriaError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WindowChoice:
    """The window to learn from next."""

    name: str
    """The window that was chosen."""
    lead: dict[str, float]
    """How much more a case brought in with each window than with the current one, in `problem.unit`."""
    error: dict[str, float]
    """The standard error of each lead."""


def choose_window(worth: Mapping[str, Floats], cases: Floats, current: str) -> WindowChoice:
    """The window whose models brought in most in past periods, if its lead is above its standard error.

    In each period one model per window is judged, learned on what was known when the period began. All of them decide
    the same cases, so the leads are paired by period. The current window is kept where no other one leads by more than
    a standard error, so that chance does not change it at each look.

    Source of the rule of one standard error: L. Breiman et al., Classification and regression trees, 1984.

    Args:
        worth: name of a window -> (periods,) mean worth of a case in each period.
        cases: (periods,) cases with a label in each period.
        current: the window that is used now.

    Raises:
        NoriaError: `loop.windows` if the current window is missing, a worth is not finite, or lengths differ.

    >>> worth = {"all": np.array([1.0, 1.1, 0.9, 1.0]), "newest": np.array([1.3, 1.3, 1.2, 1.3])}
    >>> choose_window(worth, np.full(4, 500.0), "all").name
    'newest'
    """
    if current not in worth or any(len(one) != len(cases) or not np.isfinite(one).all() for one in worth.values()):
        raise NoriaError(
            f"the windows {', '.join(worth)} cannot be compared with `{current}`",
            code="loop.windows",
            fix="give one finite worth per period for each window, the current one included",
        )
    lead, error = dict.fromkeys(worth, 0.0), dict.fromkeys(worth, float("inf"))
    periods, total = int((cases > 0).sum()), float(cases.sum())
    if periods < 2:
        return WindowChoice(current, lead, error)
    for name, one in worth.items():
        ahead = one - worth[current]
        lead[name] = float((ahead * cases).sum() / total)
        spread = ((cases * (ahead - lead[name])) ** 2).sum() * periods / (periods - 1)
        error[name] = float(np.sqrt(spread)) / total
    best = max(worth, key=lambda name: lead[name])
    return WindowChoice(best if lead[best] > error[best] else current, lead, error)
