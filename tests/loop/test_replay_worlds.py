"""Ways to retrain on the same cases, where the right figures are known."""

import numpy as np
import pandas as pd
import pytest

from noria.loop.replay import PeriodModels, ServedAnswers, World, compare_worlds, on_drifted_columns
from noria.loop.replay.replay_report import headline, replay_report
from noria.loop.replay.schedule import period_starts
from tests.bundles import churn
from tests.loop.test_replay_schedule import SINCE

PERIODS, CASES = 8, 600


def models(decay: float) -> PeriodModels:
    """A case is worth 1 less `decay` for each period of the model's age."""
    random = np.random.default_rng(3)
    period = np.repeat(np.arange(PERIODS), CASES)
    truth = (random.random(len(period)) < 0.3).astype(np.float64)
    age = period[None] - np.arange(PERIODS)[:, None]
    noise = random.normal(size=(PERIODS, len(period)))
    scores = np.clip(0.3 + 0.4 * (truth - 0.3) * np.exp(-decay * age) + 0.1 * noise, 0, 1)
    known = age >= 0
    worth = np.where(known, 1 - decay * age, np.nan)
    return PeriodModels(period, truth, np.where(known, scores, np.nan), worth, np.arange(PERIODS) * CASES + 1000)


def worlds_of(decay: float, price: float, moments: tuple[int, ...]) -> dict[str, World]:
    found = models(decay)
    serving = np.zeros(PERIODS, dtype=int)
    for moment in moments:
        serving[moment:] = moment
    at = serving[found.period], np.arange(len(found.period))
    served = ServedAnswers(found.scores[at], found.worth[at], moments, len(moments), 4000)
    known = found.period + 1
    return {
        world.name: world
        for world in compare_worlds(found, served, churn().use_case, known, price=price, drifted=(3, 5))
    }


def test_worth_shares_and_bounds_are_those_of_the_models_that_served() -> None:
    found = worlds_of(0.05, 100, (4,))
    never, always, ours = found["never"], found["calendar, each period"], found["Noria"]
    lost = 0.05 * CASES
    assert never.worth == pytest.approx(PERIODS * CASES - lost * sum(range(PERIODS)))
    assert always.worth == pytest.approx(PERIODS * CASES)
    assert (never.share, always.share) == pytest.approx((0, 1))
    assert ours.worth == pytest.approx(PERIODS * CASES - lost * 2 * sum(range(4)))
    assert ours.share == pytest.approx(1 - 2 * sum(range(4)) / sum(range(PERIODS)))
    assert ours.total == pytest.approx(ours.worth - 100)
    assert found["hindsight, 1 at most"].moments == (4,)
    assert found["hindsight, by price"].total >= max(world.total for world in found.values()) - 1e-6
    assert always.metric > never.metric
    assert always.labels == 1000 + CASES * (PERIODS - 1)
    assert ours.by_period.sum() == pytest.approx(ours.worth)


def test_the_alarm_finds_errors_that_rise_and_is_silent_where_none_do() -> None:
    assert worlds_of(0.0, 1, ())["alarm: ADWIN on the errors"].moments == ()
    assert worlds_of(0.3, 1, ())["alarm: ADWIN on the errors"].moments != ()


def test_columns_that_drift_raise_an_alarm_at_the_next_look_and_columns_that_do_not_raise_none() -> None:
    found, random = models(0.0), np.random.default_rng(5)
    columns = {name: random.normal(size=len(found.period)) + 4 * (found.period >= 3) for name in ("age", "speed")}
    asked = pd.DataFrame({**columns, "still": random.normal(size=len(found.period))})
    learned = pd.DataFrame({name: random.normal(size=2_000) for name in asked})
    assert on_drifted_columns(found, learned, asked, found.period + 1)[0] == 4
    assert (
        on_drifted_columns(found, learned, asked.assign(age=asked["still"], speed=asked["still"]), found.period + 1)
        == ()
    )


def test_dates_that_move_on_raise_no_alarm() -> None:
    found, random = models(0.0), np.random.default_rng(5)
    days = pd.to_datetime("2026-01-01") + pd.to_timedelta(np.arange(len(found.period)), unit="h")
    asked = pd.DataFrame({"age": random.normal(size=len(days)), "on": days, "until": days})
    learned = asked.assign(on=asked["on"] - pd.Timedelta(days=900), until=asked["until"] - pd.Timedelta(days=900))
    assert on_drifted_columns(found, learned, asked, found.period + 1) == ()


def test_where_new_models_bring_nothing_no_share_is_claimed() -> None:
    found = worlds_of(0.0, 1, ())
    assert np.isnan(found["Noria"].share)
    assert "%" not in headline(list(found.values()))


def test_the_page_names_every_way_and_the_moments() -> None:
    found = list(worlds_of(0.05, 100, (4,)).values())
    starts = period_starts(SINCE, SINCE.replace(month=5), (SINCE.replace(day=8) - SINCE))[:PERIODS]
    page = replay_report(found, starts, churn().use_case, CASES * PERIODS)
    assert all(world.name in page.replace("\u00a0", " ") for world in found)
    assert f"{starts[4]:%d %B %Y}" in page and "<svg" in page
