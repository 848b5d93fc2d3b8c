"""Reading files, databases and joins, and what is said when they are bad."""

import sqlite3
from pathlib import Path

import fsspec
import pandas as pd
import pytest
from listening import listen

from noria.config.data import DataConfig
from noria.data.sources import fingerprint, read
from noria.data.table_files import read_file
from tests.errors_raised import raises

CHURN = Path("data/telco_churn.csv").resolve()


def data_of(**keys: object) -> DataConfig:
    return DataConfig.model_validate({"target": "y", **keys})


def one_file(path: Path | str, **keys: object) -> DataConfig:
    return data_of(sources=[{"name": "cases", "path": str(path), **keys}])


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_the_churn_table_is_read_whole() -> None:
    frame = read(one_file(CHURN))
    assert frame.shape == (7043, 20)
    assert frame["total_charges"].isna().sum() == 11
    assert pd.api.types.is_integer_dtype(frame["tenure"])


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("empty.csv", "", ("data.file_empty",)),
        ("blank.csv", "\n\n", ("data.file_empty",)),
        ("latin.csv", "a,y\n1,2\n3,é\n".encode("latin-1"), ("data.encoding_invalid", "line 3")),
        ("wide.csv", "é,y\n1,2\n".encode("utf-16"), ("data.format_mismatch", "UTF-16")),
        ("short.csv", "a,b,y\n1,2,3\n1,2\n", ("data.csv_invalid", "1 row", "3 fields", "row 3 with 2")),
        ("long.csv", "a,y\n1,2,3\n1,2\n4,5,6\n", ("data.csv_invalid", "2 row", "2 fields", "row 2 with 3")),
        ("open.csv", 'a,y\n1,"x\n2,y\n', ("data.quote_unclosed",)),
        ("twice.csv", "a,a,y\n1,2,3\n", ("data.column_duplicated", "`a`")),
        ("fake.parquet", "a,y\n1,2\n", ("data.parquet_invalid",)),
        ("table.xlsx", "PK", ("data.format_unknown",)),
    ],
)
def test_a_bad_file_is_named_with_its_fault(
    tmp_path: Path, name: str, content: str | bytes, told: tuple[str, ...]
) -> None:
    path = written(tmp_path, name, content)
    with raises(*told) as error:
        read(one_file(path))
    assert name in error.value.where
    assert error.value.fix


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("data/no_such_file.csv", ("data.file_not_found",)),
        ("data", ("data.format_unknown",)),
        ("nowhere://host/table.csv", ("data.file_unreadable",)),
        ("memory://absent.parquet", ("data.file_not_found",)),
        ("${env:NORIA_TEST_UNSET}/x.csv", ("config.variable_unset", "NORIA_TEST_UNSET")),
    ],
)
def test_an_unreachable_file_is_an_error_of_one_line(path: str, told: tuple[str, ...]) -> None:
    with raises(*told):
        read(one_file(path))


def test_only_a_header_gives_no_rows(tmp_path: Path) -> None:
    assert read(one_file(written(tmp_path, "header.csv", "a,y\n"))).shape == (0, 2)


def test_separator_decimal_quotes_dates_and_times_of_day(tmp_path: Path) -> None:
    path = written(tmp_path, "german.csv", 'a;b;day;at;y\n1,5;"x; y";2012-01-05;08:30;1\n2,5;;2012-01-06;08:31;2\n')
    frame = read(one_file(path, separator=";", decimal=","))
    assert frame["a"].tolist() == [1.5, 2.5]
    assert frame["b"].tolist()[0] == "x; y"
    assert frame["day"].tolist() == [pd.Timestamp("2012-01-05"), pd.Timestamp("2012-01-06")]
    assert frame["at"].tolist() == ["08:30", "08:31"]


def test_a_type_that_changes_late_in_the_file_is_kept(tmp_path: Path) -> None:
    rows = "".join(f"{i},1\n" for i in range(300_000))
    frame = read(one_file(written(tmp_path, "late.csv", f"a,y\n{rows}abc,1\n")))
    assert len(frame) == 300_001
    assert frame["a"].iloc[-1] == "abc"


def test_fsspec_urls_and_compression_give_the_same_table(tmp_path: Path) -> None:
    local = read_file(str(CHURN))
    with fsspec.open("memory://noria/churn.csv.gz", "wb", compression="gzip") as file:
        file.write(CHURN.read_bytes())
    local.to_parquet(tmp_path / "churn.parquet")
    pd.testing.assert_frame_equal(read_file("memory://noria/churn.csv.gz"), local)
    pd.testing.assert_frame_equal(read_file(CHURN.as_uri()), local)
    pd.testing.assert_frame_equal(read_file(str(tmp_path / "churn.parquet")), local)


def database(folder: Path) -> Path:
    path = folder / "shop.db"
    with sqlite3.connect(path) as connection:
        pd.DataFrame({"id": [1, 2, 3], "note": ["5 %", "10 %", None], "y": [0, 1, 0]}).to_sql("t", connection)
    return path


def test_a_real_database_is_queried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DB", str(database(tmp_path)))
    query = "SELECT id, note, y FROM t WHERE note LIKE '%0 \\%' ESCAPE '\\' OR ':x' = 'y'"
    frame = read(data_of(sources=[{"name": "shop", "url": "sqlite:///${env:SHOP_DB}", "query": query}]))
    assert frame["id"].tolist() == [2]


@pytest.mark.parametrize(
    ("url", "query", "told"),
    [
        ("sqlite:////nowhere/at/all.db", "SELECT 1", ("data.file_not_found", "/nowhere/at/all.db")),
        (
            "mysql+pymysql://reader:${env:NORIA_TEST_SECRET}@127.0.0.1:1/shop",
            "SELECT 1",
            ("data.database_unreachable",),
        ),
        ("not a url", "SELECT 1", ("data.url_invalid",)),
        ("nosuchdb://host/x", "SELECT 1", ("data.driver_missing",)),
        ("sqlite://", "SELEKT 1", ("data.query_failed",)),
        ("sqlite://", "SELECT 1 AS a, 2 AS a", ("data.column_duplicated", "`a`")),
    ],
)
def test_a_bad_database_is_an_error_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, url: str, query: str, told: tuple[str, ...]
) -> None:
    monkeypatch.setenv("NORIA_TEST_SECRET", "hunter2")
    with raises(*told) as error:
        read(data_of(sources=[{"name": "shop", "url": url, "query": query}]))
    assert "hunter2" not in str(error.value)
    assert "data.sources.shop" in error.value.where


def two_tables(folder: Path, added: str, **join: object) -> DataConfig:
    cases = written(folder, "cases.csv", "id,y\n1,a\n2,b\n3,a\n,b\n")
    places = written(folder, "places.csv", added)
    return data_of(
        sources=[{"name": "cases", "path": str(cases)}, {"name": "places", "path": str(places)}],
        joins=[{"source": "places", "on": ["id"], **join}],
    )


def test_a_left_join_keeps_every_row_in_order_and_says_what_matched_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    listen(lambda kind, text: heard.append(text))
    frame = read(two_tables(tmp_path, "id,town\n3,Bern\n1,Ulm\n,Nowhere\n"))
    assert frame["y"].tolist() == ["a", "b", "a", "b"]
    assert frame["town"].isna().tolist() == [False, True, False, True]
    assert any("2 of 4 rows have no match" in text for text in heard)


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ("id,town\n1,Ulm\n1,Bonn\n", ("data.join_key_repeated",)),
        ("key,town\n1,Ulm\n", ("data.join_key_missing", "`id`")),
        ("id,y\n1,Ulm\n", ("data.join_columns_clash", "`y`")),
        ("id,town\nA1,Ulm\n", ("data.join_keys_differ",)),
    ],
)
def test_a_join_that_would_go_wrong_is_refused(tmp_path: Path, added: str, told: tuple[str, ...]) -> None:
    with raises(*told):
        read(two_tables(tmp_path, added))


def test_doubling_rows_is_possible_where_it_is_asked_for(tmp_path: Path) -> None:
    frame = read(two_tables(tmp_path, "id,town\n1,Ulm\n1,Bonn\n", many_to_one=False))
    assert len(frame) == 5


def test_declared_dates_become_dates_and_broken_ones_wait_for_validation(tmp_path: Path) -> None:
    expectations = {"columns": {"good": {"type": "datetime"}, "bad": {"type": "datetime"}}}
    path = written(tmp_path, "days.csv", "good,bad,y\n2012-01-05T10:00:00,2012-02-30,1\n2012-01-06,2012-02-01,2\n")
    frame = read(data_of(sources=[{"name": "cases", "path": str(path)}], expectations=expectations))
    assert pd.api.types.is_datetime64_any_dtype(frame["good"])
    assert frame["bad"].tolist() == ["2012-02-30", "2012-02-01"]


def test_the_fingerprint_follows_the_data(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "a,y\n1,2\n")
    first = fingerprint(one_file(path))
    assert fingerprint(one_file(path)) == first
    written(tmp_path, "a.csv", "a,y\n1,3\n")
    assert fingerprint(one_file(path)) != first
    query = data_of(
        sources=[{"name": "shop", "url": f"sqlite:///{database(tmp_path)}", "query": "SELECT id, note, y FROM t"}]
    )
    before = fingerprint(query)
    assert fingerprint(query) == before
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("UPDATE t SET note = 'new' WHERE id = 3")
    assert fingerprint(query) != before
