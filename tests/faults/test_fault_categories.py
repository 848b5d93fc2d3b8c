"""Texts that look like something else: `NA`, leading zeros, versions, codes, long identifiers."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.faults.customers import customers, cycled, drive_of
from tests.faults.roads import (
    ROUNDING,
    Trained,
    assert_same,
    by_csv,
    by_json,
    by_parquet,
    by_sql,
    copied,
    fault,
    objects,
    propose,
    texts,
    train,
    trained,
    write_csv,
    write_rows,
)

ROW = {"age": 50, "visits": 15, "plan": "plus"}


def numbers_of(rows: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    """The rows with these columns as numbers."""
    return [row | {name: float(row[name]) for name in names if row[name] is not None} for row in rows]


def recast(rows: list[dict[str, Any]], column: str, kind: pa.DataType) -> pa.Table:
    """The rows as a table with one column of this type."""
    table = pa.Table.from_pylist(rows)
    return table.set_column(table.column_names.index(column), column, table[column].cast(kind))


def asked_for(values: Sequence[object], column: str) -> list[dict[str, Any]]:
    return [ROW | {column: value} for value in values]


@pytest.fixture(scope="module")
def countries(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(fault("country-na"), tmp_path_factory.mktemp("countries"))


def test_the_country_na_is_one_thing_by_every_road(countries: Trained, tmp_path: Path) -> None:
    file = copied(tmp_path, "country-na", "ask.csv")
    rows = numbers_of(objects(texts(file).drop(columns="left")), "age", "fee", "visits")
    assert {"NA", None} <= {row["country"] for row in rows}
    answers = by_csv(countries, file)
    for kind in (pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())):
        assert_same(by_parquet(countries, recast(rows, "country", kind), tmp_path), answers)
    assert_same(by_sql(countries, rows, tmp_path), answers)
    assert_same(by_json(countries, rows), answers, within=ROUNDING)


def test_na_beside_other_codes_is_a_category_or_told(countries: Trained, tmp_path: Path) -> None:
    file = copied(tmp_path, "country-na")
    rows = [value for value in texts(file)["country"] if value == "NA"]
    messages = propose(file).about("country")
    assert "NA" in countries.column("country").categories or ("NA" in messages and str(len(rows)) in messages)


@pytest.mark.parametrize("mark", ["NA", "N/A", "null", "None", "NaN"])
def test_what_stands_for_nothing_among_numbers_does_so_by_every_road(tmp_path: Path, mark: str) -> None:
    fees = cycled([12.5, 30.25, 44, 58.5, mark])
    push = [float(value) / 30 - 1 if value != mark else 0.0 for value in fees]
    model = trained(write_csv(tmp_path, customers(push, fee=fees)), tmp_path)
    assert model.column("fee").kind == "number"
    rows = asked_for([mark, 30.25], "fee")
    wanted = by_json(model, asked_for([None, 30.25], "fee"))
    assert_same(by_json(model, rows), wanted)
    answers = by_csv(model, write_rows(tmp_path, rows))
    assert_same(answers, wanted, within=ROUNDING)
    as_text = [row | {"fee": str(row["fee"])} for row in rows]
    assert_same(by_parquet(model, pa.Table.from_pylist(as_text), tmp_path), answers)


@pytest.mark.parametrize("mark", ["None", "null", "N/A", "nan"])
def test_a_word_for_nothing_among_texts_is_one_thing_by_every_road(tmp_path: Path, mark: str) -> None:
    """A cover may be `None`, `Basic` or `Full`."""
    covers = cycled(["Basic", "Full", mark, "Extra"])
    model = trained(write_csv(tmp_path, customers(drive_of(covers), cover=covers)), tmp_path)
    rows = asked_for(["Basic", "Full", mark, "Extra", None], "cover")
    answers = by_csv(model, write_rows(tmp_path, rows))
    assert_same(by_parquet(model, pa.Table.from_pylist(rows), tmp_path), answers)
    assert_same(by_sql(model, rows, tmp_path), answers)
    assert_same(by_json(model, rows), answers, within=ROUNDING)


@pytest.fixture(scope="module")
def zips(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(fault("leading-zeros"), tmp_path_factory.mktemp("zips"))


def test_leading_zeros_count_by_every_road(zips: Trained, tmp_path: Path) -> None:
    assert "01099" in zips.column("zip").categories
    file = copied(tmp_path, "leading-zeros", "ask.csv")
    rows = numbers_of(objects(texts(file)), "age", "fee", "visits")
    answers = by_csv(zips, file)
    assert not answers["warning"].str.contains("zip").any()
    for kind in (pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())):
        assert_same(by_parquet(zips, recast(rows, "zip", kind), tmp_path), answers)
    assert_same(by_sql(zips, rows, tmp_path), answers)
    assert_same(by_json(zips, rows), answers, within=ROUNDING)


def test_leading_zeros_are_told_and_the_customer_keeps_hers(zips: Trained, tmp_path: Path) -> None:
    file = copied(tmp_path, "leading-zeros")
    proposed = propose(file)
    assert "zero" in proposed.about("zip")
    assert proposed.use_case.data.id == "customer_id"
    assert "000001" in set(zips.train["customer_id"]) | set(zips.test["customer_id"])


def test_a_number_is_not_the_code_with_zeros_before_it(zips: Trained) -> None:
    row = {"age": 50, "fee": 20.5, "visits": 15, "plan": "plus", "zip": 1099}
    answer = by_json(zips, [row]).loc[0]
    assert "zip" in answer["warning"] + answer["error"]


def test_some_leading_zeros_are_enough(tmp_path: Path) -> None:
    """Most postal codes have none; in a short list of rows, or in a part of the file, no row has one."""
    codes = cycled(["10115", "20095", "50667", "80331", "99084", "04103"])
    model = trained(write_csv(tmp_path, customers(drive_of(codes), area=codes)), tmp_path)
    assert set(model.column("area").categories) == {"10115", "20095", "50667", "80331", "99084", "04103"}
    without = asked_for(["10115", "99084"], "area")
    together = by_csv(model, write_rows(tmp_path, [*without, *asked_for(["04103"], "area")]))
    assert together["warning"].tolist() == ["", "", ""]
    assert_same(by_csv(model, write_rows(tmp_path, without)), together.head(2))
    assert_same(by_json(model, without), together.head(2), within=ROUNDING)


@pytest.fixture(scope="module", params=["in.csv", "in_missing.csv"])
def tiers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(fault("int-missing", request.param), tmp_path_factory.mktemp("tiers"))


TIER_TYPES = {
    "int8": pa.int8(),
    "uint16": pa.uint16(),
    "int64": pa.int64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "decimal128": pa.decimal128(3, 2),
    "string": pa.string(),
    "large_string": pa.large_string(),
    "dictionary of texts": pa.dictionary(pa.int8(), pa.string()),
    "dictionary of numbers": pa.dictionary(pa.int8(), pa.int64()),
}


def tier_table(rows: list[dict[str, Any]], kind: pa.DataType) -> pa.Table:
    tiers = [row["tier_code"] for row in rows]
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_decimal(inner):
        tiers = [None if tier is None else Decimal(tier) for tier in tiers]
    elif not (pa.types.is_string(inner) or pa.types.is_large_string(inner)):
        tiers = [None if tier is None else int(tier) for tier in tiers]
    column = pa.array(tiers, inner)
    column = column.dictionary_encode() if pa.types.is_dictionary(kind) else column
    return pa.Table.from_pylist([{n: v for n, v in row.items() if n != "tier_code"} for row in rows]).append_column(
        "tier_code", column
    )


@pytest.mark.parametrize("gap", [False, True])
def test_a_number_that_is_a_name_has_one_text(tiers: Trained, tmp_path: Path, gap: bool) -> None:
    assert set(tiers.column("tier_code").categories) == {"1", "2", "3", "4", "5"}
    rows = objects(texts(fault("int-missing", "b_missing.csv" if gap else "a_plain.csv")))
    assert any(row["tier_code"] is None for row in rows) is gap
    rows = numbers_of(rows, "age", "fee", "visits")
    answers = by_csv(tiers, write_rows(tmp_path, rows))
    assert not answers["warning"].str.contains("tier_code").any()
    with_point = [row | {"tier_code": None if row["tier_code"] is None else row["tier_code"] + ".0"} for row in rows]
    assert_same(by_csv(tiers, write_rows(tmp_path, with_point)), answers)
    for name, kind in TIER_TYPES.items():
        found = by_parquet(tiers, tier_table(rows, kind), tmp_path)
        assert found["warning"].tolist() == answers["warning"].tolist(), name
        assert_same(found, answers)
    wanted = by_json(tiers, rows)
    assert_same(wanted, answers, within=ROUNDING)
    for form in (int, float, lambda tier: f"{tier}.0"):
        sent = [row | {"tier_code": None if row["tier_code"] is None else form(row["tier_code"])} for row in rows]
        assert_same(by_json(tiers, sent), wanted)
        if form in (int, float):
            assert_same(by_sql(tiers, sent, tmp_path), answers)
    as_text = [row | {"fee": str(row["fee"])} for row in rows]
    assert_same(by_parquet(tiers, pa.Table.from_pylist(as_text), tmp_path), answers)


CODES = {
    "versions of three parts": ["2.0.1", "2.0.10", "1.2.3", "10.1.2"],
    "article numbers": ["12-11", "2024-13", "10-2", "3-14"],
    "dates with words": ["May 5", "Mar 1", "Sept 2", "Dec 9"],
    "fractions": ["1/2", "3/4", "5/8", "12/11"],
    "telephone numbers": ["+493012345678", "+493012345679", "+4930555", "+44207946"],
    "telephone numbers with blanks": ["030 123456", "0171 5551", "089 4711", "0221 815"],
    "hexadecimal digits": ["0x1F", "0x2A", "0x10", "0x7"],
    "hexadecimal digits alone": ["1E5", "2A7", "9F0", "0E1"],
    "zeros before": ["007", "7", "011", "11"],
    "times that are scores": ["12:11", "3:2", "10:15", "2:2"],
    "numbers with an underline": ["1_000", "2_000", "10_00", "3_1"],
    "grades": ["1", "1+", "1-", "2"],
    "words of infinity": ["inf", "nano", "infinity", "pico"],
    "long and short numbers": ["9007199254740993", "9007199254740992", "9007199254740994", "17"],
    "longer than any whole number": ["12345678901234567890123", "12345678901234567890124", "9" * 25, "1" * 30],
    "digits of other scripts": ["٣", "٤", "三", "四"],
}


@pytest.mark.parametrize("name", CODES)
def test_codes_are_the_texts_that_they_are(tmp_path: Path, name: str) -> None:
    codes = CODES[name]
    column = cycled(codes)
    model = trained(write_csv(tmp_path, customers(drive_of(column), mark=column)), tmp_path)
    assert set(model.column("mark").categories) == set(codes)
    rows = asked_for([*codes, None, "another"], "mark")
    answers = by_csv(model, write_rows(tmp_path, rows))
    assert answers["error"].tolist() == [""] * len(rows)
    assert answers["probability"].head(len(codes)).nunique() == len(codes)
    assert_same(by_parquet(model, pa.Table.from_pylist(rows), tmp_path), answers)
    assert_same(by_sql(model, rows, tmp_path), answers)
    assert_same(by_json(model, rows), answers, within=ROUNDING)


AMBIGUOUS = {
    "versions of two parts": ["1.1", "1.10", "1.9", "2.0"],
    "hexadecimal or in powers of ten": ["1E5", "2E3", "7E1", "1E2"],
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_codes_that_could_be_numbers_are_texts_or_told(tmp_path: Path, name: str) -> None:
    codes = AMBIGUOUS[name]
    column = cycled(codes)
    proposed = propose(write_csv(tmp_path, customers(drive_of(column), mark=column)))
    model = train(proposed.use_case, tmp_path)
    if model.column("mark").kind == "category":
        assert set(model.column("mark").categories) == set(codes)
    else:
        assert "`mark`" in proposed.about("mark")
    rows = asked_for(codes, "mark")
    answers = by_csv(model, write_rows(tmp_path, rows))
    assert_same(by_parquet(model, pa.Table.from_pylist(rows), tmp_path), answers)
    assert_same(by_json(model, rows), answers, within=ROUNDING)


def test_codes_stay_texts_when_declared(tmp_path: Path) -> None:
    column = cycled(AMBIGUOUS["versions of two parts"])
    use_case = propose(write_csv(tmp_path, customers(drive_of(column), mark=column))).use_case
    raw = use_case.model_dump(mode="json", exclude_unset=True)["data"]
    columns = {**raw.get("columns", {}), "mark": {"type": "text"}}
    raw["expectations"]["columns"].pop("mark", None)
    model = train(use_case, tmp_path, data={"columns": columns, "expectations": raw["expectations"]})
    assert set(model.column("mark").categories) == {"1.1", "1.10", "1.9", "2.0"}
    rows = asked_for(["1.1", "1.10"], "mark")
    answers = by_csv(model, write_rows(tmp_path, rows))
    assert answers["warning"].tolist() == ["", ""]
    assert_same(by_parquet(model, pa.Table.from_pylist(rows), tmp_path), answers)


ACCOUNTS = [9007199254740992, 9007199254740993, 1234567890123456789, 1000000000000000001, 17]


def test_numbers_of_accounts_keep_every_digit(tmp_path: Path) -> None:
    column = cycled(ACCOUNTS)
    table = write_csv(tmp_path, customers(drive_of(column), account=column))
    model = trained(table, tmp_path, features={"categorical": ["account"]})
    assert set(model.column("account").categories) == set(map(str, ACCOUNTS))
    rows = asked_for(ACCOUNTS, "account")
    answers = by_csv(model, write_rows(tmp_path, rows))
    assert answers["warning"].tolist() == [""] * len(ACCOUNTS)
    for kind in (pa.int64(), pa.uint64(), pa.decimal128(20, 0), pa.string()):
        values = list(map(str if kind == pa.string() else Decimal if pa.types.is_decimal(kind) else int, ACCOUNTS))
        asked = pa.Table.from_pylist([ROW] * len(ACCOUNTS)).append_column("account", pa.array(values, kind))
        assert_same(by_parquet(model, asked, tmp_path), answers)
    assert_same(by_sql(model, rows, tmp_path), answers)
    assert_same(by_json(model, rows), answers, within=ROUNDING)
    assert_same(by_json(model, asked_for(list(map(str, ACCOUNTS)), "account")), by_json(model, rows))


def test_a_gap_does_not_shorten_numbers_of_accounts(tmp_path: Path) -> None:
    column = cycled([*ACCOUNTS, None])
    table = write_csv(tmp_path, customers(drive_of(column), account=column))
    model = trained(table, tmp_path, features={"categorical": ["account"]})
    assert set(model.column("account").categories) == set(map(str, ACCOUNTS))
    rows = asked_for([*ACCOUNTS, None], "account")
    answers = by_csv(model, write_rows(tmp_path, rows))
    assert answers["warning"].tolist() == [""] * len(rows)
    assert_same(by_parquet(model, pa.Table.from_pylist(rows), tmp_path), answers)
    assert_same(by_json(model, rows), answers, within=ROUNDING)
