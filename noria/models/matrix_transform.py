"""The arithmetic of the preparation, on plain arrays: training, batch and the service all run this code."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[Any]


@dataclass(frozen=True)
class MatrixTransform:
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
        ordered = matrix.take(self._order, axis=1)
        rows, a = len(matrix), len(self.numbers)
        numbers, codes = ordered[:, :a], ordered[:, a:]
        if self._clips:
            np.maximum(numbers, self.low, out=numbers)
            np.minimum(numbers, self.high, out=numbers)
        if self.style == "linear":
            return self._linear(numbers, codes)
        if self.style == "codes":
            codes[codes < 0] = np.nan
            return ordered.astype(np.float32)
        prepared = np.empty((rows, a + len(self.owner)), dtype=np.float32)
        prepared[:, :a] = numbers
        prepared[:, a:] = codes[:, self.owner] == self.level
        return prepared

    @cached_property
    def _order(self) -> Matrix:
        """The numbers' places, then the categories'."""
        return np.concatenate([self.numbers, self.categories]).astype(np.intp)

    @cached_property
    def _clips(self) -> bool:
        """Is any number clipped at all?"""
        return bool(np.isfinite(self.low).any() or np.isfinite(self.high).any())

    def _linear(self, numbers: Matrix, codes: Matrix) -> Matrix:
        assert self.median is not None and self.marked is not None  # noqa: S101
        missing = np.isnan(numbers)
        scaled = (np.where(missing, self.median, numbers) - self.mean) / self.spread
        return np.hstack([scaled, missing[:, self.marked], codes[:, self.owner] == self.level])
