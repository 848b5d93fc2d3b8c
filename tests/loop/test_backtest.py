"""Trials with the champion's recipe: no look ahead, and a gain where newer rows teach something new."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from noria.bundle import Bundle
from noria.config import UseCase
from noria.config.loop import LoopConfig
from noria.data.sources import read
from noria.data.validation import validate
from noria.loop.backtest import Backtest, backtest, gain_of, planned_gain
from tests import bundles
from tests.monitoring.conftest import judged

pytestmark = pytest.mark.slow
WEEKS = timedelta(days=28)
JULY = datetime(2012, 7, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def case() -> UseCase:
    return bundles.bike().use_case


@pytest.fixture(scope="module")
def table(case: UseCase) -> pd.DataFrame:
    """Both years, of which the second has many more rides."""
    return validate(read(case.data), case).frame


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory, case: UseCase, table: pd.DataFrame) -> Bundle:
    """Learned on 2011."""
    rows = table[table["dteday"] < "2012-01-01"].reset_index(drop=True)
    is_test = np.arange(len(rows)) % 4 == 0
    parts = (rows[~is_test].reset_index(drop=True), rows[is_test].reset_index(drop=True))
    return judged(bundles.Case(case, *parts), "tree", tmp_path_factory.mktemp("bikes"))


def compared(champion: Bundle, table: pd.DataFrame, case: UseCase, now: datetime = JULY) -> Backtest | None:
    return backtest(champion, table, case, now, length=WEEKS, most=4)


def test_where_the_world_has_moved_newer_models_bring_in_more(
    champion: Bundle, table: pd.DataFrame, case: UseCase
) -> None:
    found = compared(champion, table, case)
    assert found is not None and found.fits == 3 and found.champion == 0
    assert found.starts[-1] + WEEKS <= JULY - timedelta(days=1), "the newest period has its labels"
    lead, error = found.lead
    assert lead > 4 * error > 0
    assert np.isnan(found.worth[np.tri(4, k=-1, dtype=bool)]).all(), "none is judged on what it may have learned"
    gain = gain_of(found, "1", 28)
    assert gain.low < gain.total < gain.high
    assert gain.total == pytest.approx(lead * found.cases[-1])
    assert gain_of(found, "1", 56).total == pytest.approx(2 * gain.total)


def test_price_and_budget_decide_whether_now_is_the_moment(
    champion: Bundle, table: pd.DataFrame, case: UseCase
) -> None:
    found = compared(champion, table, case)
    assert found is not None

    def planned(price: float, left: int) -> bool | None:
        return planned_gain(found, "1", LoopConfig(price=price, horizon_days=84), left).pays

    assert (planned(1000, 3), planned(10_000_000, 3), planned(1000, 0)) == (True, False, False)


def test_a_single_comparison_is_held_against_the_price_alone(
    champion: Bundle, table: pd.DataFrame, case: UseCase
) -> None:
    found = compared(champion, table, case, datetime(2012, 3, 10, tzinfo=UTC))
    assert found is not None and found.fits == 1
    gain = planned_gain(found, "1", LoopConfig(price=1000, horizon_days=28), 3)
    assert gain.pays is None and gain == gain_of(found, "1", 28)


def test_what_was_not_known_then_changes_nothing(champion: Bundle, table: pd.DataFrame, case: UseCase) -> None:
    """Not even the labels of the last day: they are not known before it is over."""
    before = compared(champion, table, case)
    later = (table["dteday"] >= pd.Timestamp("2012-07-10")).to_numpy()
    other = table.assign(cnt=np.where(later, 7, table["cnt"]))
    after = compared(champion, other, case)
    assert before is not None and after is not None
    assert before.lead == after.lead
    np.testing.assert_array_equal(before.worth, after.worth)


def test_a_trial_learns_no_label_of_the_period_that_it_is_judged_on(
    champion: Bundle, table: pd.DataFrame, case: UseCase
) -> None:
    known = compared(champion, table, case)
    assert known is not None
    newest = pd.Timestamp(known.starts[-1]).tz_localize(None)
    random = np.random.default_rng(0)
    rows = (table["dteday"] >= newest).to_numpy()
    shuffled = table.assign(cnt=np.where(rows, random.permutation(table["cnt"].to_numpy()), table["cnt"]))
    again = compared(champion, shuffled, case)
    assert again is not None
    np.testing.assert_array_equal(known.worth[:, :-1], again.worth[:, :-1])
    assert again.worth[0, -1] != known.worth[0, -1]


@pytest.mark.parametrize("now", [datetime(2012, 1, 20, tzinfo=UTC), datetime(2015, 1, 1, tzinfo=UTC)])
def test_what_cannot_be_compared_is_none(
    champion: Bundle, table: pd.DataFrame, case: UseCase, now: datetime, tmp_path: Path
) -> None:
    """The champion is too new, or no cases came."""
    assert compared(champion, table, case, now) is None
    timeless = case.model_copy(update={"data": case.data.model_copy(update={"time": None})})
    assert compared(champion, table, timeless) is None
