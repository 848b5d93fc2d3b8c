"""Folders of Parquet files as a source, and as the place for predictions."""

from pathlib import Path
from uuid import uuid4

import fsspec
import pandas as pd
import pyarrow.parquet as pq
import pytest

from noria.batch import BatchSummary, predict_file
from noria.batch.parquet_folder import ParquetFiles, list_parquet_files, staged
from noria.bundle import Bundle
from tests.errors_raised import raises


def predict(bundle: Bundle, source: Path | str, target: Path | str) -> BatchSummary:
    quarantine = Path("/nowhere/bad.csv") if "://" in str(target) else Path(target).with_name("bad.csv")
    return predict_file(bundle, source, target, chunk_rows=30, quarantine=quarantine)


@pytest.fixture
def months(test_rows: pd.DataFrame, tmp_path: Path) -> Path:
    """100 customers in three files, and what other tools leave beside such files."""
    folder = tmp_path / "months"
    folder.mkdir()
    rows = test_rows.head(100).drop(columns="churn").reset_index(drop=True)
    for name, part in (("b.parquet", rows[40:70]), ("a.pq", rows[:40]), ("c.parquet", rows[70:])):
        part.to_parquet(folder / name, index=False, row_group_size=15)
    (folder / "_SUCCESS").touch()
    (folder / ".b.parquet.crc").write_bytes(b"x")
    (folder / "below").mkdir()
    rows.to_parquet(tmp_path / "whole.parquet", index=False)
    return folder


def test_a_folder_is_read_as_one_file_in_the_order_of_names(bundle: Bundle, months: Path, tmp_path: Path) -> None:
    summary = predict(bundle, months, tmp_path / "out.parquet")
    predict(bundle, tmp_path / "whole.parquet", tmp_path / "same.parquet")
    assert summary.rows == 100
    out, same = (pq.read_table(tmp_path / name).to_pandas() for name in ("out.parquet", "same.parquet"))
    # a linear model's sums depend in their last bits on how many rows are added up together
    pd.testing.assert_frame_equal(out, same, rtol=0, atol=1e-12)


def test_a_glob_names_some_of_them(bundle: Bundle, months: Path, tmp_path: Path) -> None:
    assert predict(bundle, f"{months}/*.parquet", tmp_path / "out.parquet").rows == 60


def test_rows_that_are_set_aside_are_counted_through_all_files(
    bundle: Bundle, months: Path, test_rows: pd.DataFrame, tmp_path: Path
) -> None:
    rows = test_rows.iloc[40:70].drop(columns="churn").reset_index(drop=True)
    rows.loc[2, "monthly_charges"] = 1e300
    rows.to_parquet(months / "b.parquet", index=False)
    assert predict(bundle, months, tmp_path / "out.parquet").quarantined == 1
    assert pd.read_csv(tmp_path / "bad.csv")["row"].tolist() == [43]


@pytest.mark.parametrize(("rows", "groups"), [(1, [15, 15, 10]), (30, [30, 10]), (1000, [40])])
def test_pieces_are_whole_row_groups_that_fit_a_chunk(months: Path, rows: int, groups: list[int]) -> None:
    pieces = list(ParquetFiles(list_parquet_files(f"{months}/"), "here").pieces(rows))
    first = [each.first for each in pieces]
    assert [end - start for start, end in zip(first, [*first[1:], 101], strict=True)][: len(groups)] == groups
    assert [each.place for each in pieces] == list(range(len(pieces)))
    assert [group for each in pieces if each.file.endswith("a.pq") for group in each.groups] == [0, 1, 2]


def test_files_of_other_columns_are_told_by_name(bundle: Bundle, months: Path, tmp_path: Path) -> None:
    table = pd.read_parquet(months / "c.parquet")
    table.assign(tenure=table["tenure"].astype("float32")).to_parquet(months / "c.parquet", index=False)
    with raises("batch.schemas_differ") as caught:
        predict(bundle, months, tmp_path / "out.parquet")
    assert caught.value.where == str(months / "c.parquet")
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("months/below", ("batch.folder_empty",)),
        ("gone/*.parquet", ("batch.folder_empty",)),
        ("*/b.parquet", ("batch.glob_in_folder",)),
    ],
)
def test_sources_without_files_are_refused(
    bundle: Bundle, months: Path, tmp_path: Path, source: str, told: tuple[str, ...]
) -> None:
    with raises(*told):
        predict(bundle, f"{tmp_path}/{source}", tmp_path / "out.parquet")


@pytest.mark.parametrize(
    ("target", "told"), [("out/", ("batch.folder_needs_ray",)), ("memory://out.parquet", ("batch.target_remote",))]
)
def test_targets_that_this_machine_does_not_write_are_refused(
    bundle: Bundle, months: Path, tmp_path: Path, target: str, told: tuple[str, ...]
) -> None:
    with raises(*told):
        predict(bundle, months, target if "://" in target else f"{tmp_path}/{target}")
    assert not (tmp_path / "out").exists()


@pytest.fixture(params=["local", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"{tmp_path}/deep" if request.param == "local" else f"memory://{uuid4().hex}"


def written(folder: str, name: str) -> None:
    with fsspec.open(f"{folder}/{name}", "wb") as file:
        file.write(b"rows")


def names_in(folder: str) -> list[str]:
    files, path = fsspec.core.url_to_fs(folder)
    return sorted(name.rpartition("/")[2] for name in files.find(path))


def test_a_folder_takes_its_place_when_it_is_complete(place: str) -> None:
    fsspec.core.url_to_fs(place)[0].makedirs(fsspec.core.url_to_fs(f"{place}/out")[1])  # empty, that is none
    with staged(f"{place}/out/") as folder:
        written(folder, "part-00000.parquet")
        assert names_in(f"{place}/out") == []
    assert names_in(f"{place}/out") == names_in(place) == ["part-00000.parquet"]


def test_a_folder_that_failed_leaves_nothing(place: str) -> None:
    def fail() -> None:
        with staged(f"{place}/out/") as folder:
            written(folder, "part-00000.parquet")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert names_in(place) == []


def test_a_folder_with_files_is_not_added_to(place: str) -> None:
    with staged(f"{place}/out/") as folder:
        written(folder, "part-00000.parquet")
    with raises("batch.target_taken"), staged(f"{place}/out/"):
        pass
    assert names_in(place) == ["part-00000.parquet"]
