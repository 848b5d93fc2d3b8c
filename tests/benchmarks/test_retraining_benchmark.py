"""The benchmark of retraining: only hindsight knows the future."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.retrained.cases import Case, known_rate
from benchmarks.retrained.policies import by_calendar, on_errors, when_it_pays
from benchmarks.retrained.stream import stream_of
from benchmarks.retrained.synthetic import synthetic
from noria.loop.hindsight import best_plan, plan_of

PERIODS, ROWS = 8, 500


def _case(truth: np.ndarray, delay: int = 0) -> Case:
    period = np.repeat(np.arange(-1, PERIODS), ROWS)
    late = np.arange(len(period)) % 10 == 0  # a tenth of the labels comes later
    return Case(
        "made up",
        pd.DataFrame({"x": np.zeros(len(period))}),
        truth,
        period,
        period + 1 + delay * late,
        lambda score, known: ((score > 0.5) == (known > 0)).astype(float),
        True,
        "week",
    )


def test_a_rate_counts_labels_that_are_known_and_not_too_old() -> None:
    event, key = np.array([1, 0, 1, 1]), np.array([0, 0, 0, 1])
    known_at, asked = np.array([5.0, 8.0, 20.0, 5.0]), np.array([0.0, 6.0, 9.0, 9.0])
    rate = known_rate(key, event, known_at, asked, span=4.5)
    assert np.isnan(rate[0])
    assert rate[1:].tolist() == [1.0, 0.5, 1.0]


def test_a_look_does_not_see_labels_that_have_not_come() -> None:
    random = np.random.default_rng(1)
    truth = random.integers(0, 2, ROWS * (PERIODS + 1)).astype(float)
    scores = random.random((PERIODS, len(truth))).astype(np.float32)
    case = _case(truth, delay=1)
    now = 4
    changed = _case(np.where(case.known > now, 1 - truth, truth), delay=1)
    before, after = (stream_of(each, scores).history(now, 0) for each in (case, changed))
    np.testing.assert_array_equal(before.worth, after.worth)
    known = (case.period >= 0) & (case.known <= now)
    assert before.cases.sum() == known.sum()


def test_an_alarm_on_errors_comes_after_they_rose_and_not_before() -> None:
    random = np.random.default_rng(2)
    period = np.repeat(np.arange(-1, PERIODS), ROWS)
    truth = random.integers(0, 2, len(period)).astype(float)
    right = np.where(random.random(len(period)) < np.where(period < 4, 0.9, 0.5), truth, 1 - truth)
    assert on_errors(_case(truth), np.tile(right, (PERIODS, 1)).astype(np.float32))[0] == 5


def test_without_change_there_is_no_alarm() -> None:
    random = np.random.default_rng(3)
    truth = random.integers(0, 2, ROWS * (PERIODS + 1)).astype(float)
    right = np.where(random.random(len(truth)) < 0.8, truth, 1 - truth)
    assert on_errors(_case(truth), np.tile(right, (PERIODS, 1)).astype(np.float32)) == ()


@pytest.mark.parametrize("kind", ["no change", "a jump in the middle", "a slow move"])
def test_the_policy_comes_close_to_hindsight_on_streams_of_known_drift(kind: str) -> None:
    stream = synthetic(kind, seed=11)
    slow = synthetic("a slow move", seed=11).worth
    price = 0.03 * (np.trace(slow) - slow[0].sum())
    moments, trials = when_it_pays(stream, price)
    never, best = plan_of(stream.worth, ()).total, best_plan(stream.worth, price).total
    assert plan_of(stream.worth, moments, price).total - never >= 0.85 * (best - never)
    assert trials <= stream.periods


def test_a_calendar_begins_after_its_first_span() -> None:
    assert by_calendar(9, 4) == (4, 8)
