"""The spool beside SQLite and persist-queue, and how fast answers reach the store: `python benchmarks/spool.py`."""

import importlib.util
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich import box
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import Stolen, machine, now, versions
from benchmarks.spooled import report
from benchmarks.spooled.found import RATES, Case, Measured, Results
from benchmarks.spooled.measure import CLIENTS, WORKERS, measure, rows_to_store, sync_ms
from benchmarks.spooled.ways import QUEUES, WAYS, Durability, Way

_RESULTS = Path(__file__).resolve().parent / "results"
_WIDTH = 120
_MISSING = (
    "persist-queue is not installed, so it was not measured; to measure it: "
    ".venv/bin/uv pip install --python .venv/bin/python persist-queue"
)


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Every way is measured once per round.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.2, help="How long each load lasts.")] = 1.0,
    to_store: Annotated[int, typer.Option(min=200, help="Rows that are moved to a store.")] = 20_000,
    folder: Annotated[Path | None, typer.Option(help="A folder on the disk to measure.")] = None,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = _RESULTS,
) -> None:
    """Keep answers in each way, for both durabilities, as fast as it goes and at the rates the service reaches."""
    screen = Console(highlight=False, soft_wrap=True)
    screen.width = max(screen.width, _WIDTH)
    missing = "" if importlib.util.find_spec("persistqueue") else _MISSING
    if missing:
        screen.print(missing)
    ways = [way for way in WAYS if not missing or way.key not in QUEUES]
    stolen, measured = Stolen(), list[Measured]()
    for number in range(1, rounds + 1):
        for case in _cases():
            screen.print(f"round {number}: {case.title} …")
            measured += [measure(way, case, number, seconds, folder) for way in _in_turn(ways, case, number)]
    results = Results(
        date=now(),
        machine=machine(),
        versions=_versions(missing),
        rounds=rounds,
        seconds=seconds,
        workers=WORKERS,
        clients=CLIENTS,
        sync_ms=sync_ms(folder),
        stolen=stolen.share(),
        missing=missing,
        measured=measured,
        to_store={rows: rows_to_store(rows, to_store // rows, folder) for rows in RATES},
    )
    for case in report.cases(results):
        screen.print(_drawn(case.title, report.table(results, case)))
    for sentence in [*(goal.said for goal in report.goals(results)), *report.remarks(results)]:
        screen.print(sentence)
    screen.print(f"Written to {report.write(results, output)}")


def _cases() -> list[Case]:
    durabilities: tuple[Durability, ...] = get_args(Durability)
    return [
        Case(durability=one, rows=rows, paced=paced)
        for one in durabilities
        for rows in RATES
        for paced in (True, False)
    ]


def _in_turn(ways: list[Way], case: Case, number: int) -> list[Way]:
    """The ways that fit the case; every other round backwards, so that none is always the one after another."""
    fitting = [way for way in ways if case.durability in way.durabilities and (case.paced or way.waits)]
    return fitting if number % 2 else fitting[::-1]


def _versions(missing: str) -> dict[str, str]:
    import sqlite3

    libraries = ["msgspec"] if missing else ["msgspec", "persist-queue"]
    return {**versions(*libraries), "sqlite": sqlite3.sqlite_version}


def _drawn(title: str, lines: list[list[str]]) -> Table:
    drawn = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for place, name in enumerate(report.HEAD):
        drawn.add_column(name, justify="right" if place else "left", no_wrap=not place)
    for line in lines:
        drawn.add_row(*line)
    return drawn


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parent.parent)
    signal.signal(signal.SIGTERM, _interrupt)  # everything that was started is stopped, as at Ctrl-C
    typer.run(main)
