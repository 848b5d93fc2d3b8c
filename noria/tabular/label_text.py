"""Labels as they are compared everywhere: as text."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_labels(values: Sequence[Any] | NDArray[Any] | Any) -> NDArray[np.str_]:
    """(n,) labels as text; an array of text is returned as it is."""
    if isinstance(values, np.ndarray) and values.dtype.kind == "U":
        return values
    return np.array([str(value) for value in values], dtype=str)
