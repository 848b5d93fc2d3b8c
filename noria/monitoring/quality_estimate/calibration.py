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


@dataclass(frozen=True)
class Calibration:
    """Calibrated probabilities from five fits, each without a fifth of the reference."""

    maps: list[Map]
    trees: BoostedParts
    kind: str
    """`Platt` or `isotonic`."""

    @property
    def method(self) -> str:
        """What it is called in reports."""
        return "CBPE, calibrated by the inputs" if self.trees.help else "CBPE"

    def probabilities(self, matrix: Floats, scores: Floats) -> Floats:
        """(k, n) probabilities of the positive class by each of the k fits; their mean is the best guess.

        Args:
            matrix: (n, p) the inputs, as in the reference.
            scores: (n,) the model's probabilities.
        """
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
        margin = fit(scores[inside], truth[inside])(scores[outside])
        total += float((np.logaddexp(0, margin) - truth[outside] * margin).sum())
    return total


def _with_score(matrix: Floats, scores: Floats) -> Floats:
    return np.column_stack([matrix, log_odds(scores)])


def _expit(margins: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-margins)), dtype=np.float64)
