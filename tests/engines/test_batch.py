"""Batch inference on a Ray cluster gives what it gives in one process."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from listening import listen

from noria.batch import BatchSummary, predict_file
from noria.bundle import Bundle
from noria.config.engine import EngineConfig
from noria.system.signals import Stopped
from tests import bundles
from tests.errors_raised import raises

pytest.importorskip("ray")
pytestmark = pytest.mark.e2e


class Predicted(NamedTuple):
    summary: BatchSummary
    table: pa.Table
    aside: str


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundles.make(bundles.churn(), "xgboost", tmp_path_factory.mktemp("churn") / "bundle")


@pytest.fixture(scope="session")
def engine(cluster: str, tmp_path_factory: pytest.TempPathFactory) -> EngineConfig:
    return EngineConfig(name="ray", address=cluster, storage=str(tmp_path_factory.mktemp("storage")))


@pytest.fixture(scope="session")
def rows() -> pd.DataFrame:
    """2,000 customers with gaps, categories that no training row had, dictionaries, and values that are too large."""
    random = np.random.default_rng(0)
    rows = bundles.churn().test.sample(2000, replace=True, random_state=0).drop(columns="churn").reset_index(drop=True)
    rows["tenure"] = rows["tenure"].astype("Int64")
    rows.insert(0, "customer", [f"{i:05d}" for i in range(len(rows))])
    rows.loc[random.random(len(rows)) < 0.1, "tenure"] = None
    rows.loc[random.random(len(rows)) < 0.2, "payment_method"] = "Carrier pigeon, “fast”"
    rows.loc[[7, 8, 450, 1999], "monthly_charges"] = 1e300
    rows["contract"] = rows["contract"].astype("category")
    return rows


def predict(
    bundle: Bundle, source: Path | str, target: Path | str, engine: EngineConfig | None, rows: int = 90
) -> Predicted:
    aside = Path(str(target).rstrip("/")).parent / "aside" / "bad.csv"
    summary = predict_file(bundle, source, target, chunk_rows=rows, quarantine=aside, engine=engine)
    parts = sorted(Path(target).iterdir()) if Path(target).is_dir() else [Path(target)]
    table = pa.concat_tables([pq.read_table(part) for part in parts])
    said = aside.read_text(encoding="utf-8") if aside.exists() else ""
    return Predicted(summary, table.unify_dictionaries().combine_chunks(), said)


def left(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def assert_same(there: Predicted, here: Predicted) -> None:
    assert there.table.equals(here.table)
    assert there.aside == here.aside
    counts = {"rows", "quarantined", "warned"}
    assert there.summary.model_dump(include=counts) == here.summary.model_dump(include=counts)


def test_a_parquet_file_gets_the_answers_of_one_process(
    bundle: Bundle, engine: EngineConfig, rows: pd.DataFrame, tmp_path: Path
) -> None:
    rows.to_parquet(tmp_path / "rows.parquet", row_group_size=170)

    there = predict(bundle, tmp_path / "rows.parquet", tmp_path / "there.parquet", engine)

    assert_same(there, predict(bundle, tmp_path / "rows.parquet", tmp_path / "here.parquet", None))
    assert there.summary.quarantined == 4 and there.summary.warned > 300
    assert [line.split(",")[0] for line in there.aside.splitlines()] == ["row", "8", "9", "451", "2000"]
    assert there.table["customer"].to_pylist() == rows["customer"].tolist()


def test_csv_rows_that_fit_no_header_are_set_aside_as_in_one_process(
    bundle: Bundle, engine: EngineConfig, rows: pd.DataFrame, tmp_path: Path
) -> None:
    lines = rows.head(600).to_csv(index=False).splitlines()
    lines[30] += ",one too many"
    lines[222] = 'broken,"quo"te,1'
    lines[333] = lines[333].replace(",", ',"two\nlines",', 1)
    lines.insert(100, "")  # a blank line is no row
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    there = predict(bundle, tmp_path / "rows.csv", tmp_path / "there.parquet", engine)

    assert_same(there, predict(bundle, tmp_path / "rows.csv", tmp_path / "here.parquet", None))
    assert (there.summary.rows, there.summary.quarantined) == (600, 6)


def test_a_folder_is_answered_by_a_folder_in_the_same_order(
    bundle: Bundle, engine: EngineConfig, rows: pd.DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "rows").mkdir()
    for month in range(4):
        part = rows.iloc[month * 500 : (month + 1) * 500]
        part.to_parquet(tmp_path / "rows" / f"2026-{month:02d}.parquet", row_group_size=200, index=False)

    there = predict(bundle, tmp_path / "rows", f"{tmp_path}/there/", engine)

    assert_same(there, predict(bundle, tmp_path / "rows" / "2026-*.parquet", tmp_path / "here.parquet", None))
    assert there.table["customer"].to_pylist() == rows["customer"].tolist()
    parts = {f"part-{place:05d}.parquet" for place in range(12)}
    assert {path.name for path in (tmp_path / "there").iterdir()} == parts
    with raises("batch.target_taken"):
        predict(bundle, tmp_path / "rows", f"{tmp_path}/there/", engine)
    assert {path.name for path in tmp_path.iterdir()} == {"rows", "there", "aside", "here.parquet"}


def as_rows_are_predicted(act: Callable[[], bool]) -> None:
    """Do something once: whenever rows are predicted, until it says that it is done."""
    done = []

    def listener(kind: str, text: str) -> None:
        if "rows predicted" in text and not done and act():
            done.append(text)

    listen(listener)


def test_a_worker_that_dies_is_replaced(
    bundle: Bundle, engine: EngineConfig, rows: pd.DataFrame, tmp_path: Path
) -> None:
    killed = []

    def kill() -> bool:
        children = psutil.Process().children(recursive=True)
        for worker in [each for each in children if "_process_item" in " ".join(each.cmdline())][:1]:  # others are idle
            killed.append(worker.pid)
            worker.kill()
        return bool(killed)

    rows.to_parquet(tmp_path / "rows.parquet", row_group_size=50)
    as_rows_are_predicted(kill)
    there = predict(bundle, tmp_path / "rows.parquet", f"{tmp_path}/out/", engine, 10)
    assert killed
    assert_same(there, predict(bundle, tmp_path / "rows.parquet", tmp_path / "here.parquet", None, 10))


def test_a_file_that_is_damaged_half_way_is_told_and_leaves_nothing(
    bundle: Bundle, engine: EngineConfig, rows: pd.DataFrame, tmp_path: Path
) -> None:
    rows.to_parquet(tmp_path / "rows.parquet", row_group_size=100)
    with (tmp_path / "rows.parquet").open("r+b") as file:
        file.seek(file.seek(0, os.SEEK_END) // 2)
        file.write(b"\0" * 4000)

    for engine_of in (None, engine):
        for target in ("out.parquet", "out/") if engine_of else ("out.parquet",):
            with raises("data.parquet_invalid") as caught:
                predict(bundle, tmp_path / "rows.parquet", f"{tmp_path}/{target}", engine_of)
            assert caught.value.where == str(tmp_path / "rows.parquet")
            assert left(tmp_path) == {"rows.parquet"}


def test_a_stop_leaves_nothing_half_written(
    bundle: Bundle, engine: EngineConfig, rows: pd.DataFrame, tmp_path: Path
) -> None:
    def stop() -> bool:
        raise Stopped(signal.SIGINT)

    rows.to_parquet(tmp_path / "rows.parquet", row_group_size=50)
    as_rows_are_predicted(stop)
    with pytest.raises(Stopped):
        predict(bundle, tmp_path / "rows.parquet", f"{tmp_path}/out/", engine, 10)
    assert left(tmp_path) == {"rows.parquet"}


def test_work_for_which_there_is_no_room_is_told(
    bundle: Bundle, engine: EngineConfig, rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ray.data import DataContext

    monkeypatch.setattr(DataContext.get_current(), "execution_no_progress_timeout_s", 3.0)  # by default half an hour
    rows.to_parquet(tmp_path / "rows.parquet")
    with raises("engine.work_lost"):
        predict(bundle, tmp_path / "rows.parquet", f"{tmp_path}/out/", engine.model_copy(update={"cores": 8}))
    assert left(tmp_path) == {"rows.parquet"}
