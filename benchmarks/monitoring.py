"""A month of predictions, from the store to the verdict, beside Evidently's preset: `python benchmarks/monitoring.py`.

Real customers (`telco_churn`) are drawn with replacement until there are a million, four of the columns are shifted,
and the store's own writer stores a prediction for each. Both sides compare the 19 inputs and the answer with the 5,000
reference rows of the model. Evidently finds the rows in memory; Noria reads them from the store. Each measurement has
a process of its own, in which the same was done once before on a small window, so that imports do not count.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import Stolen, machine, now, versions
from benchmarks.monitored.measure import SMALL
from benchmarks.monitored.rows import ROOT, SHIFTED, enlarged, fill, make_bundle

_RESULTS = Path(__file__).resolve().parent / "results"
_TENTH = 0.1
_TITLES = {
    "columns": "Noria, store to a verdict per column",
    "check": "Noria, the whole check with its pages",
    "evidently": "Evidently `DataDriftPreset`, rows in memory",
    "evidently_large": "the same with as many reference rows",
}
_TRIED = [
    "What was tried for time: the database joins the rows of a part to one text, which Arrow reads, in place of "
    "a Python object for each value; blocks of text that fit the processor's cache; distinct numbers counted "
    "before they are placed in bins; two threads that count while the next part is read. The threads help on "
    "free cores only, so a busy machine shows the ratio of the processor times. What remains is mostly the JSON "
    "in which the store keeps inputs. Most of what the whole check takes beyond that does not depend on the "
    "rows: Evidently's own pages of the sample, and the search for faults.",
]
_WHAT = {
    "columns": "A verdict per column, all rows counted",
    "check": "The whole check: faults, newest batch, quality, estimates, reports",
}


def main(
    rows: Annotated[int, typer.Option(min=30_000, help="Rows of the large window.")] = 1_000_000,
    fewer: Annotated[int, typer.Option(min=30_000, help="Rows of the window that memory is compared with.")] = 100_000,
    rounds: Annotated[int, typer.Option(min=1, help="Every way is measured once per round; the fastest counts.")] = 2,
    folder: Annotated[Path | None, typer.Option(help="Where the stores are written; by default a new folder.")] = None,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = _RESULTS,
) -> None:
    """Fill the stores, measure, and keep the result in monitoring.{json,md}."""
    screen = Console(highlight=False, soft_wrap=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        home = Path(name)
        stored = {size: _fill(home, str(size), size) for size in (fewer, rows)}
        _fill(home, SMALL, int(SMALL))
        stolen, measured = Stolen(), {}
        for size, way in [(size, way) for size in (fewer, rows) for _ in range(rounds) for way in _TITLES]:
            found = _measured(way, home / str(size), home)
            screen.print(f"{_TITLES[way]}, {size:,} rows: {found['seconds']:.1f} s, {found['peak_mb']:.0f} MB")
            known = measured.setdefault(f"{way} {size}", found)
            if found["seconds"] < known["seconds"]:
                measured[f"{way} {size}"] = found
        result = {
            "date": now(),
            "machine": machine(),
            "versions": versions("evidently", "pandas", "pyarrow"),
            "rows": rows,
            "fewer": fewer,
            "rounds": rounds,
            "shifted": list(SHIFTED),
            "rows_stored_per_second": stored[rows],
            "stolen": stolen.share(),
            "load": os.getloadavg()[1],
            "measured": measured,
        }
    output.mkdir(parents=True, exist_ok=True)
    (output / "monitoring.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (output / "monitoring.md").write_text(_page(result), encoding="utf-8")
    screen.print(f"Written to {output / 'monitoring.md'}")


def _fill(home: Path, name: str, rows: int) -> float:
    folder, bundle = home / name, make_bundle(home / "bundle")
    folder.mkdir()
    table = enlarged(rows)
    speed = fill(f"sqlite:///{folder / 'predictions.db'}", bundle, table)
    table.assign(probability=bundle.predict(table)["probability"]).to_parquet(folder / "rows.parquet")
    return speed


def _measured(way: str, folder: Path, home: Path) -> dict[str, Any]:
    environment = {**os.environ, "NORIA_HOME": str(home / "noria"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "benchmarks.monitored.measure", way, str(folder)]
    done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, check=True)  # noqa: S603
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _page(result: dict[str, Any]) -> str:
    rows, fewer, measured = result["rows"], result["fewer"], result["measured"]
    evidently = measured[f"evidently {rows}"]
    lines = [
        "# Monitoring a million predictions",
        "",
        f"`python benchmarks/monitoring.py`, {result['date']}, {result['machine']['cores']} cores "
        f"({result['machine']['processor']}), load {result['load']:.1f}, Evidently {result['versions']['evidently']}; "
        f"the fastest of {result['rounds']} measurements each.",
        f"`telco_churn` enlarged, 19 inputs and the answer; shifted: {', '.join(result['shifted'])}.",
        "",
        "| | rows | seconds | processor seconds | share of Evidently's time | peak memory |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for size in (fewer, rows):
        beside = measured[f"evidently {size}"]
        for way, title in _TITLES.items():
            found = measured[f"{way} {size}"]
            lines.append(
                f"| {title} | {size:,} | {found['seconds']:.1f} | {found['processor_seconds']:.1f} "
                f"| {found['seconds'] / beside['seconds']:.2f} | {found['peak_mb']:.0f} MB |"
            )
    lines += ["", *(_goal(way, measured[f"{way} {rows}"], evidently) for way in _WHAT), _memory(result), ""]
    ours, theirs = measured[f"columns {rows}"]["verdicts"], evidently["verdicts"]
    same = sum(ours[name][1] == theirs[name][1] for name in theirs)
    lines += [
        f"- Same verdict per column, {same} of {len(theirs)}: goal {'met' if same == len(theirs) else 'missed'}.",
        "",
        "| column | Noria | Evidently | moved, Noria | moved, Evidently |",
        "|---|---:|---:|---|---|",
    ]
    lines += [
        f"| {name} | {ours[name][0]:.4f} | {theirs[name][0]:.4f} | {'yes' if ours[name][1] else 'no'} "
        f"| {'yes' if theirs[name][1] else 'no'} |"
        for name in theirs
    ]
    lines += ["", *_TRIED]
    lines += [
        "",
        "Distances of numbers with at most five values differ because Evidently compares these as categories.",
    ]
    return "\n".join(lines) + "\n"


def _goal(way: str, found: dict[str, Any], evidently: dict[str, Any]) -> str:
    ratio = found["seconds"] / evidently["seconds"]
    processor = found["processor_seconds"] / evidently["processor_seconds"]
    return (
        f"- {_WHAT[way]}, in under a tenth of Evidently's time: {'met' if ratio < _TENTH else 'missed'}, "
        f"{ratio:.2f} of its time and {processor:.2f} of its processor time."
    )


def _memory(result: dict[str, Any]) -> str:
    large, small = (result["measured"][f"check {result[name]}"]["peak_mb"] for name in ("rows", "fewer"))
    times = result["rows"] / result["fewer"]
    return (
        f"- Bounded memory: {'met' if large < 1.25 * small else 'missed'}; {times:.0f} times the rows took "
        f"{large / small:.2f} times the memory of the whole check."
    )


if __name__ == "__main__":
    typer.run(main)
