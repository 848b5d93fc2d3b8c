"""What is wrong with paths and columns is found from headers alone, before anything is started."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from noria.config import UseCase
from noria.data.column_check import check_columns
from noria.data.table_files import read_file, read_names
from noria.system.workspace import PROJECT
from tests.errors_raised import raises
from tests.small_cases import churn_table, small_case, write_config


@pytest.fixture
def table(tmp_path: Path) -> Path:
    churn_table(50).to_csv(tmp_path / "few.csv", index=False)
    return tmp_path / "few.csv"


def case(table: Path, **sections: dict[str, Any]) -> UseCase:
    return small_case("checked", table, **sections)


def test_a_case_that_fits_its_table_passes(table: Path) -> None:
    check_columns(case(table))


@pytest.mark.parametrize(
    ("sections", "key", "column"),
    [
        ({"data": {"target": "chrun"}}, "data.target", "chrun"),
        ({"data": {"id": "customer"}}, "data.id", "customer"),
        ({"data": {"time": "at"}, "features": {"exclude": ["at"]}}, "data.time", "at"),
        ({"data": {"unavailable_at_prediction": ["refund"]}}, "data.unavailable_at_prediction", "refund"),
        ({"data": {"expectations": {"columns": {"age": {"min": 0}}}}}, "data.expectations.columns", "age"),
        ({"features": {"categorical": ["contrct"]}}, "features.categorical", "contrct"),
        ({"evaluation": {"slices": ["region"]}}, "evaluation.slices", "region"),
        ({"split": {"method": "group", "group": "household"}}, "split.group", "household"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_key_that_names_a_column_is_looked_at(
    table: Path, sections: dict[str, dict[str, Any]], key: str, column: str
) -> None:
    with raises("data.column_missing", f"`{column}`") as caught:
        check_columns(case(table, **sections))
    assert key in caught.value.where


@pytest.mark.parametrize("column", ["tenur", "churn"], ids=["mistyped", "the target"])
def test_a_rule_uses_only_columns_that_are_known_beforehand(table: Path, column: str) -> None:
    rules = {"conditions": [{"when": f"{column} == 3", "then": "Yes"}]}
    with raises("rules.column_unknown", f"`{column}`") as caught:
        check_columns(case(table, rules=rules))
    assert "rule 1" in caught.value.where


def test_a_file_that_is_not_there_is_told(table: Path) -> None:
    with raises("data.file_not_found", str(table.with_name("other.csv"))):
        check_columns(case(table.with_name("other.csv")))


def test_columns_come_from_every_source_that_is_joined(table: Path, tmp_path: Path) -> None:
    pd.DataFrame({"contract": ["One year"], "discount": [3.0]}).to_parquet(tmp_path / "contracts.parquet")
    data = {
        "sources": [
            {"name": "customers", "path": str(table)},
            {"name": "contracts", "path": str(tmp_path / "contracts.parquet")},
        ],
        "joins": [{"source": "contracts", "on": ["contract"]}],
    }
    check_columns(case(table, data=data, evaluation={"slices": ["discount"]}))
    data["joins"] = [{"source": "contracts", "on": ["kontract"]}]
    with raises("data.column_missing", "`kontract`"):
        check_columns(case(table, data=data))


def test_a_query_is_not_run_for_its_columns(table: Path) -> None:
    source = {"name": "customers", "url": "postgresql+psycopg://nobody@127.0.0.1:1/none", "query": "SELECT 1"}
    check_columns(case(table, data={"sources": [source], "target": "anything"}))


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
@pytest.mark.parametrize("index", [None, "key"])
def test_the_header_names_the_columns_that_the_table_has(tmp_path: Path, ending: str, index: str | None) -> None:
    frame = pd.DataFrame({"key": [1, 2], 'two, "quoted"': ["a", "b"], "c": [0.5, None]})
    file = str(tmp_path / f"table{ending}")
    if ending == ".parquet":
        (frame.set_index(index) if index else frame).to_parquet(file)
    else:
        frame.to_csv(file, index=False)
    assert sorted(read_names(file)) == sorted(read_file(file).columns)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_header_over_two_lines_is_refused_and_shown_on_one(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"table{ending}"
    frame = pd.DataFrame({"key": [1, 2], 'two\nlines, "quoted"': ["a", "b"]})
    frame.to_csv(file, index=False) if ending == ".csv" else frame.to_parquet(file)
    for read in (read_names, read_file):
        with raises("data.column_name_invalid", "two\\nlines") as caught:
            read(str(file))
        assert str(caught.value).isprintable()


def test_zenml_is_not_needed_to_find_a_wrong_column(table: Path, tmp_path: Path) -> None:
    config = write_config(case(table, evaluation={"slices": ["regoin"]}), tmp_path / "case.yaml")
    script = (
        "import json, runpy, sys\n"
        "sys.argv = ['run.py', *json.loads(sys.argv[1])]\n"
        "try: runpy.run_path('run.py', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print('zenml' in sys.modules)"
    )
    for command in ("train", "explore"):
        told = subprocess.run(
            [sys.executable, "-c", script, json.dumps([command, "--config", str(config)])],
            cwd=PROJECT,
            env=os.environ | {"PYTHONPATH": str(PROJECT), "NORIA_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "data.column_missing" in told.stderr
        assert told.stdout.strip() == "False"
