"""Trials run once for each period that has ended; without them, what the model has lost is the estimate."""

from datetime import timedelta
from pathlib import Path

import pytest
from scenes import NOW, gain, verdict, worth

from app.loop import gain as gains
from app.loop.gain import expected_gain
from noria.config import UseCase
from noria.loop import ExpectedGain
from noria.loop.backtest import TrialCache
from noria.monitoring.results import DaySummary
from noria.monitoring.verdict import MonitoringVerdict
from noria.system.errors import NoriaError
from tests.small_cases import small_case


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UseCase:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "home"))
    return small_case("priced_case", tmp_path / "few.csv", loop={"price": 100}, data={"time": "tenure"})


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[ExpectedGain | NoriaError | None]:
    """What the next trials find; each takes one away."""
    finds: list[ExpectedGain | NoriaError | None] = []

    def found(*_: object) -> ExpectedGain | None:
        next_one = finds.pop(0)
        if isinstance(next_one, NoriaError):
            raise next_one
        return next_one

    monkeypatch.setattr(gains, "_try", found)
    monkeypatch.setattr(gains, "_cases_per_day", lambda *_: 100.0)
    return finds


def at(days: float, version: str = "1") -> MonitoringVerdict:
    judged = verdict("watch", version=version, balance=worth(600.0))
    return judged.model_copy(update={"at": NOW + timedelta(days=days)})


def test_trials_run_once_for_each_period_and_champion(
    case: UseCase, tried: list[ExpectedGain | NoriaError | None]
) -> None:
    tried += [gain(1), gain(2), gain(3)]
    totals = [
        expected_gain(case, None, each, 5, TrialCache()).total for each in (at(0), at(0.1), at(8), at(8.1, version="2"))
    ]
    assert totals == [1, 1, 2, 3] and tried == []


def test_another_price_or_budget_is_planned_again(case: UseCase, tried: list[ExpectedGain | NoriaError | None]) -> None:
    dearer = case.model_copy(update={"loop": case.loop.model_copy(update={"price": 200.0})})
    tried += [gain(1), gain(2), gain(3)]
    asked = ((case, 5), (case, 0), (dearer, 0))
    totals = [expected_gain(each, None, at(0), left, TrialCache()).total for each, left in asked]
    assert totals == [1, 2, 3]


def test_where_no_trial_can_be_made_the_lost_worth_is_the_estimate(
    case: UseCase, tried: list[ExpectedGain | NoriaError | None]
) -> None:
    lost = pytest.approx((1000 - 600) / 1000 * 100 * 30)
    tried += [None, NoriaError("the source is away", code="data.source_unreadable")]
    assert expected_gain(case, None, at(0), 5, TrialCache()).total == lost
    assert expected_gain(case, None, at(8), 5, TrialCache()).total == lost
    without_price = case.model_copy(update={"loop": case.loop.model_copy(update={"price": 0.0})})
    assert expected_gain(without_price, None, at(16), 5, TrialCache()).total == lost, "no trial is needed"


def test_cases_are_counted_by_the_days_on_which_they_happened(case: UseCase) -> None:
    """The first and the last day of a window are cut off; a replay brings months within an hour of the clock."""
    days = [
        DaySummary(day=f"2013-03-0{place}", rows=rows, warned=0.0) for place, rows in enumerate((7, 100, 300, 9), 1)
    ]
    lost = expected_gain(case, None, at(0).model_copy(update={"days": days}), 5, TrialCache())
    assert lost is not None
    assert lost.total == pytest.approx((1000 - 600) / 1000 * 200 * 30)


def test_a_sample_of_the_cases_is_not_counted(case: UseCase) -> None:
    """The store is, which holds none here."""
    most = case.monitoring.max_rows
    days = [DaySummary(day=f"2013-03-0{place}", rows=most // 2, warned=0.0) for place in (1, 2, 3)]
    lost = expected_gain(case, None, at(0).model_copy(update={"days": days}), 5, TrialCache())
    assert lost is not None and lost.total == 0
