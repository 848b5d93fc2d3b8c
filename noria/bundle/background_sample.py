"""Which rows an explanation compares with: few, but together like all of them."""

import numpy as np
from numpy.typing import NDArray


def sample_background(scores: NDArray[np.float64], rows: int) -> NDArray[np.intp]:
    """The places of at most `rows` of n rows whose scores are spread like those of all.

    Ordered by score and cut into equal parts, the middle row of each part is taken (systematic sampling: Madow and
    Madow, Annals of Mathematical Statistics 15, 1944). So the mean score of few rows, from which an explanation
    starts, is near that of all, where as many rows drawn blindly may be far off.

    Args:
        scores: (n,) numbers, or (n, k) probabilities of classes; ordered by class first, then by its probability.
        rows: how many to take, at least 1.
    """
    keys = [scores] if scores.ndim == 1 else [scores.max(axis=1), scores.argmax(axis=1)]
    order = np.lexsort(keys)
    parts = min(rows, len(order))
    middles = ((np.arange(parts) + 0.5) * len(order) / parts).astype(np.intp)
    return np.sort(order[middles])
