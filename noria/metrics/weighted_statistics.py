"""Metrics as functions of row weights: weights (b, n) → (b,) values, NaN where undefined.

With all weights 1 they equal scikit-learn's metrics of the same names; with the counts of a bootstrap resample they
are the metric of that resample.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from noria.metrics.bootstrap import Floats, Statistic

_TINY = 1e-15


def binary(positive: NDArray[np.bool_], probability: Floats) -> dict[str, Statistic]:
    """roc_auc, average_precision, log_loss and brier of (n,) probabilities of the positive class."""
    return {
        "roc_auc": _roc_auc(positive, probability),
        "average_precision": _average_precision(positive, probability),
        "log_loss": mean(-_log(np.where(positive, probability, 1 - probability))),
        "brier": mean((probability - positive) ** 2),
    }


def multiclass(
    truth: NDArray[np.str_], probabilities: Floats, answered: NDArray[np.str_], classes: NDArray[np.str_]
) -> dict[str, Statistic]:
    """accuracy and f1_macro of (n,) answers, log_loss of (n, k) probabilities.

    A true class that is not in `classes` counts as missed.
    """
    is_true = truth[:, None] == classes[None, :]
    is_predicted = answered[:, None] == classes[None, :]
    of_truth = np.where(is_true, probabilities, 0).sum(axis=1)
    return {
        "accuracy": mean((is_true & is_predicted).any(axis=1).astype(np.float64)),
        "f1_macro": _f1_macro(is_true, is_predicted),
        "log_loss": mean(-_log(of_truth)),
    }


def regression(truth: Floats, predicted: Floats) -> dict[str, Statistic]:
    """mae, rmse and r2 of (n,) predicted numbers."""
    squared = (predicted - truth) ** 2
    return {
        "mae": mean(np.abs(predicted - truth)),
        "rmse": _then(np.sqrt, mean(squared)),
        "r2": _r2(truth, squared),
    }


def mean(values: Floats) -> Statistic:
    """The weighted mean of (n,) values."""

    def value(weights: Floats) -> Floats:
        return _ratio(weights @ values, weights.sum(axis=1))

    return value


def _roc_auc(positive: NDArray[np.bool_], probability: Floats) -> Statistic:
    by_score = _by_score(positive, probability)

    def value(weights: Floats) -> Floats:
        ups, downs = by_score(weights)
        # the chance that a positive outranks a negative, a tie counting half (Hanley and McNeil 1982)
        below = downs.cumsum(axis=1) - downs / 2
        return _ratio((ups * below).sum(axis=1), ups.sum(axis=1) * downs.sum(axis=1))

    return _if_rows(positive, value)


def _average_precision(positive: NDArray[np.bool_], probability: Floats) -> Statistic:
    by_score = _by_score(positive, -probability)

    def value(weights: Floats) -> Floats:
        ups, downs = by_score(weights)
        caught = ups.cumsum(axis=1)
        picked = caught + downs.cumsum(axis=1)
        precision = np.divide(caught, picked, out=np.zeros_like(caught), where=picked > 0)
        return _ratio((ups * precision).sum(axis=1), ups.sum(axis=1))

    return _if_rows(positive, value)


def _by_score(positive: NDArray[np.bool_], scores: Floats) -> Callable[[Floats], tuple[Floats, Floats]]:
    """What adds up weights (b, n) into (b, distinct scores), the lowest score first: of the positives, and of the
    negatives."""
    order = np.argsort(scores, kind="stable")
    ranked, chosen = scores[order], positive[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])

    def added(weights: Floats) -> tuple[Floats, Floats]:
        in_order = weights[:, order]
        whole = np.add.reduceat(in_order, starts, axis=1)
        ups = np.add.reduceat(in_order * chosen, starts, axis=1)
        return ups, whole - ups

    return added


def _f1_macro(is_true: NDArray[np.bool_], is_predicted: NDArray[np.bool_]) -> Statistic:
    hits = (is_true & is_predicted).astype(np.float64)
    sizes = is_true.astype(np.float64) + is_predicted

    def value(weights: Floats) -> Floats:
        size = weights @ sizes
        scores = np.divide(2 * (weights @ hits), size, out=np.zeros_like(size), where=size > 0)
        return _ratio(scores.sum(axis=1), (size > 0).sum(axis=1).astype(np.float64))

    return value


def _r2(truth: Floats, squared: Floats) -> Statistic:
    # centred first: the difference of two large sums would lose digits
    centred = truth - truth.mean() if len(truth) else truth
    residual, first, second = mean(squared), mean(centred), mean(centred**2)

    def value(weights: Floats) -> Floats:
        spread = second(weights) - first(weights) ** 2
        return 1 - _ratio(residual(weights), np.where(spread > 0, spread, 0))

    return value


def _then(function: Callable[[Floats], Floats], statistic: Statistic) -> Statistic:
    return lambda weights: function(statistic(weights))


def _if_rows(rows: NDArray[np.bool_], statistic: Statistic) -> Statistic:
    return statistic if len(rows) else mean(np.zeros(0))


def _log(probability: Floats) -> Floats:
    return np.log(np.clip(probability, _TINY, 1.0))


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.full_like(above, np.nan, dtype=np.float64), where=below != 0)
