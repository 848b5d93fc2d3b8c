"""Which rows to learn from: what brought in more is taken, and chance changes nothing."""

import numpy as np
import pytest

from noria.system.errors import NoriaError
from noria.training.windows.choice import better_window

CASES = np.full(12, 400.0)


def _hard(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=12)


def test_a_window_that_brings_in_more_is_taken_though_periods_differ() -> None:
    hard = 10 * _hard(1)
    found = better_window({"all": hard, "newest": hard + 0.1 + 0.02 * _hard(2), "weighted": hard + 0.05}, CASES, "all")
    assert found.name == "newest"
    assert found.lead["newest"] == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("alike", [0.0, 0.9])
@pytest.mark.parametrize("others", [1, 6])
def test_where_no_window_is_better_another_one_is_seldom_chosen(others: int, alike: float) -> None:
    """One in ten, however many windows compete and however alike they are."""
    changed = 0
    for seed in range(150):
        random = np.random.default_rng(seed)
        base, common = random.normal(size=(2, 12))
        noise = random.normal(size=(others, 12)) * np.sqrt(1 - alike) + common * np.sqrt(alike)
        worth = {"all": base} | {str(place): base + one for place, one in enumerate(noise)}
        changed += better_window(worth, CASES, "all").name != "all"
    assert changed <= 0.17 * 150


def test_a_bad_window_beside_it_does_not_hide_a_better_one() -> None:
    hard, noise = _hard(1), 0.1 * _hard(2)
    worth = {"all": hard, "newest": hard + 0.2 + noise, "too short": hard - 5 + 2 * _hard(3)}
    assert better_window(worth, CASES, "all").name == "newest"


def test_large_periods_count_more() -> None:
    cases = np.array([10.0, 10.0, 9_000.0, 10_000.0])
    worth = {"all": np.zeros(4), "newest": np.array([9.0, 9.0, -1.1, -0.9])}
    assert better_window(worth, cases, "all").name == "all"
    assert better_window(worth, cases, "newest").name == "all"


@pytest.mark.parametrize("cases", [np.array([]), np.array([100.0]), np.array([9.0, 9.0, 9.0, 0.0])])
def test_few_periods_are_too_few_to_change(cases: np.ndarray) -> None:
    worth = {"all": np.zeros(len(cases)), "newest": np.full(len(cases), 5.0)}
    assert better_window(worth, cases, "all").name == "all"


@pytest.mark.parametrize(
    ("worth", "current"),
    [
        ({"all": np.zeros(12)}, "newest"),
        ({"all": np.zeros(11)}, "all"),
        ({"all": np.zeros(12), "newest": np.full(12, np.nan)}, "all"),
    ],
)
def test_windows_that_cannot_be_compared_are_refused(worth: dict[str, np.ndarray], current: str) -> None:
    with pytest.raises(NoriaError) as refused:
        better_window(worth, CASES, current)
    assert refused.value.code == "training.windows"
