"""A row's side follows from the row alone: other rows, their order and the road of a value move nothing."""

import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.config import UseCase
from noria.config.data import DataConfig
from noria.data.row_copies import content_keys, value_keys
from noria.data.sources import read
from noria.data.split import folds, split
from noria.data.validation import validate
from tests.data.cases import table, use_case
from tests.errors_raised import raises
from tests.listening import listen

METHODS = {
    "stratified": {"method": "stratified"},
    "free": {"method": "stratified", "copies": "free"},
    "group": {"method": "group", "group": "g"},
}


def cases(rows: int, seed: int = 0) -> pd.DataFrame:
    return table(rows, seed).assign(
        number=lambda t: t["id"] + seed * 10_000, g=lambda t: "g" + (t["id"] % 50).astype(str)
    )


def numbers_of_test(frame: pd.DataFrame, known: UseCase) -> set[int]:
    return set(split(frame, known)[1]["number"])


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(list(METHODS)),
    st.sampled_from(["binary", "regression"]),
    st.integers(150, 300),
    st.integers(0, 400),
    st.randoms(use_true_random=False),
)
def test_adding_removing_and_reordering_rows_moves_no_row(
    method: str, task: str, rows: int, added: int, random: Any
) -> None:
    roles = {} if method == "free" else {"id": "id"}
    known = use_case(task, data=roles, features={"exclude": ["number"]}, split=METHODS[method])
    before = cases(rows)
    more = pd.concat([before, cases(added, seed=1)] if added else [before], ignore_index=True)
    if task == "regression":
        before, more = before.assign(y=before["x"]), more.assign(y=more["x"])
    more = more.sample(frac=1, random_state=random.randrange(1000)).drop(columns="id").assign(id=range(len(more)))
    if method == "free":  # all values count there, and a new number is another row
        before, more = before.drop(columns="id"), more.drop(columns="id")
    old, new = numbers_of_test(before, known), numbers_of_test(more, known)
    assert new & set(before["number"]) == old
    fewer = more.iloc[: len(more) - 20]
    assert numbers_of_test(fewer, known) == new & set(fewer["number"])


def test_an_identifier_decides_where_copies_are_free() -> None:
    known = use_case(data={"id": "id"}, split={"copies": "free"})
    corrected = table(400).assign(x=lambda t: t["x"] + 1, y=lambda t: t["y"].to_numpy()[::-1])
    before, after = split(table(400), known)[1], split(corrected, known)[1]
    assert list(before["id"]) == list(after["id"])
    assert len(before) == pytest.approx(100, abs=20)


def test_another_seed_draws_others() -> None:
    first, second = (set(split(table(400), use_case(split={"seed": seed}))[1]["id"]) for seed in (1, 2))
    assert 10 < len(first & second) < 50


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_the_share_of_test_rows_is_about_what_was_asked(share: float) -> None:
    _, test = split(table(8000), use_case(split={"test_share": share}))
    assert len(test) / 8000 == pytest.approx(share, abs=0.02)


ONE = [1, 1.0, "1", "1.0", " 1 ", Decimal("1.00"), np.float32(1), np.int8(1), True, "TRUE"]


@pytest.mark.parametrize("exact", [True, False])
def test_a_value_is_the_same_whatever_its_type(exact: bool) -> None:
    keys = {int(value_keys(pd.Series([one]), exact=exact)[0]) for one in ONE}
    keys |= {int(value_keys(pd.Series([1], dtype=kind), exact=exact)[0]) for kind in ("Int64", "Float32", "category")}
    assert len(keys) == 1
    assert keys.isdisjoint(value_keys(pd.Series(["01", "2", None]), exact=exact).tolist())
    assert value_keys(pd.Series([0.1], dtype="float32"), exact=exact) == value_keys(pd.Series([0.1]), exact=exact)


@pytest.mark.parametrize("first", [10**17 + 1, 10**23])
def test_long_numbers_are_told_apart_by_their_last_digit(first: int) -> None:
    numbers = list(range(first, first + 100))
    keys = value_keys(pd.Series(list(map(str, numbers))))
    assert len(set(keys)) == 100
    assert (keys == value_keys(pd.Series([Decimal(number) for number in numbers], dtype=object))).all()
    if first < 2**63:
        assert (keys == value_keys(pd.Series(numbers))).all()


@pytest.mark.parametrize("jitter", [1e-9, 1e-6, 5e-5])
@pytest.mark.parametrize("scale", [1e-6, 1.0, -1e9])
def test_near_copies_stay_together_wherever_rounding_has_its_edges(jitter: float, scale: float) -> None:
    draw = np.random.default_rng(0)
    numbers = np.repeat(draw.normal(100, 20, (200, 3)), 4, axis=0)
    numbers = scale * numbers * (1 + jitter * draw.uniform(-1, 1, numbers.shape))
    frame = pd.DataFrame(numbers, columns=["a", "b", "c"]).assign(kind=np.arange(800) // 4 % 3, y="no")
    case = np.arange(800) // 4
    keys = pd.Series(content_keys(frame, use_case()))
    assert (keys.groupby(case).nunique() == 1).all()
    assert keys.nunique() == 200
    apart = frame.assign(kind=np.arange(800) % 4)
    assert pd.Series(content_keys(apart, use_case())).nunique() == 800


def test_numbers_that_lie_densely_are_no_near_copies() -> None:
    frame = pd.DataFrame({"a": np.random.default_rng(0).uniform(10, 11, 3000), "y": "no"})
    assert len(np.unique(content_keys(frame, use_case()))) >= 100


def test_csv_parquet_and_sql_have_one_split(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "row": np.arange(300),
            "zip": [f"{number:05d}" for number in draw.integers(0, 99_999, 300)],
            "visits": draw.integers(0, 30, 300),
            "fee": np.round(draw.lognormal(3, 1, 300), 2),
            "member": draw.random(300) < 0.5,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(draw.integers(0, 999, 300), "D"),
            "y": draw.choice(["yes", "no"], 300),
        }
    )
    frame["visits"] = frame["visits"].where(frame["visits"] > 2).astype("Int64")
    frame.to_csv(tmp_path / "cases.csv", index=False)
    frame.astype({"fee": "float32"}).to_parquet(tmp_path / "cases.parquet")
    with sqlite3.connect(tmp_path / "cases.db") as connection:
        stored = frame.assign(since=frame["since"].dt.strftime("%Y-%m-%d"))
        stored.to_sql("cases", connection, index=False)
    sources: list[dict[str, str]] = [
        {"name": "cases", "path": str(tmp_path / "cases.csv")},
        {"name": "cases", "path": str(tmp_path / "cases.parquet")},
        {"name": "cases", "url": f"sqlite:///{tmp_path / 'cases.db'}", "query": "SELECT * FROM cases"},
    ]
    expected = {"zip": {"type": "text"}, "member": {"type": "boolean"}}
    sides, keys = set(), set()
    for source in sources:
        known = use_case(data={"id": "row", "sources": [source], "expectations": {"columns": expected}})
        rows = validate(read(DataConfig(**known.data.model_dump())), known).frame
        keys.add(tuple(content_keys(rows, known).tolist()))
        sides.add(tuple(split(rows, known)[1]["row"].tolist()))
    assert len(keys) == len(sides) == 1


def copies(different: int = 250, each: int = 4, jitter: float = 0.0) -> pd.DataFrame:
    draw = np.random.default_rng(5)
    once = pd.DataFrame(
        {
            "row": np.arange(different),
            "fee": np.round(draw.normal(70, 20, different), 1),
            "plan": draw.choice(["basic", "plus"], different),
            "y": draw.choice(["yes", "no"], different),
        }
    )
    every = pd.concat([once] * each, ignore_index=True)
    every["fee"] *= 1 + jitter * draw.normal(size=len(every))
    every.loc[::2, "plan"] = " " + every.loc[::2, "plan"].str.upper()
    return every.assign(id=range(len(every)))


TOGETHER: dict[str, Any] = {"data": {"id": "id"}, "features": {"exclude": ["row"]}}


@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("jitter", [0.0, 1e-7])
def test_copies_never_cross(task: str, jitter: float) -> None:
    frame = copies(jitter=jitter)
    frame = frame.assign(y=frame["fee"]) if task == "regression" else frame
    known = use_case(task, **TOGETHER)
    train, test = split(frame, known)
    assert len(train) + len(test) == len(frame)
    assert set(train["row"]).isdisjoint(test["row"])
    made = folds(train, known)
    assert sorted(np.concatenate([validation for _, validation in made])) == list(range(len(train)))
    for fit, validation in made:
        assert set(train["row"].iloc[fit]).isdisjoint(train["row"].iloc[validation])
        assert len(validation) / len(train) == pytest.approx(0.2, abs=0.02)
        if task == "binary":
            assert (train["y"].iloc[validation] == "yes").mean() == pytest.approx(
                (train["y"] == "yes").mean(), abs=0.05
            )


def test_copies_are_told_with_their_share_and_the_line_to_change() -> None:
    heard: list[str] = []
    listen(lambda kind, text: heard.append(text) if kind == "warn" else None)
    split(copies(), use_case(**TOGETHER))
    assert len(heard) == 1
    assert "100.0% of the rows (1,000 of 1,000)" in heard[0]
    assert "`split.copies: free`" in heard[0]
    split(copies(), use_case(**TOGETHER, split={"copies": "free"}))
    assert "`split.copies: together`" in heard[1]
    split(table(400), use_case(data={"id": "id"}))
    assert len(heard) == 2


def test_copies_across_time_and_groups_are_told() -> None:
    heard: list[str] = []
    listen(lambda kind, text: heard.append(text) if kind == "warn" else None)
    frame = copies().assign(day=lambda t: pd.Timestamp("2024-01-01") + pd.to_timedelta(t["id"], "D"))
    split(frame, use_case(**{**TOGETHER, "data": {"id": "id", "time": "day"}}, split={"method": "time"}))
    split(copies().assign(g=lambda t: t["id"] % 40), use_case(**TOGETHER, split={"method": "group", "group": "g"}))
    assert ["by time" in heard[0], "by group" in heard[1]] == [True, True]
    assert "of the test rows" in heard[0]


def test_rows_that_agree_by_chance_are_called_so() -> None:
    heard: list[str] = []
    listen(lambda kind, text: heard.append(text) if kind == "warn" else None)
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({name: draw.choice(["yes", "no"], 800) for name in ["a", "b", "c", "d", "e", "f", "y"]})
    split(frame, use_case())
    assert "by chance" in heard[0]
    _, test = split(frame, use_case(split={"copies": "free"}))
    assert len(heard) == 1
    assert len(test) == pytest.approx(200, abs=40)


def test_a_rare_class_is_on_both_sides_and_in_every_fold() -> None:
    for seed in range(20):
        frame = table(300).assign(y=["rare"] * 3 + ["no", "yes"] * 148 + ["no"])
        train, test = split(frame, use_case("multiclass", data={"id": "id"}, split={"seed": seed}))
        assert (train["y"] == "rare").sum() >= 2
        assert (test["y"] == "rare").sum() >= 1
        folds(train, use_case("multiclass", data={"id": "id"}))


def test_a_class_of_copies_alone_cannot_be_split() -> None:
    frame = table(60).assign(y=["yes"] * 3 + ["no"] * 57)
    frame.loc[:2, ["x", "c"]] = [9.0, "red"]
    with raises("data.split_impossible", "`yes`"):
        split(frame, use_case(data={"id": "id"}))


def test_many_groups_are_dealt_out_in_no_time() -> None:
    frame = table(60_000).assign(g=lambda t: t["id"] // 2)
    known = use_case(data={"id": "id"}, split={"method": "group", "group": "g"})
    for fit, validation in folds(frame, known):
        assert set(frame["g"].iloc[fit]).isdisjoint(frame["g"].iloc[validation])
        assert (frame["y"].iloc[validation] == "yes").mean() == pytest.approx((frame["y"] == "yes").mean(), abs=0.01)
