"""What is quarantined, with which reason, and what stops the run."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from noria.config import load_use_case
from noria.data.sources import read
from noria.data.validation import validate
from tests.data.cases import table, use_case
from tests.errors_raised import raises

ALL = {"max_quarantined": 1.0}


def expecting(**columns: object) -> dict[str, object]:
    return {"expectations": {**ALL, "columns": columns}}


@pytest.mark.parametrize("name", ["telco_churn", "bike_demand"])
def test_the_bundled_tables_pass_whole(name: str) -> None:
    known = load_use_case(Path(f"configs/{name}.yaml"))
    frame = read(known.data)
    result = validate(frame, known)
    assert len(result.frame) == len(frame)
    assert result.quarantined.empty


@pytest.mark.parametrize(
    ("column", "value", "expectation", "reason"),
    [
        ("x", -5.0, {"min": -4.5}, "x is below -4.5: -5"),
        ("x", 99.0, {"max": 10}, "x is above 10: 99"),
        ("x", "abc", {"type": "number"}, "x is not a number: abc"),
        ("x", np.inf, {}, "x is infinite"),
        ("c", "pink", {"allowed": ["red", "green", "blue"]}, "c is not allowed: pink"),
        ("id", 3.5, {"type": "integer"}, "id is not a whole number: 3.5"),
        ("id", 0, {"unique": True}, "id occurs twice: 0"),
        ("y", None, {}, "y is missing"),
    ],
)
def test_a_row_that_breaks_an_expectation_is_set_aside_with_the_reason(
    column: str, value: object, expectation: dict[str, object], reason: str
) -> None:
    frame = table().astype({column: object})
    frame.loc[7, column] = value
    if column in {"x", "id"} and not isinstance(value, str):
        frame[column] = frame[column].astype("float64")
    result = validate(frame, use_case(data=expecting(**{column: expectation})))
    assert result.quarantined["reason"].to_dict() == {8: reason}
    assert len(result.frame) == 199
    assert result.summary.reasons == {reason.split(": ", maxsplit=1)[0]: 1}


def test_every_row_is_in_exactly_one_table_and_the_file_tells_the_raw_values(tmp_path: Path) -> None:
    frame = table()
    frame["x"] = frame["x"].astype(object)
    frame.loc[[3, 50], "x"] = ["abc", np.inf]
    frame.loc[50, "y"] = None
    file = tmp_path / "deep" / "quarantine.csv"
    result = validate(frame, use_case(data=expecting(x={"type": "number"})), quarantine=file)
    assert set(result.frame["id"]) | set(result.quarantined["id"]) == set(range(200))
    assert len(result.frame) + len(result.quarantined) == 200
    written = pd.read_csv(file)
    assert written["row"].tolist() == [4, 51]
    assert written["x"].tolist() == ["abc", "inf"]
    assert written["reason"].tolist()[1] == "x is infinite; y is missing"
    assert pd.api.types.is_float_dtype(result.frame["x"])
    validate(table(), use_case(), quarantine=file)
    assert not file.exists()


def test_identifiers_must_be_there_and_unique() -> None:
    frame = table().astype({"id": "float64"})
    frame.loc[[4, 5], "id"] = [0.0, np.nan]
    result = validate(frame, use_case(data={"id": "id", "expectations": ALL}))
    assert result.quarantined["reason"].tolist() == ["id occurs twice: 0", "id is missing"]


def test_missing_values_are_not_called_duplicates() -> None:
    frame = table().astype({"id": "float64"})
    frame.loc[[4, 5, 6], "id"] = np.nan
    assert validate(frame, use_case(data=expecting(id={"unique": True}))).quarantined.empty


def test_labels_are_text_even_if_a_missing_one_made_them_floats() -> None:
    frame = table().assign(y=lambda t: (t["y"] == "yes").astype("float64"))
    frame.loc[0, "y"] = np.nan
    result = validate(frame, use_case(problem={"positive": 1}, data={"expectations": ALL}))
    assert sorted(result.frame["y"].unique()) == ["0", "1"]


def test_too_many_bad_rows_stop_the_run_but_are_kept_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "quarantine.csv"
    frame = table()
    frame.loc[:39, "x"] = -9
    known = use_case(data={"expectations": {"max_quarantined": 0.1, "columns": {"x": {"min": -5}}}})
    with raises("data.quarantine_too_large") as error:
        validate(frame, known, quarantine=file)
    assert "40 of 200" in error.value.what
    assert "-5 (40)" in error.value.what
    assert str(file) in error.value.where
    assert len(pd.read_csv(file)) == 40


def test_too_many_missing_values_stop_the_run() -> None:
    frame = table()
    frame.loc[:49, "x"] = np.nan
    with raises("data.column_too_sparse", "`x`", "25.0%"):
        validate(frame, use_case(data=expecting(x={"max_missing": 0.1})))


def test_a_column_without_any_value_is_no_reason_to_stop() -> None:
    assert len(validate(table().assign(x=np.nan), use_case()).frame) == 200


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.head(0), ("data.table_empty",)),
        (lambda t: t.rename(columns={"y": "yy"}), ("data.column_missing", "`y`")),
        (lambda t: t.assign(y="yes"), ("data.target_constant", "'yes'")),
        (lambda t: t.assign(y=None), ("data.target_empty",)),
        (lambda t: t.assign(y=["yes"] + ["no"] * 199), ("data.class_too_rare", "'yes'", "`y`", "1 row")),
        (
            lambda t: t.assign(y=["yes", "no", "maybe", "no"] * 50),
            ("data.target_not_binary", "3: 'no', 'yes', 'maybe'"),
        ),
        (lambda t: t.assign(y=["ja", "no"] * 100), ("data.positive_class_missing", "'yes'")),
    ],
)
def test_a_table_from_which_nothing_can_be_learned_is_refused(change: object, told: tuple[str, ...]) -> None:
    with raises(*told) as error:
        validate(change(table()), use_case(data={"expectations": ALL}))  # type: ignore[operator]
    assert error.value.fix


def test_an_absent_column_comes_with_a_suggestion() -> None:
    with raises("data.column_missing", "`c`") as error:
        validate(table(), use_case(evaluation={"slices": ["cc"]}, features={"exclude": ["xx"]}))
    assert "evaluation.slices" in error.value.where
    assert "`xx`" in error.value.what


def test_yaml_booleans_are_explained() -> None:
    with raises("data.positive_class_missing", "quotation marks"):
        validate(table(), use_case(problem={"positive": True}))


def test_regression_needs_numbers() -> None:
    with raises("data.target_not_numeric"):
        validate(table(), use_case("regression"))


def test_rows_without_a_time_or_group_cannot_be_split() -> None:
    frame = table().assign(day=pd.date_range("2024-01-01", periods=200).astype("str"))
    frame.loc[0, "day"] = "someday"
    result = validate(frame, use_case(data={"time": "day", "expectations": ALL}, split={"method": "time"}))
    assert result.quarantined["reason"].tolist() == ["day is not a date: someday"]
    assert pd.api.types.is_datetime64_any_dtype(result.frame["day"])


def test_limits_on_text_are_a_mistake_in_the_configuration() -> None:
    with raises("data.limits_not_numeric"):
        validate(table(), use_case(data=expecting(c={"type": "text", "min": 3})))
