"""The best moments to retrain, found when all is over: a bound that no policy can pass."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noria.system.errors import NoriaError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RetrainingPlan:
    """When a model was replaced, and what came of it."""

    moments: tuple[int, ...]
    """The periods at whose start a new model took over, in order; period 0 is the model that was there already."""
    worth: float
    """What all decisions brought in, in the unit of the matrix."""
    total: float
    """The worth less the price of the retrainings."""


def best_plan(worth: Floats, price: float = 0.0, retrainings: int | None = None) -> RetrainingPlan:
    """The plan with the highest total, by dynamic programming over the last moment of retraining (Bellman 1957).

    It takes O(k n²) steps for n periods and k retrainings. Of plans that are worth the same, one with the fewest
    retrainings is taken.

    Args:
        worth: (periods, periods) what the model learned at the start of period `s` brings in during period `t`, at
            `worth[s, t]`; what stands below the diagonal is not read.
        price: of one retraining, in the unit of `worth`.
        retrainings: at most so many; None: as many as pay.

    Raises:
        NoriaError: `loop.matrix` if `worth` is not square or lacks a value; `loop.price` if the price is negative.

    >>> import numpy as np
    >>> age = np.subtract.outer(np.arange(4), np.arange(4)).T.clip(0)
    >>> best_plan(10.0 - age, price=1.5, retrainings=2)
    RetrainingPlan(moments=(2,), worth=38.0, total=36.5)
    """
    periods = _checked(worth, price)
    most = periods - 1 if retrainings is None else max(0, min(retrainings, periods - 1))
    earned = np.cumsum(np.where(np.triu(np.ones((periods, periods), bool)), worth, 0.0), axis=1)
    best = earned[:, -1].copy()  # the best from the start of a period on, where its model is new, with no more after it
    following: list[NDArray[np.int_]] = []
    for _ in range(most):
        nearer, chosen = earned[:, -1].copy(), np.full(periods, -1)
        for start in range(periods - 1):
            # the model of `start` serves until just before the next one
            through = earned[start, start:-1] + best[start + 1 :] - price
            at = int(np.argmax(through))
            if through[at] > nearer[start] + _tolerance(earned):
                nearer[start], chosen[start] = through[at], start + 1 + at
        if (chosen < 0).all():
            break  # one more brings nothing
        best = nearer
        following.append(chosen)
    return plan_of(worth, _moments(following), price)


def plan_of(worth: Floats, moments: tuple[int, ...], price: float = 0.0) -> RetrainingPlan:
    """What retraining at these moments brings in; arguments and errors as `best_plan`.

    >>> import numpy as np
    >>> plan_of(np.array([[5.0, 4.0, 1.0], [0.0, 5.0, 4.0], [0.0, 0.0, 5.0]]), (2,), price=2.0)
    RetrainingPlan(moments=(2,), worth=14.0, total=12.0)
    """
    periods = _checked(worth, price)
    serving = np.zeros(periods, dtype=int)
    for moment in sorted(moments):
        serving[moment:] = moment
    earned = float(worth[serving, np.arange(periods)].sum())
    return RetrainingPlan(tuple(sorted(moments)), earned, earned - price * len(moments))


def _moments(following: list[NDArray[np.int_]]) -> tuple[int, ...]:
    found, at = [], 0
    for chosen in reversed(following):
        if chosen[at] < 0:
            break
        at = int(chosen[at])
        found.append(at)
    return tuple(found)


def _tolerance(earned: Floats) -> float:
    return 1e-12 * float(np.abs(earned).max())


def _checked(worth: Floats, price: float) -> int:
    if worth.ndim != 2 or worth.shape[0] != worth.shape[1] or worth.shape[0] == 0:
        raise NoriaError(
            f"the worth of models by period must be a square matrix, and has the shape {worth.shape}",
            code="loop.matrix",
            fix="give one row per moment of training and one column per period",
        )
    if not np.isfinite(worth[np.triu_indices(len(worth))]).all():
        raise NoriaError(
            "the worth of some model in some period is missing",
            code="loop.matrix",
            fix="give what each model brings in, in each period from its own on",
        )
    if not (np.isfinite(price) and price >= 0):
        raise NoriaError(
            f"a retraining cannot cost {price}", code="loop.price", fix="give a price of 0 or more, in `problem.unit`"
        )
    return len(worth)
