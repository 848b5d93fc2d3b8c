"""The best moments in hindsight: no other choice of moments is better."""

from itertools import combinations

import numpy as np
import pytest

from noria.loop.hindsight import RetrainingPlan, best_plan, plan_of
from noria.system.errors import NoriaError


def _worth(periods: int, seed: int) -> np.ndarray:
    return np.triu(np.random.default_rng(seed).normal(100, 10, (periods, periods)))


def _all_plans(worth: np.ndarray, price: float, most: int) -> list[RetrainingPlan]:
    later = range(1, len(worth))
    return [plan_of(worth, some, price) for k in range(most + 1) for some in combinations(later, k)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("price", "most"), [(0.0, 2), (12.0, 8), (1000.0, 8)])
def test_no_choice_of_moments_is_better(seed: int, price: float, most: int) -> None:
    worth = _worth(9, seed)
    best = best_plan(worth, price, most)
    assert best.total == pytest.approx(max(each.total for each in _all_plans(worth, price, most)))
    assert best == plan_of(worth, best.moments, price)
    assert len(best.moments) <= most


def test_a_retraining_that_brings_nothing_is_not_made() -> None:
    assert best_plan(np.full((6, 6), 5.0)).moments == ()


def test_what_no_model_could_have_earned_is_not_read() -> None:
    worth = _worth(6, 1)
    holed = np.where(np.tri(6, k=-1, dtype=bool), np.nan, worth)
    assert best_plan(holed, 3.0) == best_plan(worth, 3.0)


@pytest.mark.parametrize("worth", [np.zeros((2, 3)), np.zeros((0, 0)), np.array([[1.0, np.nan], [0.0, 1.0]])])
def test_a_matrix_that_is_none_is_refused(worth: np.ndarray) -> None:
    with pytest.raises(NoriaError) as refused:
        best_plan(worth)
    assert refused.value.code == "loop.matrix"


@pytest.mark.parametrize("price", [-1.0, float("nan"), float("inf")])
def test_an_impossible_price_is_refused(price: float) -> None:
    with pytest.raises(NoriaError) as refused:
        best_plan(np.eye(3), price)
    assert refused.value.code == "loop.price"
