"""Streams of linear regression whose drift is known: none, few labels, a jump, a slow move, seasons."""

import numpy as np

from benchmarks.retrained.stream import Stream

KINDS = {
    "no change": lambda t, periods: 0.0,
    "no change, few labels at first": lambda t, periods: 0.0,
    "a jump in the middle": lambda t, periods: float(t >= periods // 2),
    "a jump at the start": lambda t, periods: float(t >= 6),
    "a slow move": lambda t, periods: t / periods,
    "to and fro": lambda t, periods: 0.5 - 0.5 * np.cos(2 * np.pi * t / 20),
    "a season": lambda t, periods: float(14 <= t < 26),
}
"""Name -> how much of the way from one world to another is gone in a period."""


def synthetic(kind: str, seed: int, periods: int = 44) -> Stream:
    """300 cases per period, 20 inputs, half of the target is noise; models by least squares, worth = -squared error."""
    random = np.random.default_rng(seed)
    inputs, noise, cases = 20, 2.0, 300
    first = 150 if "few labels" in kind else 2_000
    one, other = random.normal(size=(2, inputs)) / np.sqrt(inputs)
    worth, labels, models = np.full((periods, periods), np.nan), [], []
    gram, moment, known = np.eye(inputs), np.zeros(inputs), 0
    for period in range(-1, periods):
        rows = first if period < 0 else cases
        there = KINDS[kind](max(period, 0), periods)
        scale = 1.0 if period < 0 else float(np.exp(0.3 * random.normal()))  # some periods matter more
        x = scale * random.normal(size=(rows, inputs))
        y = x @ (one + there * (other - one)) + noise * random.normal(size=rows)
        if period >= 0:
            models.append(np.linalg.solve(gram, moment))
            labels.append(known)
            worth[: period + 1, period] = [-float(((y - x @ model) ** 2).sum()) for model in models]
        gram, moment, known = gram + x.T @ x, moment + x.T @ y, known + rows
    counts = np.full(periods, cases)
    return Stream(worth, worth, counts, counts, np.array(labels))
