"""The demo tries the service on rows that training never got."""

from pathlib import Path

import pandas as pd
import pytest

from app.commands.demo import set_aside
from noria.data.sources import read, read_table
from noria.data.split import split
from tests.bundles import bike
from tests.small_cases import churn_table, small_case


@pytest.fixture(autouse=True)
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_HOME", str(tmp_path / "home"))


def test_no_row_that_is_sent_is_in_the_table_that_is_trained_on(tmp_path: Path) -> None:
    table = churn_table().drop_duplicates(ignore_index=True)
    table.to_csv(tmp_path / "churn.csv", index=False)
    use_case = small_case("small_churn", tmp_path / "churn.csv")
    trained_on, tomorrow = set_aside(use_case)
    remaining = read(trained_on.data)
    assert len(tomorrow) == pytest.approx(1000, abs=90)
    assert tomorrow["churn"].eq("Yes").mean() == pytest.approx(table["churn"].eq("Yes").mean(), abs=0.04)
    assert list(remaining.columns) == list(table.columns)
    both = pd.concat([remaining, tomorrow], ignore_index=True)
    order = list(table.columns)
    expected = read(use_case.data).sort_values(order, ignore_index=True)
    pd.testing.assert_frame_equal(both.sort_values(order, ignore_index=True), expected)
    # the test rows are still drawn from all the others, in the share that the use case names
    train, test = split(remaining, trained_on)
    assert len(test) / (len(train) + len(test)) == pytest.approx(use_case.split.test_share, abs=0.03)
    again, same = set_aside(use_case)
    assert again == trained_on
    pd.testing.assert_frame_equal(same, tomorrow)


def test_of_a_series_tomorrow_comes_last() -> None:
    trained_on, tomorrow = set_aside(bike().use_case)
    remaining = read(trained_on.data)
    assert remaining["dteday"].max() < tomorrow["dteday"].min()
    assert 990 <= len(tomorrow) <= 1030
    # the file of the remaining rows has dates; how they were written is still known
    assert trained_on.data.columns == read_table(bike().use_case.data, bike().use_case.reading).readings
