"""Batch inference on real files."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from noria.batch import BatchSummary, predict_file
from noria.bundle import Bundle
from noria.config.data import DataConfig, SourceConfig
from noria.data.sources import read
from tests import bundles
from tests.errors_raised import raises

ANSWERS = ["prediction", "probability", "decision", "warning", "error"]


def predict(
    bundle: Bundle, source: Path, *, chunk_rows: int = 500, **options: str
) -> tuple[BatchSummary, pd.DataFrame]:
    target = source.parent / "out.parquet"
    summary = predict_file(
        bundle, source, target, chunk_rows=chunk_rows, quarantine=source.parent / "bad.csv", **options
    )
    return summary, pq.read_table(target).to_pandas()


def nothing_left(folder: Path, *expected: str) -> bool:
    return {path.name for path in folder.iterdir()} == set(expected)


@pytest.fixture
def odd_rows(test_rows: pd.DataFrame) -> pd.DataFrame:
    """1,000 held-out rows with holes, and categories that no training row had."""
    random = np.random.default_rng(0)
    rows = test_rows.head(1000).drop(columns="churn").astype(object)
    rows = rows.mask(random.random(rows.shape) < 0.1)
    rows.loc[random.random(len(rows)) < 0.2, "contract"] = "Three years, “special”"
    rows.insert(0, "customer", [f"{i:05d}" for i in range(len(rows))])
    return rows


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_a_file_gets_the_same_answers_as_a_table_in_memory(
    bundle: Bundle, odd_rows: pd.DataFrame, tmp_path: Path, ending: str
) -> None:
    source = tmp_path / f"rows.{ending}"
    if ending == "parquet":
        odd_rows.astype({"tenure": "Int64", "senior_citizen": "Float64"}).to_parquet(source)
    else:
        odd_rows.to_csv(source, index=False)

    summary, out = predict(bundle, source, chunk_rows=300)

    expected = bundle.predict(odd_rows)
    assert out["customer"].tolist() == odd_rows["customer"].tolist()
    np.testing.assert_allclose(out["probability"], expected["probability"], atol=1e-6, rtol=0)
    for name in ("prediction", "decision", "warning", "error"):
        assert out[name].tolist() == expected[name].tolist()
    assert (summary.rows, summary.quarantined) == (1000, 0) and summary.warned >= 150
    assert nothing_left(tmp_path, source.name, "out.parquet")


def test_every_value_of_the_source_comes_out_again(bundle: Bundle, odd_rows: pd.DataFrame, tmp_path: Path) -> None:
    odd_rows.to_csv(tmp_path / "rows.csv", index=False)
    _, out = predict(bundle, tmp_path / "rows.csv")

    assert out["customer"].iloc[7] == "00007"
    assert out["monthly_charges"].dtype == "float64"
    for name in odd_rows:
        assert out[name].isna().tolist() == odd_rows[name].isna().tolist()
    pd.testing.assert_series_equal(out["tenure"], odd_rows["tenure"].astype("float64"))
    assert out["contract"].dropna().tolist() == odd_rows["contract"].dropna().tolist()


@pytest.mark.parametrize("chunk_rows", [1, 7, 20, 10_000])
def test_the_size_of_the_chunks_changes_nothing(
    bundle: Bundle, test_rows: pd.DataFrame, tmp_path: Path, chunk_rows: int
) -> None:
    """Whole numbers until row 34, where a word comes; a gap, a float and a flag spelled as a number in between."""
    rows = test_rows.head(40).drop(columns="churn").astype(object)
    rows.loc[[3, 17], "tenure"] = None
    rows.loc[25, "tenure"] = 7.5
    rows.loc[34, "tenure"] = "seven"
    rows.to_csv(tmp_path / "rows.csv", index=False)

    summary, out = predict(bundle, tmp_path / "rows.csv", chunk_rows=chunk_rows)
    _, whole = predict(bundle, tmp_path / "rows.csv", chunk_rows=40)

    pd.testing.assert_frame_equal(out, whole)
    assert out.index[out["error"] != ""].tolist() == [34]
    assert out["tenure"].iloc[25] == 7.5 and np.isnan(out["tenure"].iloc[34])
    assert summary.quarantined == 1


def test_bad_rows_stay_in_place_and_go_to_the_quarantine_with_the_reason(
    bundle: Bundle, test_rows: pd.DataFrame, tmp_path: Path
) -> None:
    rows = test_rows.head(30).drop(columns="churn").astype(object)
    rows.loc[4, "monthly_charges"] = "a lot"
    rows.loc[9, "total_charges"] = "inf"
    lines = rows.to_csv(index=False).splitlines()
    lines[1 + 12] += ",one too many"
    lines[1 + 20] = 'broken,"quo"te,1'
    lines.insert(5, "")  # a blank line is no row
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")

    summary, out = predict(bundle, tmp_path / "rows.csv", chunk_rows=8)

    bad = [4, 9, 12, 20]
    assert out.index[out["error"] != ""].tolist() == bad
    assert out.loc[bad, ["prediction", "probability", "decision"]].isna().all(axis=None)
    assert out.drop(index=bad)[["prediction", "probability", "decision"]].notna().all(axis=None)
    assert summary.quarantined == 4 and summary.quarantine == str(tmp_path / "bad.csv")
    aside = pd.read_csv(tmp_path / "bad.csv", dtype=str)
    assert aside["row"].tolist() == ["5", "10", "13", "21"]
    assert aside["monthly_charges"].iloc[0] == "a lot"
    assert aside["reason"].iloc[0] == "monthly_charges: 'a lot' is not a number"
    assert aside["reason"].iloc[1] == "total_charges: infinite"
    assert "20 fields where the header has 19" in aside["reason"].iloc[2]
    assert "one too many" in aside["reason"].iloc[2]
    assert "cannot be split into fields" in aside["reason"].iloc[3]
    np.testing.assert_allclose(
        out.drop(index=bad)["probability"], bundle.predict(rows.drop(index=bad))["probability"], atol=1e-9
    )


def test_a_clean_run_removes_the_quarantine_of_the_last_one(
    bundle: Bundle, test_rows: pd.DataFrame, tmp_path: Path
) -> None:
    rows = test_rows.head(5).astype(object)
    rows.assign(tenure="?").to_csv(tmp_path / "rows.csv", index=False)
    assert predict(bundle, tmp_path / "rows.csv")[0].quarantined == 5
    rows.to_csv(tmp_path / "rows.csv", index=False)
    assert predict(bundle, tmp_path / "rows.csv")[0].quarantine is None
    assert nothing_left(tmp_path, "rows.csv", "out.parquet")


def test_a_missing_column_is_told_before_anything_is_written(
    bundle: Bundle, test_rows: pd.DataFrame, tmp_path: Path
) -> None:
    test_rows.drop(columns=["tenure", "contract"]).to_csv(tmp_path / "rows.csv", index=False)
    with raises("schema.column_missing", "`tenure`, `contract`") as caught:
        predict(bundle, tmp_path / "rows.csv")
    assert caught.value.where == str(tmp_path / "rows.csv")
    assert nothing_left(tmp_path, "rows.csv")


def test_a_failure_half_way_leaves_the_earlier_output_as_it_was(
    bundle: Bundle, test_rows: pd.DataFrame, tmp_path: Path
) -> None:
    text = test_rows.head(50).to_csv(index=False)
    (tmp_path / "rows.csv").write_text(text)
    predict(bundle, tmp_path / "rows.csv")
    before = (tmp_path / "out.parquet").read_bytes()
    (tmp_path / "rows.csv").write_text(text.replace(",0,", ",?,", 1) + '"never closed,1\n' * 3)
    with raises("data.quote_unclosed"):
        predict(bundle, tmp_path / "rows.csv", chunk_rows=10)
    assert (tmp_path / "out.parquet").read_bytes() == before
    assert nothing_left(tmp_path, "rows.csv", "out.parquet")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", ("data.file_empty",)),
        (b"\n\n", ("data.file_empty",)),
        (b"HEADER\n", ("data.table_empty",)),
        (b"HEADER\n" + b"\xff\xfe\n", ("data.encoding_invalid",)),
        (b"HEADER,prediction\n", ("data.table_empty",)),
        (b"HEADER,x,x\n", ("data.column_duplicated", "`x`")),
        (b"PAR1", ("schema.column_missing",)),
        (None, ("data.file_not_found",)),
    ],
)
def test_files_that_cannot_be_predicted(
    bundle: Bundle, tmp_path: Path, content: bytes | None, told: tuple[str, ...]
) -> None:
    source = tmp_path / "rows.csv"
    if content is not None:
        source.write_bytes(content.replace(b"HEADER", ",".join(bundle.manifest.schema_.names).encode()))
    with raises(*told):
        predict(bundle, source)
    assert nothing_left(tmp_path, *(["rows.csv"] if content is not None else []))


def test_a_damaged_parquet_file_is_no_traceback(bundle: Bundle, test_rows: pd.DataFrame, tmp_path: Path) -> None:
    test_rows.to_parquet(tmp_path / "rows.parquet")
    whole = (tmp_path / "rows.parquet").read_bytes()
    (tmp_path / "rows.parquet").write_bytes(whole[: len(whole) // 2])
    with raises("data.parquet_invalid"):
        predict(bundle, tmp_path / "rows.parquet")


def test_places_that_would_overwrite_the_source_or_mislead_are_refused(bundle: Bundle, tmp_path: Path) -> None:
    source = tmp_path / "rows.parquet"
    with raises("batch.places_equal"):
        predict_file(bundle, source, source, chunk_rows=10, quarantine=tmp_path / "bad.csv")
    for name in ("out.xlsx", "out"):
        with raises("batch.target_format_unknown", ".csv", ".parquet"):
            predict_file(bundle, source, tmp_path / name, chunk_rows=10, quarantine=tmp_path / "bad.csv")
    with raises("batch.target_remote"):
        predict_file(bundle, source, "s3://bucket/out.csv", chunk_rows=10, quarantine=tmp_path / "bad.csv")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_csv_holds_the_values_as_they_came_and_the_answers_of_parquet(
    bundle: Bundle, odd_rows: pd.DataFrame, tmp_path: Path, ending: str
) -> None:
    source, bad = tmp_path / f"rows.{ending}", [4, 700]
    if ending == "csv":
        odd_rows.loc[bad, "tenure"] = "ages"
        odd_rows.to_csv(source, index=False)
    else:
        odd_rows.loc[bad, "tenure"] = 1e300
        odd_rows.astype({"tenure": "Float64", "senior_citizen": "Int64"}).to_parquet(source)
    written, table = predict(bundle, source, chunk_rows=300)
    lines = predict_file(bundle, source, tmp_path / "out.csv", chunk_rows=300, quarantine=tmp_path / "bad.csv")
    assert (lines.rows, lines.quarantined, lines.warned) == (written.rows, 2, written.warned)
    found = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
    assert list(found.columns) == list(table.columns)
    given = pd.read_csv(source, dtype=str, keep_default_na=False) if ending == "csv" else pd.read_parquet(source)
    assert found["customer"].tolist() == given["customer"].tolist()
    if ending == "csv":
        pd.testing.assert_frame_equal(found[list(given.columns)], given)
    else:
        assert found["senior_citizen"].tolist() == given["senior_citizen"].astype("string").fillna("").tolist()
    assert found.index[found["error"] != ""].tolist() == bad
    assert (found.loc[bad, ["prediction", "probability", "decision"]] == "").all(axis=None)
    assert [float(text or "nan") for text in found["probability"]] == pytest.approx(
        table["probability"].tolist(), abs=0, nan_ok=True
    )
    for name in ("prediction", "decision", "warning", "error"):
        assert found[name].tolist() == table[name].fillna("").tolist()


def test_csv_is_written_in_the_dialect_of_the_use_case_and_replaced_as_a_whole(
    bundle: Bundle, test_rows: pd.DataFrame, tmp_path: Path
) -> None:
    source, target = tmp_path / "rows.csv", tmp_path / "out.csv"
    text = test_rows.head(50).to_csv(index=False, sep=";", decimal=",")
    dialect = {"separator": ";", "decimal": ","}
    source.write_text(text)
    predict_file(bundle, source, target, chunk_rows=20, quarantine=tmp_path / "bad.csv", **dialect)
    out = pd.read_csv(target, sep=";", decimal=",")
    np.testing.assert_allclose(out["probability"], bundle.predict(test_rows.head(50))["probability"], atol=1e-12)
    assert out["monthly_charges"].tolist() == test_rows["monthly_charges"].head(50).tolist()
    before = target.read_bytes()
    source.write_text(text + '"never closed;1\n' * 3)
    with raises("data.quote_unclosed"):
        predict_file(bundle, source, target, chunk_rows=10, quarantine=tmp_path / "bad.csv", **dialect)
    assert target.read_bytes() == before
    assert nothing_left(tmp_path, "rows.csv", "out.csv")


def test_semicolons_and_decimal_commas(bundle: Bundle, test_rows: pd.DataFrame, tmp_path: Path) -> None:
    test_rows.to_csv(tmp_path / "rows.csv", index=False, sep=";", decimal=",")
    _, out = predict(bundle, tmp_path / "rows.csv", separator=";", decimal=",")
    np.testing.assert_allclose(out["probability"], bundle.predict(test_rows)["probability"], atol=1e-9)


def test_categories_mean_in_a_file_what_they_meant_in_training(tmp_path: Path) -> None:
    """Training read codes as whole numbers and flags as truth values; a file spells both as it likes."""
    churn = bundles.churn()
    rows = churn.train.head(600).assign(vip=["true", "false", "true"] * 200)
    rows.to_csv(tmp_path / "train.csv", index=False)
    case = bundles.Case(
        bundles.changed(churn.use_case, features={"categorical": ["senior_citizen", "vip"]}),
        read(DataConfig(sources=[SourceConfig(name="rows", path=str(tmp_path / "train.csv"))], target="churn")),
        churn.test,
    )
    coded = bundles.make(case, "tree", tmp_path / "bundle")
    spelled = churn.test.head(4).assign(senior_citizen=["1", "01", "1.0", "0"], vip=["true", "True", "TRUE", "maybe"])
    spelled.to_csv(tmp_path / "rows.csv", index=False)

    _, out = predict(coded, tmp_path / "rows.csv", chunk_rows=1)

    assert out["warning"].tolist() == ["", "senior_citizen: unseen category '01'", "", "vip: unseen category 'maybe'"]
    assert out["senior_citizen"].tolist() == ["1", "01", "1.0", "0"]


_PEAKS = """
import re, sys
from pathlib import Path
from noria.batch import predict_file
from noria.bundle import Bundle
bundle, folder = Bundle.load(Path(sys.argv[1])), Path(sys.argv[2])
for file in sys.argv[3:]:
    target = folder / f"out.{file.partition('.')[2]}"
    predict_file(bundle, folder / file, target, chunk_rows=2000, quarantine=folder / "bad.csv")
    print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak memory from /proc")
@pytest.mark.slow
def test_long_files_need_no_more_memory_than_short_ones(
    bundle: Bundle, test_rows: pd.DataFrame, tmp_path: Path
) -> None:
    for name, many in (("short", 12_000), ("long", 120_000)):
        rows = test_rows.sample(many, replace=True, random_state=0)
        rows["note"] = [f"{i:01000d}" for i in range(many)]
        rows.to_csv(tmp_path / f"{name}.csv", index=False)
        rows.to_parquet(tmp_path / f"{name}.parquet", index=False, compression=None)  # one row group
    files = ["short.csv", "short.parquet", "long.csv", "long.parquet"]
    run = subprocess.run(
        [sys.executable, "-c", _PEAKS, str(bundle.folder), str(tmp_path), *files],
        capture_output=True,
        text=True,
        check=True,
    )
    _, short, *long = (int(line) / 1024 for line in run.stdout.split())
    assert max(long) < short + 60, (short, long)  # MB; the notes of a long file are 120 MB


@pytest.mark.parametrize("kind", ["linear", "tree", "forest", "xgboost", "rules"])
def test_columns_are_read_as_rows_are(kind: str, test_rows: pd.DataFrame, tmp_path: Path) -> None:
    """Dictionaries, whole numbers, truth values, blanks and surprises, straight from Arrow's columns."""
    bundle = bundles.make(bundles.churn(), kind, tmp_path / "bundle")
    rows = test_rows.head(400).reset_index(drop=True)
    rows["tenure"] = rows["tenure"].astype("Int64")
    rows["contract"] = rows["contract"].astype("category")
    rows.loc[3, "tenure"] = 900
    rows.loc[5, "payment_method"] = "Carrier pigeon"
    rows.loc[7, "payment_method"] = "  "
    rows.loc[[9, 10], ["tenure", "monthly_charges", "contract", "payment_method"]] = None
    rows.loc[11, "monthly_charges"] = 1e300
    rows.to_parquet(tmp_path / "rows.parquet", index=False)

    _, out = predict(bundle, tmp_path / "rows.parquet", chunk_rows=150)

    expected = bundle.predict(rows)
    assert out["error"].tolist() == expected["error"].tolist()
    assert expected["error"][11] == "monthly_charges: too large"
    assert out["warning"].tolist() == expected["warning"].tolist()
    assert "Carrier pigeon" in out["warning"][5]
    assert out["decision"].fillna("none").tolist() == expected["decision"].fillna("none").tolist()
    np.testing.assert_allclose(out["probability"], expected["probability"].astype(float), atol=1e-9)
