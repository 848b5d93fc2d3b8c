"""Tables as databases and other programs really write them: each is learned from, or refused with a reason."""

import datetime as dt
import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noria.batch import predict_file
from noria.bundle import Bundle, write_bundle
from noria.config import UseCase
from noria.data.database import read_query
from noria.data.sources import read
from noria.data.split import split
from noria.data.table_files import read_file
from noria.data.validation import validate
from noria.models.fitted_model import fit
from noria.models.policy_choice import choose_policy
from noria.profiling.report import exploration_report, profile_table
from tests.errors_raised import raises
from tests.predictions.postgres import server

ROWS = 240
WORTH = {"true_positive": 1, "false_positive": -1, "false_negative": 0}


def use_case(path: Path, **sections: Any) -> UseCase:
    problem = {
        "question": "Which of them will it be?",
        "decided_by": "the team",
        "needed": "daily",
        "business_figure": "share",
        "label_delay_days": 1,
    }
    data = {"sources": [{"name": "cases", "path": str(path)}], "target": "y", **sections.pop("data", {})}
    raw: dict[str, Any] = {
        "name": "odd",
        "problem": {**problem, "task": "binary", "positive": "yes", "worth": WORTH},
        "data": data,
        "rules": {"otherwise": "no"},
        "evaluation": {"metric": "roc_auc"},
        "models": {"folds": 2},
    }
    return UseCase.model_validate(raw | sections)


def table(**columns: Any) -> dict[str, Any]:
    x = np.random.default_rng(0).normal(size=ROWS)
    return {"x": x, "y": np.where(x > 0.2, "yes", "no"), **columns}


def written(folder: Path, **columns: Any) -> Path:
    path = folder / "cases.parquet"
    pq.write_table(pa.table(table(**columns)), path)
    return path


def trained(case: UseCase, folder: Path) -> Bundle:
    """Read, validated, explored, split and learned from, as `train` does."""
    valid = validate(read(case.data), case)
    assert len(valid.frame) + len(valid.quarantined) == ROWS
    page = exploration_report(profile_table(valid.frame, case, valid.quarantined), valid.frame, case)
    assert "<svg" in page
    train, _ = split(valid.frame, case)
    fitted = fit("linear", {}, train, case)
    scores = fitted.scores(train)
    policy = choose_policy(case, train["y"].to_numpy(), scores)
    kept = {"use_case": case, "train": train, "out_of_fold": scores, "policy": policy}
    return write_bundle(folder / "bundle", fitted, fingerprint="0" * 64, version="1", **kept)


def cycled(*values: object) -> list[object]:
    return [values[row % len(values)] for row in range(ROWS)]


COMPOUND = {
    "list": pa.array(cycled(["a", "b"], ["c"], None)),
    "struct": pa.array(cycled({"a": 1, "b": "x"}, {"a": 2, "b": None})),
    "map": pa.array(cycled([("a", 1)], [("b", 2)]), pa.map_(pa.string(), pa.int64())),
    "bytes": pa.array(cycled(b"\xff\x00", b"text", None)),
}


@pytest.mark.parametrize("kind", COMPOUND)
def test_compound_values_are_text_in_training_and_in_batch(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, odd=COMPOUND[kind])
    bundle = trained(use_case(path), tmp_path)
    assert "odd" in bundle.manifest.schema_.names
    out = tmp_path / "out.parquet"
    summary = predict_file(bundle, path, out, chunk_rows=100, quarantine=tmp_path / "bad.csv")
    assert (summary.rows, summary.quarantined) == (ROWS, 0)
    answers = pd.read_parquet(out)
    assert not answers["warning"].str.contains("odd").any()
    known = [value for value in COMPOUND[kind].to_pylist() if value is not None]
    assert pq.read_table(out)["odd"].drop_null().to_pylist() == known  # kept as it came


def test_lists_are_json_and_bytes_are_text_or_digits(tmp_path: Path) -> None:
    frame = read_file(str(written(tmp_path, a=COMPOUND["struct"], b=COMPOUND["bytes"])))
    assert json.loads(frame["a"][0]) == {"a": 1, "b": "x"}
    assert frame["b"][:2].tolist() == ["ff00", "text"]
    assert frame["b"].isna().sum() == ROWS // 3


@pytest.mark.parametrize("far", ["9999-12-31", "0001-01-01"])
def test_dates_that_stand_for_always_or_never_are_dates(tmp_path: Path, far: str) -> None:
    days = np.datetime64("2020-01-01", "s") + np.arange(ROWS) * np.timedelta64(1, "D")
    days[::50] = np.datetime64(far, "s")
    case = use_case(
        written(tmp_path, day=pa.array(days)), data={"time": "day"}, features={"calendar": ["year", "month"]}
    )
    bundle = trained(case, tmp_path)
    assert bundle.predict(pd.DataFrame(bundle.examples()))["error"].tolist() == [""] * 5


@pytest.mark.parametrize("beyond", ["20000-06-01", "-0044-03-15"])
def test_years_that_no_text_carries_are_no_dates(tmp_path: Path, beyond: str) -> None:
    days = np.datetime64("2020-01-01", "s") + np.arange(ROWS) * np.timedelta64(1, "D")
    days[7] = np.datetime64(beyond, "s")
    path = written(tmp_path, day=pa.array(days))
    expected = {"columns": {"day": {"type": "datetime"}}}
    case = use_case(path, data={"expectations": expected}, features={"calendar": ["year"]})
    assert "day is not a date" in validate(read(case.data), case).quarantined["reason"].iloc[0]
    trained(case, tmp_path)


@pytest.mark.parametrize("value", [1e300, -1.7e308, 3.5e38])
def test_numbers_beyond_what_models_compute_with_are_set_aside(tmp_path: Path, value: float) -> None:
    wide = np.arange(ROWS, dtype=float)
    wide[3] = value
    case = use_case(written(tmp_path, wide=wide))
    valid = validate(read(case.data), case)
    assert valid.quarantined["reason"].tolist() == [f"wide is too large: {value}"]
    bundle = trained(case, tmp_path)
    answer = bundle.predict(pd.DataFrame([bundle.examples()[0] | {"wide": value}]))
    assert answer["error"].tolist() == ["wide: too large"]


def test_large_whole_numbers_next_to_each_other_can_be_drawn(tmp_path: Path) -> None:
    close = pa.array([2**64 - 1 - row for row in range(ROWS)], pa.uint64())
    trained(use_case(written(tmp_path, close=close)), tmp_path)


def database(folder: Path) -> Path:
    path = folder / "shop.db"
    with sqlite3.connect(path) as connection:
        pd.DataFrame(table(mixed=cycled("x", 5, 2.5, None, b"\xff"))).to_sql("t", connection, index=False)
    return path


def test_a_column_in_which_a_database_mixes_kinds_is_text(tmp_path: Path) -> None:
    path = database(tmp_path)
    source = {"name": "cases", "url": f"sqlite:///{path}", "query": "SELECT * FROM t"}
    case = use_case(path, data={"sources": [source]})
    frame = read(case.data)
    assert frame["mixed"][:5].tolist()[:3] == ["x", "5", "2.5"]
    assert pd.isna(frame["mixed"][3])
    pa.Table.from_pandas(frame)  # what an artifact store does with it
    trained(case, tmp_path)


@pytest.mark.parametrize(
    "query",
    [
        "DROP TABLE t",
        "DELETE FROM t RETURNING *",
        "UPDATE t SET x = 0 RETURNING x",
        "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM t RETURNING x",
        "ATTACH '{made}' AS made",
        "/* SELECT */ ATTACH '{made}' AS made",
        "SELECT 1; ATTACH '{made}' AS made",
        "VACUUM INTO '{made}'",
        "PRAGMA user_version = 7",
        "SELECT * FROM pragma_journal_mode('DELETE')",
        "SELECT load_extension('{made}')",
        "CREATE TEMP TABLE made AS SELECT 1",
        "UPDATE sqlite_master SET sql = '' RETURNING name",
    ],
)
@pytest.mark.parametrize("url", ["sqlite:///{path}", "sqlite:///file:{path}?uri=true&mode=rwc"])
def test_a_query_changes_nothing_and_makes_no_file(tmp_path: Path, query: str, url: str) -> None:
    path = database(tmp_path)
    before = path.read_bytes()
    with raises("data.query_failed"):
        read_query(url.format(path=path), query.format(made=tmp_path / "made.db"))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    assert len(read_query(url.format(path=path), "SELECT * FROM t WHERE x != 0")) == ROWS


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with raises("data.database_unreachable"):
        read_query(f"sqlite:///file:{tmp_path}/made.db?uri=true", "SELECT 1")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "query",
    [
        "-- all; of them\nSELECT count(*) AS n FROM t;",
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 5) SELECT upper('a;b'), i FROM c",
        "VALUES (1, 'it''s; so')",
        "SELECT name, value FROM pragma_table_info('t'), json_each('[1, 2]')",
    ],
)
def test_a_query_that_reads_is_answered_from_a_file_that_others_write(tmp_path: Path, query: str) -> None:
    path = tmp_path / "odd #name%20.db"
    database(tmp_path).rename(path)
    with sqlite3.connect(path) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("INSERT INTO t SELECT * FROM t")
        writer.commit()
        assert len(read_query(f"sqlite:///{path}", query))


def test_no_statement_follows_a_query_on_a_database_server() -> None:
    with server() as url:
        _refuse_more_statements(url)


def _refuse_more_statements(url: str) -> None:
    for query in (
        "SELECT 1; COMMIT; CREATE TABLE made (x int)",
        "SELECT E'\\''; COMMIT; CREATE TABLE made (x int); --'",
    ):
        with raises("data.query_failed"):
            read_query(url, query)
    assert read_query(url, "SELECT count(*) AS n FROM pg_tables WHERE tablename = 'made'")["n"].tolist() == [0]


@pytest.mark.parametrize(
    ("content", "said", "fix"),
    [
        (b"PAR1 and so on", "a Parquet file", "format: parquet"),
        (b"PK\x03\x04\xff", "a spreadsheet", "save the table as CSV"),
        ("é,y\n1,2\n".encode("utf-16"), "UTF-16", "iconv -f UTF-16"),
    ],
)
def test_another_kind_of_file_is_called_by_its_name(tmp_path: Path, content: bytes, said: str, fix: str) -> None:
    path = tmp_path / "cases.csv"
    path.write_bytes(content + b"\x00\xff" * 20)
    with raises("data.format_mismatch", said) as caught:
        read_file(str(path))
    assert fix in caught.value.fix


@pytest.mark.parametrize(("mark", "said"), [(";", 'separator: ";"'), ("\t", 'separator: "\\t"')])
def test_another_separator_is_guessed_in_the_hint(tmp_path: Path, mark: str, said: str) -> None:
    path = tmp_path / "cases.csv"
    pd.DataFrame(table()).to_csv(path, index=False, sep=mark)
    case = use_case(path)
    with raises("data.column_missing", "`y`") as caught:
        validate(read(case.data), case)
    assert said in caught.value.fix


def test_a_worth_of_a_class_that_is_not_there_is_refused(tmp_path: Path) -> None:
    problem = use_case(tmp_path).model_dump()["problem"]
    del problem["positive"]
    worth = {"right": 1, "wrong": -1, "wrong_when_true": {"yess": -5}}
    case = use_case(
        written(tmp_path), problem=problem | {"task": "multiclass", "worth": worth}, evaluation={"metric": "accuracy"}
    )
    with raises("data.class_unknown", "`yess`") as caught:
        validate(read(case.data), case)
    assert "`yes`" in caught.value.fix


def test_rows_of_one_moment_cannot_be_split_by_time(tmp_path: Path) -> None:
    case = use_case(written(tmp_path, day=[dt.date(2020, 1, 1)] * ROWS), data={"time": "day"}, split={"method": "time"})
    with raises("data.time_constant", "`day`"):
        split(validate(read(case.data), case).frame, case)
