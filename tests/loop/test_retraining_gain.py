"""When to retrain, on streams whose right moments are known."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from loop.streams import CASES, decide, go_through, history, stream

from noria.loop.hindsight import best_plan, plan_of
from noria.loop.retraining_gain import GainEstimate, decide_retraining
from noria.loop.trial_history import TrialHistory
from noria.system.errors import NoriaError

SLOPE = 0.01
PRICE = 200.0


def _aging(learned: int, period: int) -> float:
    return SLOPE * (period - learned)


def _jump_at(change: int, loss: float = 0.2) -> Callable[[int, int], float]:
    return lambda learned, period: loss if learned < change <= period else 0.0


@pytest.mark.parametrize("seed", range(3))
def test_without_change_nothing_is_retrained(seed: int) -> None:
    assert go_through(stream(lambda *_: 0.0, hard=0.1, noise=0.003, seed=seed), PRICE) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_sudden_change_is_answered_soon_and_then_left_alone(seed: int) -> None:
    """A model that has learned after the change is first judged in period 14, so look 15 is the first that can tell."""
    worth = stream(_jump_at(14), hard=0.05, noise=0.003, seed=seed)
    moments = go_through(worth, PRICE)
    assert 15 <= moments[0] <= 17
    never, ours = plan_of(worth * CASES, ()).total, plan_of(worth * CASES, tuple(moments), PRICE).total
    assert ours - never > 0.85 * (best_plan(worth * CASES, PRICE).total - never)


def test_steady_aging_is_answered_about_as_often_as_is_best() -> None:
    worth = stream(_aging, periods=60, hard=0.05, noise=0.002)
    moments = go_through(worth, PRICE)
    best = best_plan(worth * CASES, PRICE)
    spacing = np.diff(moments[1:])
    assert np.sqrt(2 * PRICE / (SLOPE * CASES)) == pytest.approx(spacing.mean(), rel=0.35)
    never, ours = plan_of(worth * CASES, ()).total, plan_of(worth * CASES, tuple(moments), PRICE).total
    assert ours - never > 0.9 * (best.total - never)


def test_a_higher_price_means_fewer_retrainings() -> None:
    worth = stream(_aging, hard=0.05, noise=0.002)
    counts = [len(go_through(worth, price)) for price in (50.0, 400.0, 3000.0, 1e6)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1] == 0


@pytest.mark.parametrize("budget", [0, 1, 3])
def test_the_budget_is_kept(budget: int) -> None:
    worth = stream(_aging, noise=0.002)
    moments = go_through(worth, price=1.0, budget=budget)
    assert len(moments) == budget


def test_a_budget_is_not_spent_at_once() -> None:
    moments = go_through(stream(_aging, hard=0.05, noise=0.002), price=1.0, budget=3)
    assert min(np.diff([*moments, 40])) >= 5


def test_a_hard_period_is_no_reason() -> None:
    """What makes a period hard for every model says nothing about their age."""
    calm, stormy = stream(_aging, noise=0.002), stream(_aging, hard=5.0, noise=0.002)
    assert go_through(calm, PRICE) == go_through(stormy, PRICE)


def test_the_unit_does_not_matter() -> None:
    worth = stream(_aging, hard=0.05, noise=0.002)
    assert go_through(worth * 1000, PRICE * 1000) == go_through(worth, PRICE)


def test_more_labels_alone_teach_less_and_less() -> None:
    """A model that is young learns much from the first labels: it is retrained early, and rarely later."""
    labels = 500.0 + CASES * np.arange(41)
    worth = stream(lambda learned, period: 20 * (labels[learned] ** -0.5 - labels[period] ** -0.5), noise=0.002)
    moments: list[int] = []
    for now in range(40):
        known = TrialHistory(worth[:now, :now], np.full(now, CASES), labels[: now + 1], moments[-1] if moments else 0)
        if decide_retraining(known, PRICE, 40 - now).retrain:
            moments.append(now)
    assert moments[0] <= 3
    assert list(np.diff(moments)) == sorted(np.diff(moments))


def gain_of(known: TrialHistory, horizon: int) -> GainEstimate:
    gain = decide_retraining(known, 0.0, horizon).gain
    assert gain is not None
    return gain


def test_the_interval_holds_the_gain() -> None:
    def regret(learned: int, period: int) -> float:
        return 0.1 * (1 - np.exp(-(period - learned) / 4))

    true_gain = CASES * sum(regret(0, period) - regret(20, period) for period in range(20, 30))
    held = 0
    for seed in range(10):
        gain = gain_of(history(stream(regret, hard=0.05, noise=0.02, seed=seed), 20), 10)
        held += gain.low < true_gain < gain.high
        assert gain.total == pytest.approx(true_gain, rel=0.5)
        assert gain.cases_expected == 10 * CASES
        assert gain.per_case == pytest.approx(gain.total / gain.cases_expected)
    assert held >= 8


def test_a_champion_learned_just_now_has_nothing_to_gain() -> None:
    assert gain_of(history(stream(_aging), 10, champion=10), 10).total == 0


@pytest.mark.parametrize("now", [0, 1])
def test_nothing_is_known_before_two_models_were_judged_on_the_same_cases(now: int) -> None:
    worth = stream(_aging)
    decision = decide(worth, now, 0.0, [])
    assert not decision.retrain
    assert decision.gain is None


def test_the_champion_and_one_new_model_per_period_are_enough() -> None:
    """Trials need not be kept: each period may have judged the champion and its newest model only."""
    worth = stream(_jump_at(14), hard=0.05, noise=0.003)
    period = np.arange(40)
    sparse = np.full_like(worth, np.nan)
    sparse[0], sparse[period, period] = worth[0], worth[period, period]
    first = next(now for now in range(40) if decide(sparse, now, PRICE, []).retrain)
    assert 15 <= first <= 18


@pytest.mark.parametrize(
    "change",
    [
        {"worth": np.zeros((2, 3))},
        {"labels": np.array([5.0, 6.0])},
        {"labels": np.array([5.0, 4.0, 6.0])},
        {"labels": np.array([0.0, 4.0, 6.0])},
        {"cases": np.array([1.0, np.nan])},
        {"cases": np.array([1.0, -1.0])},
        {"champion": 3},
        {"worth": np.array([[1.0, 1.0], [1.0, 1.0]])},
        {"worth": np.array([[1.0, np.inf], [np.nan, 1.0]])},
    ],
)
def test_a_history_that_does_not_fit_together_is_refused(change: dict[str, Any]) -> None:
    parts = {
        "worth": np.array([[1.0, 1.0], [np.nan, 1.0]]),
        "cases": np.array([10.0, 10.0]),
        "labels": np.array([5.0, 15.0, 25.0]),
        "champion": 0,
    }
    TrialHistory(**parts)
    with pytest.raises(NoriaError) as refused:
        TrialHistory(**(parts | change))
    assert refused.value.code == "loop.history"


def test_a_horizon_that_has_passed_is_refused() -> None:
    with pytest.raises(NoriaError) as refused:
        decide_retraining(history(stream(_aging), 5), PRICE, -1)
    assert refused.value.code == "loop.horizon"


@pytest.mark.parametrize("now", [0, 5])
def test_a_negative_price_is_refused(now: int) -> None:
    with pytest.raises(NoriaError) as refused:
        decide_retraining(history(stream(_aging), now), -1.0, 10)
    assert refused.value.code == "loop.price"
