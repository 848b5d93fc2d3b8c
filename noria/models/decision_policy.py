"""From a score to what is done: act, ask a person, or leave it. Light to import, for code that only predicts."""

import math

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from noria.config.migration import accept_old_names
from noria.config.section import Section


class DecisionPolicy(Section):
    """When to act on a prediction. Only the keys of its task are set."""

    threshold: float | None = None
    """Binary: act from this probability of the positive class on."""
    review_margin: float = 0.0
    """Binary: a case whose probability is at most this far from the threshold goes to a person; 0 sends none."""
    review_below: float = 0.0
    """Multiclass: a person decides when the probability of the likeliest class is below this."""
    act_from: float | None = None
    """Regression: act when the prediction is at least this; None: act on every prediction."""

    @model_validator(mode="before")
    @classmethod
    def _old_names(cls, given: object) -> object:
        return accept_old_names("decision", given)  # bundles and plans of earlier versions

    def decide_one(self, score: float) -> str:
        """`decide` for one score of binary or regression, which takes a tenth of the time."""
        if math.isnan(score):
            return "ask"
        if self.threshold is not None:
            if self.review_margin > 0 and abs(score - self.threshold) <= self.review_margin:
                return "ask"
            return "act" if score >= self.threshold else "leave"
        return "act" if self.act_from is None or score >= self.act_from else "leave"

    def decide(self, scores: NDArray[np.float64]) -> NDArray[np.object_]:
        """What is done with each of n scores, (n,) for binary and regression or (n, k) for multiclass.

        Returns:
            (n,) of "act", "ask" and "leave"; a NaN score is never acted on by itself, a person is asked.
        """
        best = scores.max(axis=1) if scores.ndim == 2 else scores
        decisions = np.full(len(best), "act", dtype=object)
        if scores.ndim == 2:
            decisions[best < self.review_below] = "ask"
        elif self.threshold is not None:
            decisions[best < self.threshold] = "leave"
            if self.review_margin > 0:
                decisions[np.abs(best - self.threshold) <= self.review_margin] = "ask"
        elif self.act_from is not None:
            decisions[best < self.act_from] = "leave"
        decisions[np.isnan(best)] = "ask"
        return decisions
