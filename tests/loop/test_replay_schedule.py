"""The order of a replay: who is asked when, and when each label comes."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from noria.config import UseCase
from noria.loop.replay import Schedule
from noria.loop.replay.schedule import period_starts
from tests.bundles import bike, changed
from tests.errors_raised import raises

SINCE, UNTIL = datetime(2012, 3, 1, tzinfo=UTC), datetime(2012, 3, 8, tzinfo=UTC)


@pytest.fixture
def use_case() -> UseCase:
    return changed(bike().use_case, data={"asked_before": "2h", "label_hours": "hours"})


def table(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    hours = random.integers(-48, 9 * 24, rows)
    return pd.DataFrame(
        {
            "dteday": pd.Timestamp("2012-03-01") + pd.to_timedelta(hours, unit="h"),
            "cnt": random.integers(0, 500, rows),
            "hours": random.choice([0.5, 3.0, 30.0, np.nan], rows),
        }
    )


def test_each_case_is_asked_once_in_order_and_each_label_comes_after_it_was_known(use_case: UseCase) -> None:
    rows = table()
    schedule = Schedule.of(rows, use_case, SINCE, UNTIL)
    chosen = rows[(rows["dteday"] >= "2012-03-01") & (rows["dteday"] < "2012-03-08")]
    assert not schedule.was_sorted
    assert sorted(schedule.frame["cnt"]) == sorted(chosen["cnt"])
    asked: list[int] = []
    labelled: list[int] = []
    for hour in schedule.hours():
        begin, end = (
            np.datetime64((hour.end - back).replace(tzinfo=None)) for back in (timedelta(hours=1), timedelta())
        )
        assert (schedule.known[hour.labelled] <= begin).all()
        assert (schedule.known[hour.labelled] > begin - np.timedelta64(1, "h")).all()
        assert ((schedule.asked[hour.asked] >= begin) & (schedule.asked[hour.asked] < end)).all()
        labelled += hour.labelled.tolist()
        asked += hour.asked.tolist()
    assert asked == list(range(len(schedule)))
    assert sorted(labelled) == asked


def test_a_case_is_asked_before_its_time_and_a_missing_delay_is_the_usual_one(use_case: UseCase) -> None:
    rows = pd.DataFrame({"dteday": pd.to_datetime(["2012-03-02 10:00"] * 2), "cnt": [1, 2], "hours": [1.5, np.nan]})
    schedule = Schedule.of(rows, use_case, SINCE, UNTIL)
    assert schedule.was_sorted
    assert (schedule.asked == np.datetime64("2012-03-02T08:00")).all()
    assert schedule.known.tolist() == [datetime(2012, 3, 2, 11, 30), datetime(2012, 3, 3, 10)]


def test_a_period_without_cases_and_a_use_case_without_time_are_refused(use_case: UseCase) -> None:
    with raises("replay.no_cases"):
        Schedule.of(table(), use_case, UNTIL + timedelta(days=300), UNTIL + timedelta(days=301))
    with raises("replay.no_time"):
        Schedule.of(table().assign(dteday="a day"), use_case, SINCE, UNTIL)


def test_periods_cover_the_whole_time() -> None:
    starts = period_starts(SINCE, UNTIL + timedelta(hours=1), timedelta(days=7))
    assert starts == [SINCE, UNTIL]
    assert period_starts(SINCE, UNTIL, timedelta(days=7)) == [SINCE]
