"""The benchmark measures what it says: phases add up, the table is like the churn table, no timed call is gone."""

import time
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.overhead.clock import Clock
from benchmarks.overhead.phases import ADDED, STAGES
from benchmarks.overhead.piped import MLFLOW, WORK
from benchmarks.overhead.table import write_table, write_use_case
from noria.config import load_use_case
from noria.data.sources import read
from noria.data.validation import validate
from noria.system.workspace import PROJECT


def test_inner_phases_do_not_count_twice_and_all_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    clock = Clock("rest")
    now[0] += 1
    with clock.phase("outer"):
        now[0] += 2
        with clock.phase("inner"):
            now[0] += 4
        now[0] += 8
    now[0] += 16
    assert clock.seconds() == {"rest": 17, "outer": 10, "inner": 4}


def test_table_is_like_the_churn_table_but_its_rows_differ(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_table(9_000, tmp_path / f"{name}.parquet")
    table = pd.read_parquet(tmp_path / "one.parquet")
    churn = pd.read_csv(PROJECT / "data" / "telco_churn.csv")
    pd.testing.assert_frame_equal(table, pd.read_parquet(tmp_path / "two.parquet"))
    pd.testing.assert_series_equal(table.dtypes, churn.dtypes)
    assert len(table) == 9_000
    assert not table.duplicated().any()
    assert (table["churn"] == "Yes").mean() == pytest.approx((churn["churn"] == "Yes").mean(), abs=0.02)


def test_use_case_accepts_the_table(tmp_path: Path) -> None:
    write_table(3_000, tmp_path / "table.parquet")
    write_use_case("churn_3000_1", tmp_path / "table.parquet", tmp_path / "use_case.yaml")
    use_case = load_use_case(tmp_path / "use_case.yaml")
    assert len(validate(read(use_case.data), use_case).frame) == 3_000


@pytest.mark.usefixtures("pipeline_home")
@pytest.mark.parametrize("calls", [WORK, MLFLOW], ids=["work", "mlflow"])
def test_every_timed_call_is_there(calls: dict[str, dict[str, str]]) -> None:
    for module, functions in calls.items():
        for name, phase in functions.items():
            assert callable(getattr(import_module(module), name)), f"{module}.{name} is gone: correct the benchmark"
            assert phase in (*STAGES, *ADDED)
