"""Streams whose right moments are known, and the policy on them: at each look it knows the past alone."""

from collections.abc import Callable

import numpy as np

from noria.loop.retraining_gain import RetrainingDecision, decide_retraining
from noria.loop.trial_history import TrialHistory

CASES = 1000.0
FIRST_LABELS = 1e9  # so many that more of them teach nothing


def stream(
    regret: Callable[[int, int], float], periods: int = 40, *, hard: float = 0.0, noise: float = 0.0, seed: int = 0
) -> np.ndarray:
    """(periods, periods) worth per case, less `regret(learned, period)`; `hard` moves all models of a period alike."""
    random = np.random.default_rng(seed)
    learned, period = np.meshgrid(np.arange(periods), np.arange(periods), indexing="ij")
    worth = 1.0 - np.vectorize(regret, otypes=[float])(learned, period)
    worth = worth + hard * random.normal(size=periods) + noise * random.normal(size=(periods, periods))
    return np.where(learned <= period, worth, np.nan)


def history(worth: np.ndarray, now: int, champion: int = 0) -> TrialHistory:
    """What is known at the start of period `now`."""
    return TrialHistory(worth[:now, :now], np.full(now, CASES), FIRST_LABELS + CASES * np.arange(now + 1), champion)


def go_through(worth: np.ndarray, price: float, budget: int | None = None) -> list[int]:
    """The periods at whose start the policy retrained."""
    moments: list[int] = []
    for now in range(len(worth)):
        if decide(worth, now, price, moments, budget).retrain:
            moments.append(now)
    return moments


def decide(
    worth: np.ndarray, now: int, price: float, moments: list[int], budget: int | None = None
) -> RetrainingDecision:
    """The decision at the start of period `now`."""
    champion = moments[-1] if moments else 0
    left = None if budget is None else budget - len(moments)
    return decide_retraining(history(worth, now, champion), price, len(worth) - now, left)
