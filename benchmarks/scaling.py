"""How the cost grows with the rows, on this machine and with Ray on it: `python benchmarks/scaling.py`.

Both engines do the same on the same tables in one run, each in a process of its own: read and check the rows, fit
XGBoost, tune it, and predict a file. On one machine Ray cannot win: what is shown is what it costs.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.machine import Stolen, machine, now, versions  # noqa: E402
from benchmarks.scaled.projection import EFFICIENCY, Stage, table  # noqa: E402
from benchmarks.scaled.work import ROUNDS, TRIALS, TUNED_ROWS  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
_BLOCK = 500_000
_STAGES = ("start", "prepare", "train", "tune", "predict")
_ENGINES = ("local", "ray")


def main(
    rows: Annotated[list[int] | None, typer.Option(help="Rows of a table; give it once per size.")] = None,
    rounds: Annotated[int, typer.Option(help="How often each size is measured.")] = 1,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = RESULTS,
) -> None:
    """Measure, print a table and write it to scaling.md and scaling.json."""
    stolen = Stolen()
    found: list[dict[str, Any]] = []
    for size in rows or [100_000, 1_000_000, 10_000_000]:
        with tempfile.TemporaryDirectory(prefix="noria-scaling-") as name:
            place = Path(name)
            _make(place, size)
            for turn in range(rounds):
                # the one that went first last time goes second
                for engine in _ENGINES if turn % 2 == 0 else reversed(_ENGINES):
                    print(f"{size:,} rows, round {turn + 1}: {engine} …", flush=True)
                    found.append({"rows": size, "engine": engine, **_measured(engine, place, size)})
        _tell(found, output, stolen.share())


def _make(place: Path, rows: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from benchmarks.served.case import table, train

    print(f"writing {rows:,} rows …", flush=True)
    train(20_000, place / "bundle")
    writer = None
    for start in range(0, rows, _BLOCK):
        made = pa.Table.from_pandas(table(min(_BLOCK, rows - start), seed=100 + start), preserve_index=False)
        writer = writer or pq.ParquetWriter(place / "rows.parquet", made.schema)
        writer.write_table(made)
    if writer is not None:
        writer.close()


def _measured(engine: str, place: Path, rows: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.scaled.work", engine, str(place), str(rows)]
    home = os.environ | {"NORIA_HOME": str(place / "home")}
    with _memory() as used:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=home)  # noqa: S603
    if done.returncode:
        sys.exit(f"{engine} failed:\n{done.stderr[-3000:]}")
    return {"seconds": json.loads(done.stdout.splitlines()[-1]), "memory_mb": max(used)}


@contextmanager
def _memory() -> Iterator[list[float]]:
    """What the machine uses more than before, in MB, five times a second: Ray's processes share a part of theirs."""
    ended, before = threading.Event(), psutil.virtual_memory().available
    used = [0.0]

    def look() -> None:
        while not ended.wait(0.2):
            used.append((before - psutil.virtual_memory().available) / 1e6)

    watcher = threading.Thread(target=look)
    watcher.start()
    yield used
    ended.set()
    watcher.join()


def _tell(found: list[dict[str, Any]], output: Path, stolen: float) -> None:
    lines = [f"| rows | engine | {' | '.join(f'{stage}, s' for stage in _STAGES)} | memory, MB |"]
    lines += ["|---:|---" + "|---:" * (len(_STAGES) + 1) + "|"]
    for size in dict.fromkeys(run["rows"] for run in found):
        for engine in _ENGINES:
            runs = [run for run in found if (run["rows"], run["engine"]) == (size, engine)]
            cells = [_cell([run["seconds"].get(stage) for run in runs]) for stage in _STAGES]
            peak = max(run["memory_mb"] for run in runs)
            lines.append(f"| {size:,} | {engine} | {' | '.join(cells)} | {peak:,.0f} |")
    lines += ["", *_ratios(found)]
    tuned = f"{TRIALS} trials in 3 folds, up to {TUNED_ROWS:,} rows"
    lines += ["", f"{ROUNDS} rounds of XGBoost; {tuned}; the host stole {stolen:.0%} of the processors' time."]
    lines += ["", "## On paper: more rows, more cores", "", *_projection(found)]
    facts = {"runs": found, "at": now(), "machine": machine(), "stolen": stolen}
    facts["versions"] = versions("ray", "xgboost", "pandas", "pyarrow")
    output.mkdir(parents=True, exist_ok=True)
    (output / "scaling.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    text = "\n".join(lines)
    sizes = sorted({run["rows"] for run in found})
    title = f"# Local and Ray, from {sizes[0]:,} to {sizes[-1]:,} rows"
    (output / "scaling.md").write_text(f"{title}\n\n{text}\n", encoding="utf-8")
    print(text)


def _cell(seconds: list[float | None]) -> str:
    known = [each for each in seconds if each is not None]
    return f"{statistics.median(known):,.1f}" if known else "–"


def _ratios(found: list[dict[str, Any]]) -> Iterator[str]:
    """How much longer Ray took, stage by stage."""
    for size in dict.fromkeys(run["rows"] for run in found):
        stages = [stage for stage in _STAGES[1:] if _middle(found, size, "local", stage)]
        times = [_middle(found, size, "ray", stage) / _middle(found, size, "local", stage) for stage in stages]
        told = [f"{stage} {time:.2f}" for stage, time in zip(stages, times, strict=True)]
        yield f"{size:,} rows, Ray's time to the local engine's: {', '.join(told)}."


def _projection(found: list[dict[str, Any]]) -> Iterator[str]:
    """What the largest table cost with Ray, carried on."""
    rows = max(run["rows"] for run in found)
    cores = os.cpu_count() or 1
    names = ("prepare", "train", "predict")
    stages = {name: Stage(rows, _middle(found, rows, "ray", name), cores) for name in names}
    used = max(run["memory_mb"] for run in found if run["rows"] == rows and run["engine"] == "local")
    yield from table(stages, used * 1e6 / rows, rounds=ROUNDS)
    yield ""
    yield (
        f"Measured at {rows:,} rows on {cores} cores and carried on in proportion; {EFFICIENCY:.0%} of each core "
        "is assumed to be work, and the histograms of XGBoost to go over a network of 10 Gbit/s. The command reads the "
        f"table into the memory of its own machine, {used * 1e6 / rows:,.0f} bytes a row at the peak with the local "
        "engine: that is the first limit. Nothing of this table was measured."
    )


def _middle(found: list[dict[str, Any]], rows: int, engine: str, stage: str) -> float:
    runs = [run["seconds"].get(stage, 0.0) for run in found if (run["rows"], run["engine"]) == (rows, engine)]
    return statistics.median(runs)


if __name__ == "__main__":
    typer.run(main)
