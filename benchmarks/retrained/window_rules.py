"""Rules by which a window to learn from is chosen on past periods, beside that of `data.window: auto`."""

from collections.abc import Callable, Mapping

import numpy as np

from noria.training.windows.choice import FEWEST_PERIODS, better_window

Rule = Callable[[Mapping[str, np.ndarray], np.ndarray, str], str]
OURS = "chosen on past periods"
_LEVEL = 0.1
_STREAMS, _OTHERS, _PERIODS, _ALIKE = 400, 6, 12, 0.5


def _by_errors(needed: Callable[[int, int], float]) -> Rule:
    """The best of those whose lead is above `needed(windows, periods)` standard errors."""

    def rule(worth: Mapping[str, np.ndarray], cases: np.ndarray, current: str) -> str:
        if len(cases) < FEWEST_PERIODS:
            return current
        found, bound = better_window(worth, cases, current), needed(len(worth) - 1, len(cases))
        beyond = [name for name in worth if found.lead[name] > bound * found.error[name]]
        return max(beyond, key=lambda name: found.lead[name], default=current)

    return rule


def _bonferroni(windows: int, periods: int) -> float:
    from scipy.stats import t

    return float(t.ppf(1 - _LEVEL / windows, periods - 1))


RULES: dict[str, Rule] = {
    OURS: lambda worth, cases, current: better_window(worth, cases, current).name,
    "the same, above 1 standard error": _by_errors(lambda windows, periods: 1.0),
    "the same, above 2 standard errors": _by_errors(lambda windows, periods: 2.0),
    "the same, corrected by Bonferroni": _by_errors(_bonferroni),
}


def false_choices() -> dict[str, float]:
    """Rule -> how often another window is chosen where none is better: 12 periods, six windows that are alike."""
    chosen = dict.fromkeys(RULES, 0)
    for seed in range(_STREAMS):
        random = np.random.default_rng(seed)
        base, common = random.normal(size=(2, _PERIODS))
        own = random.normal(size=(_OTHERS, _PERIODS))
        ahead = np.sqrt(_ALIKE) * common + np.sqrt(1 - _ALIKE) * own
        worth = {"all": base} | {str(place): base + one for place, one in enumerate(ahead)}
        for name, rule in RULES.items():
            chosen[name] += rule(worth, np.full(_PERIODS, 100.0), "all") != "all"
    return {name: count / _STREAMS for name, count in chosen.items()}
