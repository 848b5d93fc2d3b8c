"""The training pipeline against the same work as a plain script: `python benchmarks/pipeline_overhead.py`."""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.overhead import report
from benchmarks.overhead.measure import Measured, Side, measure, run_module
from benchmarks.overhead.table import MODELS, write_use_case

_RESULTS = Path(__file__).resolve().parent / "results"
_WARM_UP_ROWS = 2_000
_LARGE = 200_000


def main(
    rows: Annotated[list[int] | None, typer.Option(help="Rows of the table; give it once per size.")] = None,
    rounds: Annotated[int, typer.Option(help="Rounds per size; tables of 200,000 rows or more get one.")] = 3,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = _RESULTS,
) -> None:
    """Measure what ZenML, materializing and MLflow add to the work of a training run."""
    screen = Console(highlight=False, soft_wrap=True)
    with tempfile.TemporaryDirectory(prefix="noria-overhead-") as name:
        workspace = Path(name)
        (workspace / "tmp").mkdir()
        screen.print("Making a workspace, and one small run that is not counted …")
        once = _prepare(workspace)
        runs = [run for size in rows or [7_043, 1_000_000] for run in _size(size, rounds, workspace, screen)]
    found = report.results(runs, once, MODELS)
    screen.print(_drawn(report.table(found)))
    for sentence in report.verdict(found):
        screen.print(sentence)
    screen.print(f"Written to {report.write(found, output, report.page(found))}")


def _prepare(workspace: Path) -> dict[str, float]:
    """A workspace with its databases, and every module compiled; returns what making them took."""
    made = workspace / "made.json"
    run_module("benchmarks.overhead.prepare", [str(made)], workspace)
    _both(_WARM_UP_ROWS, 0, workspace)
    once: dict[str, float] = json.loads(made.read_text(encoding="utf-8"))
    return once


def _size(rows: int, rounds: int, workspace: Path, screen: Console) -> list[Measured]:
    measured = []
    for number in range(1, 1 + (1 if rows >= _LARGE else rounds)):
        pair = _both(rows, number, workspace)
        screen.print(f"{rows:,} rows, round {number}: " + ", ".join(f"{run.side} {run.total:.1f} s" for run in pair))
        measured += pair
    return measured


def _both(rows: int, number: int, workspace: Path) -> list[Measured]:
    """One round: both sides on the same table, the one that went first last time going second.

    Raises:
        RuntimeError: a side failed, or they did not find the same.
    """
    name = f"churn_{rows}_{number}"
    # a table and a name of its own for each round: nothing is taken from the cache, and there is no champion
    table, use_case = workspace / f"{name}.parquet", workspace / f"{name}.yaml"
    run_module("benchmarks.overhead.table", [str(rows), str(table)], workspace)
    write_use_case(name, table, use_case)
    sides: list[Side] = ["plain", "pipeline"] if number % 2 else ["pipeline", "plain"]
    pair = [measure(side, rows, use_case, workspace) for side in sides]
    if pair[0].outcome != pair[1].outcome:
        raise RuntimeError(f"the two sides did different work: {pair[0].outcome} and {pair[1].outcome}")
    return pair


def _drawn(lines: list[list[str]]) -> Table:
    head, *body = lines
    drawn = Table(box=box.SIMPLE_HEAD)
    drawn.add_column(head[0], no_wrap=True)
    for name in head[1:]:
        drawn.add_column(name.replace(" rows: ", "\n"), justify="right", no_wrap=True)
    for line in body:
        drawn.add_row(*line)
    return drawn


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parent.parent)
    try:
        typer.run(main)
    except RuntimeError as error:
        sys.exit(f"Not measured: {error}")
