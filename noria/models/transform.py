"""The arithmetic of the preparation, on plain arrays: training, batch and the service all run this code."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[Any]


@dataclass(frozen=True)
class Transform:
    """What a fitted `Preparation` does to a matrix."""

    style: str
    """one_hot, linear or codes; see `Preparation`."""
    numbers: Matrix
    """(a,) places of the numbers in the encoded matrix."""
    categories: Matrix
    """(b,) places of the categories."""
    low: Matrix
    """(a,) numbers are clipped from here …"""
    high: Matrix
    """(a,) … to here."""
    owner: Matrix
    """(l,) one-hot column → the category column it belongs to."""
    level: Matrix
    """(l,) one-hot column → the code that it stands for."""
    median: Matrix | None = None
    """linear: (a,) what stands in for a missing number."""
    mean: Matrix | None = None
    spread: Matrix | None = None
    marked: Matrix | None = None
    """linear: (m,) numbers whose being missing has a column of its own."""

    def apply(self, matrix: Matrix) -> Matrix:
        """(n, p) encoded rows → (n, q) prepared rows, float64 for linear models and float32 for trees."""
        numbers = np.minimum(np.maximum(matrix[:, self.numbers], self.low), self.high)
        codes = matrix[:, self.categories]
        if self.style == "linear":
            return self._linear(numbers, codes)
        rows, a = numbers.shape
        if self.style == "codes":
            prepared = np.empty((rows, a + codes.shape[1]), dtype=np.float32)
            prepared[:, a:] = codes
            prepared[:, a:][codes < 0] = np.nan
        else:
            prepared = np.empty((rows, a + len(self.owner)), dtype=np.float32)
            prepared[:, a:] = codes[:, self.owner] == self.level
        prepared[:, :a] = numbers
        return prepared

    def _linear(self, numbers: Matrix, codes: Matrix) -> Matrix:
        assert self.median is not None and self.marked is not None  # noqa: S101
        missing = np.isnan(numbers)
        scaled = (np.where(missing, self.median, numbers) - self.mean) / self.spread
        return np.hstack([scaled, missing[:, self.marked], codes[:, self.owner] == self.level])
