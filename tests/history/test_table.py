"""History features of a table: what the definition says, and nothing of the future."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.bundle.qualification import disqualification
from noria.config import UseCase
from noria.data.column_check import check_columns
from noria.data.split import split
from noria.data.validation import validate
from noria.history import add_history
from noria.schema import InputSchema
from noria.system.errors import NoriaError
from tests.history.past_cases import FEATURES, bundle, plainly, table, use_case

NAMES = [str(feature["name"]) for feature in FEATURES]


@pytest.mark.parametrize("case", [use_case(), use_case(label_hours="hours")], ids=["one delay", "a delay of each case"])
def test_each_feature_is_what_the_definition_says_case_by_case(case: UseCase) -> None:
    frame = table(90)

    made = add_history(frame, case)

    pd.testing.assert_frame_equal(made[NAMES], plainly(frame, case), rtol=1e-7, atol=1e-7)
    assert made[NAMES].nunique().min() > 3  # no feature is constant, so that the comparison says something


def test_the_order_of_the_rows_changes_nothing_to_the_bit() -> None:
    frame = table()
    order = np.random.default_rng(3).permutation(len(frame))

    shuffled = add_history(frame.iloc[order].reset_index(drop=True), use_case())

    expected = add_history(frame, use_case()).iloc[order].reset_index(drop=True)
    pd.testing.assert_frame_equal(shuffled, expected, check_exact=True)


@settings(max_examples=15, deadline=None)
@given(moment=st.integers(20, 3_500), seed=st.integers(0, 1_000))
def test_what_comes_after_the_question_changes_nothing(moment: int, seed: int) -> None:
    """Rows after the moment of asking get other values, or are gone; labels that were not known yet change."""
    frame, case = table(), use_case([feature for feature in FEATURES if feature["name"] != "late_all"])
    random = np.random.default_rng(seed)
    now = pd.Timestamp("2024-03-01") + pd.Timedelta(minutes=moment)
    known = frame["at"] <= now  # a case at `now` is the last whose features are compared
    label_known = frame["at"] + pd.Timedelta("6h") < now - pd.Timedelta("1h")
    changed = frame.copy()
    changed.loc[~label_known, "late"] = random.choice(["yes", "no"], int((~label_known).sum()))
    changed.loc[~known, "load"] = 1e6
    changed.loc[~known, "line"] = random.permutation(changed.loc[~known, "line"].to_numpy())
    changed = changed[known | (random.random(len(frame)) < 0.5)]

    before = add_history(frame, case).set_index("trip").loc[frame.loc[known, "trip"]]
    after = add_history(changed.reset_index(drop=True), case).set_index("trip").loc[frame.loc[known, "trip"]]

    names = [feature.name for feature in case.features.history]
    pd.testing.assert_frame_equal(before[names], after[names], check_exact=True)


def test_cases_of_the_same_time_do_not_count_for_each_other() -> None:
    frame = table(20).assign(at=pd.Timestamp("2024-03-01"), line="a", stop=1.0)

    made = add_history(frame, use_case([{"name": "n", "stat": "count", "over": "30d"}]))

    assert made["n"].tolist() == [0.0] * 20


def test_a_label_counts_from_the_moment_it_is_known() -> None:
    late = {"name": "known", "of": "late", "stat": "count", "over": "30d"}
    frame = table(3).assign(late=["yes", "no", "yes"], line="a")
    frame["at"] = pd.Timestamp("2024-03-01") + pd.to_timedelta([0, 7 * 60, 7 * 60 + 1], unit="min")

    made = add_history(frame, use_case([late]))

    assert made["known"].tolist() == [0.0, 0.0, 1.0]  # asked an hour before, and known six hours after


def test_a_case_without_a_time_has_no_features_and_counts_for_none() -> None:
    frame = table(60)
    without = frame.assign(at=frame["at"].mask(frame.index == 5))

    made = add_history(without, use_case())

    assert made.loc[5, NAMES].isna().all()
    others = add_history(frame.drop(index=5).reset_index(drop=True), use_case())
    pd.testing.assert_frame_equal(made.drop(index=5).reset_index(drop=True)[NAMES], others[NAMES], check_exact=True)


def test_times_of_several_zones_are_compared_as_moments() -> None:
    frame = table(80)
    zoned = frame.assign(at=frame["at"].dt.tz_localize("UTC").dt.tz_convert("America/New_York"))

    made = add_history(zoned, use_case())

    pd.testing.assert_frame_equal(made[NAMES], add_history(frame, use_case())[NAMES], check_exact=True)


def test_large_and_small_numbers_add_up_without_loss() -> None:
    frame = table(3).assign(load=[1e12, 0.25, -1e12], line="a", stop=1.0)
    frame["at"] = pd.Timestamp("2024-03-01") + pd.to_timedelta([0, 1, 2], unit="h")
    last = pd.DataFrame({**frame.iloc[[2]], "at": frame["at"].iloc[[2]] + pd.Timedelta("1h")}).assign(load=5.0)

    made = add_history(pd.concat([frame, last], ignore_index=True), use_case([FEATURES[4]]))

    assert made["load_sum"].tolist() == [0.0, 1e12, 1e12 + 0.25, 0.25]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"late_6h": 1.0}, "history.name_taken"),
        ({"at": "2024-03-01"}, "history.time_not_date"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(change: dict[str, object], code: str) -> None:
    with pytest.raises(NoriaError) as error:
        add_history(table().assign(**change), use_case())

    assert error.value.code == code


def test_a_table_without_a_key_column_is_refused() -> None:
    with pytest.raises(NoriaError) as error:
        add_history(table().drop(columns="stop"), use_case())

    assert error.value.code == "data.column_missing"


@pytest.mark.parametrize(
    "feature",
    [
        {"stat": "mean", "over": "3h"},
        {"stat": "count", "over": "0h"},
        {"stat": "count", "over": "three hours"},
        {"stat": "count", "over": "3h", "by": ["line", "line"]},
        {"stat": "count", "over": "3h", "by": ["trip"]},
        {"stat": "count", "over": "3h", "name": "line", "by": ["line"]},
        {"stat": "count", "over": "3h", "name": "late"},
    ],
)
def test_a_feature_that_cannot_be_computed_is_an_error_of_the_use_case(feature: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"history|over|stat|by"):
        use_case([{"name": "n"} | feature])


def test_a_use_case_reads_itself_back() -> None:
    case = use_case()

    assert UseCase.model_validate_json(case.model_dump_json()) == case


def test_history_needs_the_time_of_cases() -> None:
    with pytest.raises(ValueError, match=r"data\.time"):
        use_case(time=None)


def test_a_key_that_privacy_hides_is_an_error_of_the_use_case() -> None:
    raw = use_case().model_dump(mode="json") | {"serving": {"privacy": {"drop": ["line"]}}}

    with pytest.raises(ValueError, match=r"serving\.privacy"):
        UseCase.model_validate(raw)


def test_rules_and_slices_may_name_a_feature_that_no_source_has(tmp_path: Path) -> None:
    frame = table()
    frame.to_parquet(tmp_path / "trips.parquet")
    raw = use_case().model_dump(mode="json")
    raw["data"]["sources"][0]["path"] = str(tmp_path / "trips.parquet")
    raw["rules"]["conditions"] = [{"when": "late_6h > 0.4", "then": "yes"}]
    raw["evaluation"]["slices"] = ["late_6h"]
    case = UseCase.model_validate(raw)

    check_columns(case)
    made = add_history(validate(frame, case).frame, case)
    schema = InputSchema.fit(made, case)

    assert schema.history == case.history_spec()
    assert [column.name for column in schema.asked] == ["at", "line", "stop", "load", "hours", "wind"]
    assert [column.name for column in schema.columns] == [column.name for column in schema.asked] + NAMES


def test_more_earlier_cases_move_no_row_to_the_other_side_of_the_split() -> None:
    raw = use_case().model_dump(mode="json")
    for data, copies in (({}, "together"), ({"id": None}, "together"), ({"id": None}, "free")):
        case = UseCase.model_validate(
            raw | {"split": {"method": "stratified", "copies": copies}, "data": raw["data"] | data}
        )
        frame = table(400).drop(columns="trip") if data else table(400)
        frame["at"] = frame["at"] + pd.to_timedelta(np.arange(400), unit="s")  # no two rows alike
        some, every = (add_history(rows, case) for rows in (frame.iloc[200:].reset_index(drop=True), frame))

        sides = [set(split(rows, case)[1]["at"]) for rows in (some, every)]

        assert sides[0] == sides[1] & set(some["at"])


def test_a_model_whose_features_are_defined_in_another_way_is_disqualified(tmp_path: Path) -> None:
    frame = table()
    model = bundle(frame, use_case(), tmp_path / "bundle")
    changed = [feature | {"over": "9h"} if feature["name"] == "late_6h" else feature for feature in FEATURES]

    assert disqualification(model, use_case()) == ""
    assert "late_6h" in disqualification(model, use_case(changed))
    assert disqualification(model, use_case(asked_before="2h"))
    assert disqualification(model, use_case([]))
