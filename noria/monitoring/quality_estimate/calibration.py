"""Calibration: what a probability of the model is worth, by the rows whose truth is known.

The probabilities are first calibrated alone, by the one of two maps that is best on rows it was not fitted on: Platt's
(J. Platt, 1999) or isotonic regression (B. Zadrozny and C. Elkan, 2002). Small boosted trees then learn from the inputs
where these are still wrong, which matters when the mix of inputs moves: a model may be overconfident for some groups
and timid for others, and right on average only for the mix of the reference (U. Hébert-Johnson, M. Kim, O. Reingold and
G. Rothblum, Multicalibration, ICML 2018). Where trees do not help, the result is plain CBPE.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noria.monitoring.quality_estimate.boosted_parts import BoostedParts, Parts, fit_parts, split_parts

Floats = NDArray[np.float64]
Map = Callable[[Floats], Floats]
"""(n,) probabilities → (n,) log-odds."""
_PARTS = 5
_TINY = 1e-3
_SCORES = 3.0
"""Standard errors from which on a gain is no chance."""


@dataclass(frozen=True)
class Calibration:
    """Calibrated probabilities from five fits, each without a fifth of the reference."""

    maps: list[Map]
    trees: BoostedParts
    kind: str
    """`Platt` or `isotonic`."""
    before: "Calibration | None" = None
    """What the probabilities are calibrated by first; None: nothing."""

    @property
    def method(self) -> str:
        """What it is called in reports."""
        if self.before is not None:
            return f"{self.before.method}, recalibrated by late labels"
        return "CBPE, calibrated by the inputs" if self.trees.help else "CBPE"

    def probabilities(self, matrix: Floats, scores: Floats) -> Floats:
        """(k, n) probabilities of the positive class by each of the k fits; their mean is the best guess.

        Args:
            matrix: (n, p) the inputs, as in the reference.
            scores: (n,) the model's probabilities.
        """
        if self.before is not None:
            scores = self.before.probabilities(matrix, scores).mean(axis=0)
        margins = np.stack([each(scores) for each in self.maps])
        return _expit(self.trees.add(_with_score(matrix, scores), margins))


def fit_calibration(matrix: Floats, scores: Floats, positive: NDArray[np.bool_], *, seed: int = 0) -> Calibration:
    """Calibrate by rows whose truth is known and that the model was not fitted on.

    Args:
        matrix: (n, p) the inputs as numbers, NaN where missing; p may be 0.
        scores: (n,) the model's probabilities of the positive class.
        positive: (n,) the truth.
        seed: of the parts and the trees.
    """
    truth = positive.astype(np.float64)
    parts = split_parts(len(scores), _PARTS, seed)
    kind = min(_MAPS, key=lambda name: _held_out_loss(_MAPS[name], scores, truth, parts))
    maps = [_MAPS[kind](scores[inside], truth[inside]) for inside, _ in parts]
    margins = np.stack([each(scores) for each in maps])
    trees = fit_parts(_with_score(matrix, scores), truth, margins, parts, objective="binary:logistic", seed=seed)
    return Calibration(maps, trees, kind)


def recalibrate(before: Calibration, matrix: Floats, scores: Floats, positive: NDArray[np.bool_]) -> Calibration:
    """Correct a calibration by newer rows, if they show beyond chance that it is wrong; otherwise it stays.

    The correction is Platt's map of the calibrated probabilities: two numbers, which few rows can tell. Trees and
    isotonic regression learn what is true of these rows alone, and made estimates of the next ones worse. It must lower
    the log loss of rows that it was not fitted on by three standard errors. These are stretches of time: neighbours,
    such as people of one household, resemble each other, and would make any correction look good.

    Args:
        before: the calibration by the reference.
        matrix: (n, p) the inputs of the newer rows, in the order of time.
        scores: (n,) the model's probabilities.
        positive: (n,) the truth.
    """
    given, truth = before.probabilities(matrix, scores).mean(axis=0), positive.astype(np.float64)
    parts = split_parts(len(scores), _PARTS, 0, in_order=True)
    if any(len(np.unique(truth[inside])) < 2 for inside, _ in parts):
        return before
    maps, gains = [], np.zeros(len(scores))
    for inside, outside in parts:
        maps.append(_platt(given[inside], truth[inside]))
        gains[outside] = _losses(log_odds(given[outside]), truth[outside])
        gains[outside] -= _losses(maps[-1](given[outside]), truth[outside])
    if not is_proven_gain(gains):
        return before
    return Calibration(maps, BoostedParts([None] * _PARTS, [0] * _PARTS), "Platt", before)


def is_proven_gain(gains: Floats) -> bool:
    """Whether (n,) gains are positive on average, by three standard errors."""
    return bool(gains.mean() > _SCORES * gains.std() / np.sqrt(len(gains)))


def _losses(margin: Floats, truth: Floats) -> Floats:
    """(n,) log loss of log-odds."""
    return np.asarray(np.logaddexp(0, margin) - truth * margin, dtype=np.float64)


def isotonic(scores: Floats, truth: Floats, weights: Floats | None = None) -> Map:
    """Isotonic regression of the truth on the probabilities."""
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(out_of_bounds="clip").fit(scores, truth, sample_weight=weights)
    return lambda given: log_odds(np.asarray(fitted.predict(given), dtype=np.float64))


def log_odds(probability: Floats) -> Floats:
    """(n,) log-odds; a probability below 0.001 counts as 0.001, and one above 0.999 as 0.999."""
    clipped = np.clip(probability, _TINY, 1 - _TINY)
    return np.asarray(np.log(clipped / (1 - clipped)), dtype=np.float64)


def _platt(scores: Floats, truth: Floats) -> Map:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e3).fit(log_odds(scores)[:, None], truth)
    slope, level = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return lambda given: slope * log_odds(given) + level


_MAPS: dict[str, Callable[[Floats, Floats], Map]] = {"Platt": _platt, "isotonic": isotonic}


def _held_out_loss(fit: Callable[[Floats, Floats], Map], scores: Floats, truth: Floats, parts: Parts) -> float:
    total = 0.0
    for inside, outside in parts:
        total += float(_losses(fit(scores[inside], truth[inside])(scores[outside]), truth[outside]).sum())
    return total


def _with_score(matrix: Floats, scores: Floats) -> Floats:
    return np.column_stack([matrix, log_odds(scores)])


def _expit(margins: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-margins)), dtype=np.float64)
