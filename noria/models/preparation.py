"""Preparing the encoded matrix for a model: everything is fitted on the rows given, the training rows.

One small transformer over plain arrays rather than a `ColumnTransformer` of imputers, scalers and encoders: on one
row it takes a fiftieth of the time, and its file holds nothing but numbers.
"""

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from noria.models.matrix_transform import MatrixTransform
from noria.schema import InputSchema

Matrix = NDArray[Any]
_ROWS_AT_ONCE = 65_536
_STYLES = {"linear": "linear", "xgboost": "codes"}


class Preparation(TransformerMixin, BaseEstimator):
    """Clips numbers to quantiles of the fitted rows and prepares categories as the kind of model wants them.

    Styles:
        one_hot: numbers keep NaN (trees split on it); one column per category, and one for missing. An unseen
            category is all zeros.
        linear: as one_hot, with missing numbers set to the median and marked in a column of their own where the
            fitted rows had any; then numbers are scaled to mean 0 and standard deviation 1.
        codes: numbers keep NaN; categories stay codes for XGBoost's own categorical splits, unseen as NaN.
    """

    def __init__(
        self,
        numbers: list[int],
        categories: list[int],
        levels: list[int],
        style: str = "one_hot",
        clip_quantile: float = 0.0,
    ) -> None:
        self.numbers = numbers
        self.categories = categories
        self.levels = levels
        self.style = style
        self.clip_quantile = clip_quantile

    def fit(self, matrix: Matrix, target: object = None) -> Self:
        """Learn from an (n, p) encoded matrix."""
        numbers = matrix[:, self.numbers]
        self.low_, self.high_ = _limits(numbers, self.clip_quantile)
        self.owner_ = np.repeat(np.arange(len(self.levels)), self.levels)
        self.level_ = np.concatenate([np.arange(count) for count in self.levels]) if self.levels else self.owner_
        if self.style == "linear":
            self._fit_linear(np.clip(numbers, self.low_, self.high_))
        return self

    def transform(self, matrix: Matrix) -> Matrix:
        """(n, q) prepared rows, float64 for linear models and float32 for trees."""
        transform = self.fitted
        parts = [transform.apply(matrix[i : i + _ROWS_AT_ONCE]) for i in range(0, max(len(matrix), 1), _ROWS_AT_ONCE)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _fit_linear(self, numbers: Matrix) -> None:
        missing = np.isnan(numbers)
        self.marked_ = np.flatnonzero(missing.any(axis=0))
        median = _quietly(np.nanmedian, numbers)
        self.median_ = np.where(np.isnan(median), 0.0, median)
        filled = np.where(missing, self.median_, numbers)
        self.mean_ = filled.mean(axis=0)
        spread = filled.std(axis=0)
        self.spread_ = np.where(spread > 0, spread, 1.0)

    @property
    def fitted(self) -> MatrixTransform:
        """What it does to a matrix, now that it is fitted."""
        places = (np.array(self.numbers, dtype=np.intp), np.array(self.categories, dtype=np.intp))
        learned = (self.low_, self.high_, self.owner_, self.level_)
        if self.style != "linear":
            return MatrixTransform(self.style, *places, *learned)
        return MatrixTransform(self.style, *places, *learned, self.median_, self.mean_, self.spread_, self.marked_)


def build_preparation(kind: str, schema: InputSchema, clip_quantile: float) -> Preparation:
    """The unfitted preparation of a kind of model; it takes `schema.encode`'s matrix."""
    return Preparation(
        schema.places("number", "datetime"),
        schema.places("category"),
        [len(column.categories) + 1 for column in schema.columns if column.kind == "category"],
        style_of(kind),
        clip_quantile,
    )


def style_of(kind: str) -> str:
    """How a kind of model wants its categories and missing numbers; kinds of one style share what is prepared."""
    return _STYLES.get(kind, "one_hot")


def _limits(numbers: Matrix, quantile: float) -> tuple[Matrix, Matrix]:
    if quantile == 0 or not len(numbers):
        unlimited = np.full(numbers.shape[1], np.inf)
        return -unlimited, unlimited
    ends = _quietly(np.nanquantile, numbers, [quantile, 1 - quantile])
    return np.where(np.isnan(ends[0]), -np.inf, ends[0]), np.where(np.isnan(ends[1]), np.inf, ends[1])


def _quietly(statistic: Any, numbers: Matrix, *args: Any) -> Any:
    with warnings.catch_warnings():
        # a column may be wholly missing in one fold
        warnings.simplefilter("ignore", RuntimeWarning)
        return statistic(numbers, *args, axis=0)
