"""Shapley values for a score of typed columns, as rules take them, instead of a matrix."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noria.serving.explanation.shapley import BUDGET, Explanation, explain

Values = Mapping[str, NDArray[Any]]


def explain_values(
    score: Callable[[Values, int], NDArray[np.float64]],
    row: Values,
    background: Values,
    seed: int,
    *,
    budget: int = BUDGET,
) -> Explanation:
    """Explain the score of one row; every column is its own group. See `explain`.

    Args:
        score: scores columns of n values, and n, as (n,) numbers.
        row: column → (1,) the value of the row to be explained.
        background: column → (b,) the values to compare it with; the same columns.
        seed: the same one gives the same contributions.
        budget: how many rows `score` may be given, about.

    Returns:
        The contributions are in the order of the columns of `row`.
    """
    pool = {name: np.concatenate([values, background[name]]) for name, values in row.items()}
    which = np.stack([_sources(values) for values in pool.values()], axis=1)

    def scored(sources: NDArray[np.intp]) -> NDArray[np.float64]:
        columns = {name: values[sources[:, place]] for place, (name, values) in enumerate(pool.items())}
        return score(columns, len(sources))

    return explain(scored, which[0], which[1:], [[place] for place in range(len(pool))], seed, budget=budget)


def _sources(values: NDArray[Any]) -> NDArray[np.intp]:
    """(1 + b,) where each value is found; 0 if it is the row's own, so that it is seen not to differ."""
    missing = (values != values) & (values[0] != values[0])  # noqa: PLR0124 - NaN and NaT of any type
    own = np.asarray((values == values[0]) | missing, dtype=bool)
    return np.where(own, 0, np.arange(len(values)))
