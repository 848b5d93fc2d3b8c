"""Which rows teach a model most: a greedy design that makes its answers certain where decisions depend on them.

The model is seen as a logistic (or linear) one over the rows' space. What it knows is its Fisher information; a row is
worth as much as its label is expected to lower the mean variance of the answers to all rows, each weighed by what
depends on it. A row near one that was chosen already is worth less, and copies are not chosen twice.

Sources: V-optimal design (V. V. Fedorov, Theory of Optimal Experiments, 1972); for logistic models A. I. Schein and
L. H. Ungar, Active learning for logistic regression, Machine Learning 68, 2007; with the Fisher information and
greedy steps J. T. Ash et al., Gone fishing: neural active learning with Fisher embeddings, NeurIPS 2021. The update
after each step is the Sherman–Morrison formula.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

_PRIOR = 1.0
"""Precision of each coefficient before any label, in a space of standard deviation one."""
_CANDIDATES = 2_000
"""The rows that are worth most at the first step; further ones are not looked at again."""
_OLDER_ROWS = 4
"""For each label wanted, at most so many learned rows count: with many of them one more label would change nothing, and
all labels would be wanted at the same place."""


@dataclass(frozen=True)
class Knowledge:
    """What a model has learned from."""

    space: Matrix
    """(m, q) learned rows."""
    information: Matrix
    """(m,) the information of each label, as `Pool.information`; more than that where a row stands for several."""
    rows: float
    """How many rows they stand for."""


@dataclass(frozen=True)
class Pool:
    """n rows whose label is not known."""

    space: Matrix
    """(n, q) the rows as a linear model takes them: numbers scaled, categories one column each."""
    information: Matrix
    """(n,) what a label tells of the row: p (1 - p) for a probability p, 1 for a number."""
    stake: Matrix
    """(n,) 0 to 1: how much depends on the answer; 1 at the decision's threshold."""
    factor: Matrix
    """(n,) at least 0: by what the worth of each label is multiplied, for reasons that the design does not know."""


def most_informative(pool: Pool, known: Knowledge, rows: int) -> tuple[NDArray[np.intp], Matrix]:
    """The rows of the pool that teach most, best first, each given those before it.

    Args:
        pool: n rows.
        known: m rows that the model has learned from; none are allowed.
        rows: how many to choose; at most n are.

    Returns:
        (k,) places in the pool, and (n,) how little is known of each: the variance of its score before any choice.
    """
    space, learned = _with_constant(pool.space), _with_constant(known.space)
    counted = min(1.0, _OLDER_ROWS * rows / max(known.rows, 1.0))
    precision = _PRIOR * np.eye(space.shape[1]) + (learned * (counted * known.information)[:, None]).T @ learned
    covariance: Matrix = np.asarray(np.linalg.inv(precision), dtype=np.float64)
    target = (space * pool.stake[:, None]).T @ space / max(len(space), 1)
    unknown = np.einsum("ij,ij->i", space @ covariance, space)
    steps = _Steps(space * np.sqrt(pool.information)[:, None], covariance, target, pool.factor)
    once = np.unique(pool.space, axis=0, return_index=True)[1]
    best = once[np.argsort(-steps.worth()[once], kind="stable")]
    places = np.sort(best[: max(_CANDIDATES, 4 * rows)])
    steps = _Steps(steps.rows[places], covariance, target, steps.factor[places])
    return places[steps.choose(min(rows, len(places)))], unknown


class _Steps:
    """The greedy choice; `rows` (n, q) are scaled by the root of their information."""

    def __init__(self, rows: Matrix, covariance: Matrix, target: Matrix, factor: Matrix) -> None:
        self.rows, self.factor = rows, factor
        self._target = target
        self._spread = rows @ covariance  # (n, q)
        self._variance = np.einsum("ij,ij->i", self._spread, rows)
        self._lowered = np.einsum("ij,ij->i", self._spread @ target, self._spread)

    def worth(self) -> Matrix:
        """(n,) how much the label of each row lowers the weighed mean variance."""
        worth: Matrix = self.factor * self._lowered / (1.0 + self._variance)
        return worth

    def choose(self, rows: int) -> NDArray[np.intp]:
        """The best rows one after the other."""
        chosen = np.empty(rows, dtype=np.intp)
        is_open = np.ones(len(self.rows), dtype=bool)
        for step in range(rows):
            best = int(np.argmax(np.where(is_open, self.worth(), -np.inf)))
            chosen[step], is_open[best] = best, False
            self._learn(best)
        return chosen

    def _learn(self, row: int) -> None:
        """What changes once this row's label is known."""
        total, spread = 1.0 + self._variance[row], self._spread[row].copy()
        along = self.rows @ spread / total
        moved = self._target @ spread
        self._lowered = self._lowered - 2 * along * (self._spread @ moved) + along**2 * float(spread @ moved)
        self._variance = self._variance - along**2 * total
        self._spread = self._spread - np.outer(along, spread)


def _with_constant(space: Matrix) -> Matrix:
    return np.hstack([space, np.ones((len(space), 1))])
