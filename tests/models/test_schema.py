"""The input schema: what it learns, what it refuses, and that one row is read like a million."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from model_cases import Case, changed

from noria.schema import InputSchema
from noria.system.errors import NoriaError
from tests.errors_raised import raises


@pytest.fixture(scope="module")
def schema(churn: Case) -> InputSchema:
    return InputSchema.fit(churn.train, churn.use_case)


def row(churn: Case, **values: object) -> pd.DataFrame:
    return pd.DataFrame([{**churn.test.iloc[0].to_dict(), **values}])


def test_learns_kinds_ranges_categories_and_missing_shares(churn: Case, schema: InputSchema) -> None:
    columns = {column.name: column for column in schema.columns}
    assert list(columns) == [name for name in churn.train.columns if name != "churn"]
    assert columns["tenure"].kind == "number"
    assert (columns["tenure"].minimum, columns["tenure"].maximum) == (0, churn.train["tenure"].max())
    assert columns["contract"].categories == list(churn.train["contract"].value_counts().index)
    assert columns["total_charges"].missing == churn.train["total_charges"].isna().mean() > 0


def test_roles_never_become_inputs(bike: Case) -> None:
    excluding = changed(bike.use_case, features={**bike.use_case.features.model_dump(), "exclude": ["windspeed"]})
    names = InputSchema.fit(bike.train, excluding).names
    assert not {"cnt", "casual", "registered", "windspeed"} & set(names)
    assert "dteday" in names


def test_dates_give_calendar_parts_only(bike: Case) -> None:
    schema = InputSchema.fit(bike.train, bike.use_case)
    assert "dteday.month" in schema.encoded_names
    assert "dteday" not in schema.encoded_names
    encoded = pd.DataFrame(schema.encode(bike.test), columns=schema.encoded_names)
    assert (encoded["dteday.month"] == bike.test["dteday"].dt.month).all()
    assert (encoded["dteday.weekday"] == bike.test["dteday"].dt.weekday).all()
    without = changed(bike.use_case, features={"calendar": []})
    assert "dteday" not in InputSchema.fit(bike.train, without).names


def test_calendar_agrees_with_pandas_before_and_after_1970() -> None:
    from noria.schema.row_check import calendar_parts

    moments = pd.date_range("1899-12-27 23:30", "2101-01-03", freq="997h")
    parts = calendar_parts(moments.to_numpy(dtype="datetime64[us]"), ["year", "month", "day", "weekday", "hour"])
    for place, part in enumerate(["year", "month", "day", "weekday", "hour"]):
        assert (parts[:, place] == getattr(moments, part)).all()


def test_useless_columns_stay_out_with_a_warning(churn: Case, warned: list[str]) -> None:
    train = churn.train.assign(
        constant=7, empty=np.nan, note=[f"called on day {i}" for i in range(len(churn.train))], flag=True
    )
    names = InputSchema.fit(train, churn.use_case).names
    assert not {"constant", "empty", "note", "flag"} & set(names)
    assert len(warned) == 4
    assert any("note" in text and "free text" in text for text in warned)
    assert any("empty" in text and "missing" in text for text in warned)


def test_a_declared_category_and_a_column_of_a_rule_stay(churn: Case) -> None:
    rules = {"conditions": [{"when": "constant == 7", "then": "No"}], "otherwise": "Yes"}
    features = {"categorical": ["note"], "max_categories": 3}
    train = churn.train.assign(constant=7, note=[f"day {i}" for i in range(len(churn.train))])
    schema = InputSchema.fit(train, changed(churn.use_case, rules=rules, features=features))
    assert {"constant", "note"} <= set(schema.names)
    assert all(len(column.categories) <= 3 for column in schema.columns)


def test_features_and_expectations_decide_the_kind(churn: Case) -> None:
    features = {"categorical": ["senior_citizen"], "numeric": ["code"]}
    train = churn.train.assign(code=churn.train["tenure"].astype(str))
    kinds = {c.name: c.kind for c in InputSchema.fit(train, changed(churn.use_case, features=features)).columns}
    assert kinds["senior_citizen"] == "category"
    assert kinds["code"] == "number"


@pytest.mark.parametrize("bad", ["abc", float("inf")])
def test_an_unreadable_number_in_training_is_an_error(churn: Case, bad: object) -> None:
    train = churn.train.assign(tenure=churn.train["tenure"].astype(object))
    train.loc[3, "tenure"] = bad
    with raises("schema.column_unreadable", "tenure"):
        InputSchema.fit(train, churn.use_case)


def test_no_usable_column_is_an_error(churn: Case) -> None:
    plain = changed(churn.use_case, rules={"conditions": [], "otherwise": "No"})
    with raises("schema.inputs_missing"):
        InputSchema.fit(churn.train[["churn"]], plain)


def test_survives_json(schema: InputSchema, churn: Case) -> None:
    again = InputSchema.model_validate_json(schema.model_dump_json())
    assert again == schema
    assert np.array_equal(again.encode(churn.test), schema.encode(churn.test), equal_nan=True)


def test_all_missing_columns_are_named(churn: Case, schema: InputSchema) -> None:
    with raises("schema.column_missing", "`tenure`", "`contract`"):
        schema.check(churn.test.drop(columns=["contract", "tenure"]))
    with pytest.raises(NoriaError) as caught:
        schema.check(churn.test.rename(columns={"tenure": "tenures"}))
    assert "did you mean `tenures`" in caught.value.fix


def test_a_column_given_twice_is_refused(churn: Case, schema: InputSchema) -> None:
    twice = pd.concat([churn.test, churn.test[["tenure"]]], axis=1)
    with raises("data.column_duplicated"):
        schema.check(twice)


def test_extra_columns_and_another_order_change_nothing(churn: Case, schema: InputSchema) -> None:
    shuffled = churn.test[churn.test.columns[::-1]].assign(new="x")
    checked = schema.check(shuffled)
    assert set(checked.ignored) == {"new", "churn"}
    assert np.array_equal(checked.matrix, schema.encode(churn.test), equal_nan=True)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"monthly_charges": "abc"}, "monthly_charges: 'abc' is not a number"),
        ({"tenure": float("-inf")}, "tenure: infinite"),
        ({"tenure": "inf"}, "tenure: infinite"),
        ({"tenure": "1e400"}, "tenure: infinite"),
        ({"tenure": [1]}, "tenure: [1] is not a number"),
        ({"contract": ["a"]}, "contract: ['a'] is not a single value"),
        (
            {"contract": {"a": 1}, "tenure": "x"},
            "tenure: 'x' is not a number; contract: {'a': 1} is not a single value",
        ),
    ],
)
def test_what_is_wrong_with_a_row_is_said(
    churn: Case, schema: InputSchema, values: dict[str, object], error: str
) -> None:
    checked = schema.check(row(churn, **values))
    assert checked.errors == [error]
    assert np.isfinite(checked.matrix).any()
    many = schema.check(pd.concat([churn.test.head(100), row(churn, **values)]))
    assert many.errors == [""] * 100 + [error]


def test_what_training_never_saw_is_a_warning(churn: Case, schema: InputSchema) -> None:
    checked = schema.check(row(churn, contract="X", tenure=900))
    assert checked.errors == [""]
    assert checked.warnings == [
        "tenure: 900 is outside the training range 0–72; contract: unseen category 'X'",
    ]
    assert checked.matrix[0, schema.names.index("contract")] == -1


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT, "", "  "])
def test_missing_values_are_no_error(churn: Case, schema: InputSchema, missing: object) -> None:
    checked = schema.check(row(churn, contract=missing, tenure=missing))
    assert (checked.errors, checked.warnings) == ([""], [""])
    assert checked.frame["contract"].isna().all()
    assert checked.matrix[0, schema.names.index("contract")] == 3
    assert np.isnan(checked.matrix[0, schema.names.index("tenure")])


def test_the_same_value_means_the_same_in_every_type(churn: Case) -> None:
    use_case = changed(churn.use_case, features={"categorical": ["senior_citizen", "partner_flag"]})
    train = churn.train.assign(partner_flag=churn.train["partner"] == 1)
    schema = InputSchema.fit(train, use_case)
    place = schema.names.index("senior_citizen")
    for one in (1, 1.0, "1", np.int8(1), np.float32(1), True):
        encoded = schema.encode(row(churn, senior_citizen=one, partner_flag=True))
        assert encoded[0, place] == (-1 if one is True else schema.columns[place].categories.index("1"))
    flag = schema.names.index("partner_flag")
    for true in (True, "True", np.True_):
        assert schema.encode(row(churn, senior_citizen=1, partner_flag=true))[0, flag] >= 0
    number = schema.names.index("tenure")
    for twelve in (12, "12", " 12.0 ", np.int64(12)):
        assert schema.encode(row(churn, tenure=twelve, partner_flag=True))[0, number] == 12


@pytest.mark.parametrize("day", ["2011-05-01", date(2011, 5, 1), datetime(2011, 5, 1, 0), "2011-05-01 00:00"])
def test_dates_come_in_many_forms(bike: Case, day: object) -> None:
    schema = InputSchema.fit(bike.train, bike.use_case)
    one = pd.DataFrame([{**bike.test.iloc[0].to_dict(), "dteday": day}])
    checked = schema.check(one)
    assert checked.errors == [""]
    assert checked.frame["dteday"].iloc[0] == pd.Timestamp("2011-05-01")


def test_a_time_with_an_offset_is_refused_where_the_times_of_the_table_have_none(bike: Case) -> None:
    schema = InputSchema.fit(bike.train, bike.use_case)
    one = pd.DataFrame([{**bike.test.iloc[0].to_dict(), "dteday": "2011-05-01T02:00:00+02:00"}])
    assert schema.check(one).errors[0].startswith("dteday: ")


@pytest.mark.parametrize("day", [20110501, 1.5, "soon", "2011-13-45", True])
def test_a_number_or_a_word_is_no_date(bike: Case, day: object) -> None:
    schema = InputSchema.fit(bike.train, bike.use_case)
    one = pd.DataFrame([{**bike.test.iloc[0].to_dict(), "dteday": day}])
    assert "is not a date" in schema.check(one).errors[0]


def test_a_row_alone_is_read_as_among_many(churn: Case, schema: InputSchema) -> None:
    random = np.random.default_rng(1)
    odd = ["abc", "", None, float("inf"), 1, 2.5, "12", True, "Yes", "Month-to-month", "1e3", -4, [1], pd.NA]
    table = churn.test.head(300).drop(columns="churn").astype(object)
    for name in table.columns:
        places = random.integers(0, 300, 40)
        for place in places:
            table.iat[place, table.columns.get_loc(name)] = odd[random.integers(len(odd))]
    together = schema.check(table)
    for place in range(len(table)):
        alone = schema.check(table.iloc[[place]])
        assert alone.errors[0] == together.errors[place]
        assert alone.warnings[0] == together.warnings[place]
        assert np.array_equal(alone.matrix[0], together.matrix[place], equal_nan=True)


def test_keeps_index_order_and_no_rows(churn: Case, schema: InputSchema) -> None:
    some = churn.test.sample(100, random_state=3)
    assert (schema.check(some).frame.index == some.index).all()
    nothing = schema.check(churn.test.head(0))
    assert nothing.matrix.shape == (0, len(schema.encoded_names))
    assert nothing.errors == []


def test_rare_categories_count_as_unseen(bike: Case) -> None:
    few = changed(bike.use_case, features={"categorical": ["hr"], "max_categories": 5})
    schema = InputSchema.fit(bike.train, few)
    column = next(c for c in schema.columns if c.name == "hr")
    codes = schema.encode(bike.train)[:, schema.encoded_names.index("hr")]
    assert len(column.categories) == 5
    assert (codes == -1).sum() == (~bike.train["hr"].isin(column.categories)).sum() > 0


def test_a_request_means_what_validation_made_of_the_training_value(churn: Case) -> None:
    """Declared types convert the training column; the same raw values must not be unseen at prediction."""
    from noria.data.validation import validate

    raw = churn.train.assign(
        vip=["yes" if i % 3 else "no" for i in range(len(churn.train))],
        branch=[float(i % 4) if i % 5 else None for i in range(len(churn.train))],
    )
    declared = {"columns": {"vip": {"type": "boolean"}, "branch": {"type": "text"}}}
    use_case = changed(churn.use_case, data={"expectations": declared})
    schema = InputSchema.fit(validate(raw, use_case).frame, use_case)
    assert {column.kind for column in schema.columns if column.name in {"vip", "branch"}} == {"category"}
    for rows in (raw.head(10), raw, raw.assign(vip=raw["vip"] == "yes", branch=raw["branch"].astype("Int64"))):
        checked = schema.check(rows)
        assert not any("vip" in text or "branch" in text for text in checked.warnings)
        assert checked.frame["branch"].dropna().isin(["0", "1", "2", "3"]).all()
        assert set(checked.frame["vip"]) == {"True", "False"}
