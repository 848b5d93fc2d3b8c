"""Batch inference from Parquet to Parquet against the model alone: `python benchmarks/batch.py`.

The model alone scores rows that are in memory already, as a prepared matrix, with all cores. `run.py predict` reads
the file, checks every row, predicts, says what is unusual and writes the answers. Both run in processes of their own,
in turns, on the same made-up customers. The goal: 0.7 of the model's rate, in memory that does not grow with the file.
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.machine import machine, now, versions  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
_BLOCK = 500_000
_RAW_ROWS = 1_000_000
_GOAL = 0.7


def main(
    rows: Annotated[int, typer.Option(help="Rows of the file.")] = 10_000_000,
    rounds: Annotated[int, typer.Option(help="How often each is measured.")] = 3,
    training_rows: Annotated[int, typer.Option(help="Rows that the model is trained on.")] = 50_000,
) -> None:
    """Measure, print a table and write it to benchmarks/results/batch.md and batch.json."""
    with tempfile.TemporaryDirectory(prefix="noria-batch-") as folder:
        place = Path(folder)
        _make(place, rows, training_rows)
        found: dict[str, list[dict[str, float]]] = {"model": [], "batch": []}
        for turn in range(rounds):
            for what, runs in found.items():
                print(f"round {turn + 1}: {what} …", flush=True)
                runs.append(_measured(what, place))
    _tell(found, rows)


def _make(place: Path, rows: int, training_rows: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from benchmarks.served.case import table, train

    print("training the model …", flush=True)
    train(training_rows, place / "bundle")
    print(f"writing {rows:,} rows …", flush=True)
    writer = None
    for start in range(0, rows, _BLOCK):
        block = table(min(_BLOCK, rows - start), seed=100 + start).drop(columns="left")
        made = pa.Table.from_pandas(block, preserve_index=False)
        writer = writer or pq.ParquetWriter(place / "rows.parquet", made.schema)
        writer.write_table(made)
    if writer is not None:
        writer.close()


def _measured(what: str, place: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", what, str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603
    if done.returncode:
        sys.exit(f"{what} failed:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measure(what: str, place: Path) -> None:
    """In a process of its own: rows per second and the highest memory, in MB."""
    from noria.bundle import Bundle

    bundle = Bundle.load(place / "bundle")
    rate = _rate_of_model(bundle, place) if what == "model" else _rate_of_batch(bundle, place)
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    print(json.dumps({"rows_per_s": rate, "peak_mb": int(peak[1]) / 1024 if peak else 0.0}))


def _rate_of_model(bundle: object, place: Path) -> float:
    import os

    import pyarrow.parquet as pq

    fitted = bundle.fitted  # type: ignore[attr-defined]
    file = pq.ParquetFile(place / "rows.parquet")
    rows = next(file.iter_batches(batch_size=_RAW_ROWS)).to_pandas()
    prepared = fitted.pipeline[0].transform(fitted.schema.encode(rows))
    fitted.booster.set_param({"nthread": os.cpu_count()})
    began = time.perf_counter()
    fitted.booster.inplace_predict(prepared, validate_features=False)
    return len(prepared) / (time.perf_counter() - began)


def _rate_of_batch(bundle: object, place: Path) -> float:
    from noria.batch import predict_file
    from noria.config.serving import ServingConfig

    rows = ServingConfig().batch_rows
    began = time.perf_counter()
    summary = predict_file(
        bundle,  # type: ignore[arg-type]
        place / "rows.parquet",
        place / "answers.parquet",
        chunk_rows=rows,
        quarantine=place / "bad.csv",
    )
    return summary.rows / (time.perf_counter() - began)


def _tell(found: dict[str, list[dict[str, float]]], rows: int) -> None:
    names = {"model": "the model alone, all cores", "batch": "Parquet to Parquet"}
    middle = {what: statistics.median(one["rows_per_s"] for one in runs) for what, runs in found.items()}
    peaks = {what: max(one["peak_mb"] for one in runs) for what, runs in found.items()}
    ratio = middle["batch"] / middle["model"]
    lines = ["| what | rows per second | highest memory |", "|---|---|---|"]
    lines += [f"| {names[what]} | {middle[what]:,.0f} | {peaks[what]:,.0f} MB |" for what in found]
    lines += ["", f"{rows:,} rows: {ratio:.2f} of the model's rate ({'met' if ratio >= _GOAL else 'missed'}: {_GOAL})."]
    facts = {"rows": rows, "ratio": ratio, "runs": found, "at": now(), "machine": machine()}
    facts["versions"] = versions("xgboost", "pyarrow", "numpy")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "batch.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    text = "\n".join(lines)
    (RESULTS / "batch.md").write_text(f"# Batch inference\n\n{text}\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        _measure(sys.argv[2], Path(sys.argv[3]))
    else:
        typer.run(main)
