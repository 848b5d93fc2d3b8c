"""What a model of some age brings in less than one learned just now, per case: a regret that grows with its age.

It has two reasons: it has seen fewer labels, and the world has moved since. The first follows the power law of
learning curves with the exponent -1/2; the second is a mixture of exponential approaches, from a step to a slow move.

Sources: T. Viering and M. Loog, The shape of learning curves: a review, IEEE TPAMI 2023 (power law); C. Lawson and
R. Hanson, Solving least squares problems, 1974 (non-negative least squares).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noria.loop.trial_history import TrialHistory

Floats = NDArray[np.float64]
Ints = NDArray[np.int_]

_SPANS = (0.01, 4.0, 16.0)
"""Periods after which a move of the world is felt: at once, soon, late."""
_PRIOR = 0.1
"""Weight, in periods, of the assumption that all reasons have the same part in the regret."""
_CHAMPION_PRIOR = 6.0
"""Weight, in periods, of the assumption that the champion ages as any model."""
_CHAMPION_HALF_LIFE = 12.0
"""Periods after which what was seen of the champion counts half."""
_TINY = 1e-15


@dataclass(frozen=True)
class RegretModel:
    """The regret per case by age and labels, as fitted."""

    weights: Floats
    """(reasons,) of each reason, not negative."""
    labels: Floats
    """(periods gone and to come,) labels known at the start of each period, as far as they are foreseen."""
    champion: int
    """The period at whose start the champion had learned."""
    champion_factor: float
    """How many times the regret of another model of its age the champion has."""

    def regret(self, learned: int, periods: Ints) -> Floats:
        """(periods,) regret per case of a model learned at the start of period `learned`."""
        found = np.asarray(_reasons(self.labels, np.full(len(periods), learned), periods) @ self.weights)
        return found * self.champion_factor if learned == self.champion else found


@dataclass(frozen=True)
class _Comparison:
    """What one period says about the reasons: differences between its models, which decided the same cases."""

    gram: Floats
    """(reasons, reasons) their mean products."""
    moment: Floats
    """(reasons,) their mean products with the regret."""
    level: Floats
    """(reasons,) their mean over the models that are not the newest."""
    regret: float
    """The mean regret of those models."""
    champion: Floats
    """(reasons,) of the champion less those of the newest model; 0 where it was not judged or is the newest."""
    champion_regret: float
    """The champion's regret against the newest model."""
    champion_weight: float
    """1 for the newest period, less for earlier ones, 0 where the champion was not judged or is the newest."""


class RegretEvidence:
    """The differences between models in all periods, from which the regret is fitted, as often as is wanted."""

    def __init__(self, history: TrialHistory, horizon: int) -> None:
        """The labels that the periods to come will bring are foreseen from the mean of those that ended."""
        self._champion = history.champion
        per_period = float(history.cases.mean()) if history.periods else 0.0
        self._labels = np.concatenate([history.labels, history.labels[-1] + per_period * np.arange(1, horizon + 1)])
        self._compared = [_compare(history, self._labels, int(period)) for period in history.compared]

    def __len__(self) -> int:
        """How many periods can be used."""
        return len(self._compared)

    def fit(self, without: int | None = None) -> RegretModel:
        """The model, with each period counting once, and one of them left out if that is wanted.

        Only differences within a period are used, as a period may be hard for every model.
        """
        used = [one for place, one in enumerate(self._compared) if place != without]
        scale = np.maximum(np.mean([one.level for one in used], axis=0), _TINY)
        prior = max(float(np.mean([one.regret for one in used])), _TINY) / len(scale)
        gram, moment = np.sum([one.gram for one in used], axis=0), np.sum([one.moment for one in used], axis=0)
        weights = _non_negative(gram, moment, scale, prior)
        return RegretModel(weights, self._labels, self._champion, _champion_factor(used, weights))


def _compare(history: TrialHistory, labels: Floats, period: int) -> _Comparison:
    learned = np.flatnonzero(np.isfinite(history.worth[:, period]))
    reasons = _reasons(labels, learned, np.full(len(learned), period))
    worth = history.worth[learned, period]
    within, lost = reasons - reasons.mean(axis=0), worth.mean() - worth
    at = np.flatnonzero(learned[:-1] == history.champion)  # the last is the newest
    is_judged = bool(at.size)
    return _Comparison(
        gram=within.T @ within / len(learned),
        moment=within.T @ lost / len(learned),
        level=reasons[:-1].mean(axis=0),
        regret=float(worth[-1] - worth[:-1].mean()),
        champion=reasons[at[0]] - reasons[-1] if is_judged else np.zeros(reasons.shape[1]),
        champion_regret=float(worth[-1] - worth[at[0]]) if is_judged else 0.0,
        champion_weight=0.5 ** ((history.periods - 1 - period) / _CHAMPION_HALF_LIFE) if is_judged else 0.0,
    )


def _reasons(labels: Floats, learned: Ints, periods: Ints) -> Floats:
    """(models, reasons) each reason's part in the regret, up to its weight."""
    age = (periods - learned).astype(np.float64)
    fewer_labels = 1 / np.sqrt(labels[learned]) - 1 / np.sqrt(labels[periods])
    return np.stack([fewer_labels, *(1 - np.exp(-age / span) for span in _SPANS)], axis=-1)


def _non_negative(gram: Floats, moment: Floats, scale: Floats, prior: float) -> Floats:
    """Weights >= 0 with the least squared error, drawn towards equal parts of the regret by the prior."""
    from scipy.optimize import nnls

    gram = gram / np.outer(scale, scale) + _PRIOR * np.eye(len(scale))
    moment = moment / scale + _PRIOR * prior
    root = np.linalg.cholesky(gram)
    found, _ = nnls(root.T, np.linalg.solve(root, moment))
    return np.asarray(found, dtype=np.float64) / scale


def _champion_factor(used: list[_Comparison], weights: Floats) -> float:
    """Seen over expected regret of the champion against the newest model of each period, drawn towards 1."""
    judged = [one for one in used if one.champion_weight > 0]
    if not judged:
        return 1.0
    weight = np.array([one.champion_weight for one in judged])
    expected = np.array([one.champion @ weights for one in judged])
    prior = _CHAMPION_PRIOR * max(float(expected.mean()), _TINY)
    seen = float(weight @ np.array([one.champion_regret for one in judged]))
    return max(0.0, (seen + prior) / (float(weight @ expected) + prior))
