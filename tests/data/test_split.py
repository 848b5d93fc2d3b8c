"""The test rows and the folds: nothing lost, nothing shared, nothing from the future."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from noria.config import load_use_case
from noria.data.sources import read
from noria.data.split import folds, split
from tests.data.cases import table, use_case
from tests.errors_raised import raises


def test_churn_keeps_its_mix_and_loses_no_row() -> None:
    known = load_use_case(Path("configs/telco_churn.yaml"))
    frame = read(known.data)
    train, test = split(frame, known)
    assert_frame_equal(_sorted(pd.concat([train, test])), _sorted(frame))
    assert len(test) / len(frame) == pytest.approx(0.25, abs=0.01)
    assert (train["churn"] == "Yes").mean() == pytest.approx((test["churn"] == "Yes").mean(), abs=0.02)
    assert split(frame, known)[1].equals(test)


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(list(frame.columns)).reset_index(drop=True)


def test_bikes_train_on_2011_and_test_on_2012() -> None:
    known = load_use_case(Path("configs/bike_demand.yaml"))
    train, test = split(read(known.data), known)
    assert (len(train), len(test)) == (8645, 8734)
    assert train["dteday"].max() < pd.Timestamp("2012-01-01") <= test["dteday"].min()
    made = folds(train, known)
    assert len(made) == 4
    for fit, validation in made:
        assert train["dteday"].iloc[fit].max() < train["dteday"].iloc[validation].min()


def days(rows: int, per_day: int) -> pd.DataFrame:
    start = pd.Timestamp("2024-01-01")
    return table(rows).assign(day=[start + pd.Timedelta(days=i // per_day) for i in range(rows)])


def test_rows_of_one_moment_stay_together() -> None:
    known = use_case(data={"time": "day"}, split={"method": "time", "test_share": 0.23})
    train, test = split(days(400, 30).sample(frac=1, random_state=1), known)
    assert train["day"].max() < test["day"].min()
    for fit, validation in folds(train, known):
        assert train["day"].iloc[fit].max() < train["day"].iloc[validation].min()


def test_groups_stay_together() -> None:
    frame = table(600).assign(g=lambda t: t["id"] % 40)
    known = use_case(split={"method": "group", "group": "g"})
    train, test = split(frame, known)
    assert not set(train["g"]) & set(test["g"])
    assert len(test) / 600 == pytest.approx(0.25, abs=0.05)
    for fit, validation in folds(train, known):
        assert not set(train["g"].iloc[fit]) & set(train["g"].iloc[validation])


def test_folds_of_a_regression_are_stratified_over_its_range() -> None:
    frame = table(400).assign(y=lambda t: np.exp(t["x"]))
    medians = [frame["y"].iloc[validation].median() for _, validation in folds(frame, use_case("regression"))]
    assert len(medians) == 5
    assert medians == pytest.approx([frame["y"].median()] * 5, rel=0.2)


@settings(max_examples=25, deadline=None)
@given(st.integers(60, 300), st.sampled_from(["binary", "regression"]), st.integers(2, 6))
def test_folds_cover_every_training_row_once(rows: int, task: str, many: int) -> None:
    frame = table(rows).assign(y=lambda t: t["x"]) if task == "regression" else table(rows)
    made = folds(frame, use_case(task, models={"folds": many}))
    validated = np.concatenate([validation for _, validation in made])
    assert sorted(validated) == list(range(rows))
    assert all(not set(fit) & set(validation) for fit, validation in made)


@pytest.mark.parametrize("cutoff", ["1999-01-01", "2099-01-01"])
def test_a_cutoff_outside_the_table_is_refused(cutoff: str) -> None:
    known = use_case(data={"time": "day"}, split={"method": "time", "cutoff": cutoff})
    with raises("data.split_side_empty") as error:
        split(days(100, 5), known)
    assert "split.cutoff" in error.value.fix


def test_a_side_without_a_class_is_refused() -> None:
    frame = days(100, 5).assign(y=["yes"] * 50 + ["no"] * 50)
    with raises("data.split_class_missing", "`yes`"):
        split(frame, use_case(data={"time": "day"}, split={"method": "time"}))


def test_one_row_of_a_class_cannot_be_split() -> None:
    with raises("data.split_impossible"):
        split(table(50).assign(y=["yes"] + ["no"] * 49), use_case())


def test_too_few_moments_or_groups_for_the_folds() -> None:
    by_time = use_case(data={"time": "day"}, split={"method": "time"})
    with raises("data.folds_too_many", "5 folds"):
        folds(days(90, 30), by_time)
    by_group = use_case(split={"method": "group", "group": "g"})
    with raises("data.folds_too_many", "5 folds"):
        folds(table(90).assign(g=lambda t: t["id"] % 3), by_group)


def test_text_cannot_order_rows() -> None:
    known = use_case(data={"time": "c"}, split={"method": "time"})
    with raises("data.time_not_ordered") as error:
        split(table(), known)
    assert "type: datetime" in error.value.fix
