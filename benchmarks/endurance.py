"""The service under load while things go wrong: `python benchmarks/endurance.py`."""

import os
import signal
import sys
import tempfile
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.endured import report, stores, trial_report, trials
from benchmarks.endured.measure import Times, endure
from benchmarks.endured.stores import Stoppable
from benchmarks.endured.trial_report import Tried
from benchmarks.served.case import train
from noria.bundle import Bundle

_RESULTS = Path(__file__).resolve().parent / "results"


_SCREEN = Console(highlight=False, soft_wrap=True)
_DISK_MB = 256


class Part(StrEnum):
    """What is run."""

    ALL = "all"
    LOAD = "load"
    FAULTS = "faults"


@dataclass(frozen=True)
class _Run:
    """The options of both parts."""

    folder: Path
    bundle: Bundle
    seconds: float
    workers: int
    output: Path


def main(
    *,
    minutes: Annotated[float, typer.Option(min=0.3, help="How long the load lasts; the faults last as long.")] = 5.0,
    part: Annotated[Part, typer.Option(help="The long load, the single faults, or both.")] = Part.ALL,
    store: Annotated[str, typer.Option(help="The prediction store: postgresql or sqlite.")] = "postgresql",
    workers: Annotated[int, typer.Option(min=2, help="Worker processes; one of them is killed every 30 s.")] = 2,
    training_rows: Annotated[int, typer.Option(min=2_000, help="Rows that the model is trained on.")] = 20_000,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = _RESULTS,
) -> None:
    """Load at 80 % of the saturation; kill workers, stop the store and bring a new model meanwhile; then count.

    Then, at half the saturation, one fault at a time: flushers and the whole service killed, the database and the spool
    removed, its disk full, and slow clients.
    """
    if store not in {"postgresql", "sqlite"}:
        raise typer.BadParameter(f"{store} is neither postgresql nor sqlite")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="noria-endurance-")))
        _SCREEN.print(f"Training 300 trees on {training_rows:,} rows …")
        bundle = train(training_rows, folder / "bundle")
        missed = []
        if part is not Part.FAULTS:
            with _store(store, folder / "load.db") as chosen:
                missed += _load(_Run(folder / "load", bundle, minutes * 60, workers, output), chosen)
        if part is not Part.LOAD:
            with _store(store, folder / "faults.db") as chosen:
                missed += _faults(_Run(folder / "faults", bundle, minutes * 60, workers, output), chosen)
    if missed:
        raise typer.Exit(1)


def _load(run: _Run, store: Stoppable) -> list[str]:
    seconds = run.seconds
    times = Times(
        load=seconds,
        saturation=max(3.0, seconds / 30),
        kill_every=seconds / 10,
        outage=seconds / 5,
        flush=max(120.0, seconds),
    )
    run.folder.mkdir()
    found = endure(run.folder, run.bundle, store, times, workers=run.workers, say=_SCREEN.print)
    drawn = Table(box=box.SIMPLE_HEAD, show_header=False)
    for line in report.table(found):
        drawn.add_row(*line)
    _SCREEN.print(drawn)
    goals = report.goals(found)
    for goal, met in goals.items():
        _SCREEN.print(f"{'met' if met else 'MISSED'}: {goal}")
    _SCREEN.print(f"Written to {report.write(found, run.output)}")
    return [goal for goal, met in goals.items() if not met]


def _faults(run: _Run, store: Stoppable) -> list[str]:
    each = run.seconds / len(trials.FAULTS)
    times = trials.TrialTimes(
        saturation=max(3.0, run.seconds / 30),
        usual=each * 0.3,
        fault=each * 0.4,
        after=each * 0.3,
        flush=max(60.0, each),
        kill_every=2.0,
    )
    run.folder.mkdir()
    with trials.running(
        run.folder, run.bundle, store, times, workers=run.workers, slow=trials.Slow(), disk_mb=_DISK_MB
    ) as field:
        saturation = trials.saturation(field)
        _SCREEN.print(f"saturation: {saturation:,.0f} requests per second")
        done = []
        for key, fault in trials.FAULTS.items():
            _SCREEN.print(f"{fault.title} …")
            done.append(trials.attempt(key, field, trials.SHARE_OF_SATURATION * saturation))
    tried = Tried(store.title.partition(",")[0], run.workers, times, saturation, done)
    head, *lines = trial_report.table(tried)
    for fault, *figures in lines:
        _SCREEN.print(
            f"{fault}: " + ", ".join(f"{name} {figure}" for name, figure in zip(head[1:], figures, strict=True))
        )
    for goal in tried.missed:
        _SCREEN.print(f"MISSED: {goal}")
    _SCREEN.print(f"Written to {trial_report.write(tried, run.output)}")
    return tried.missed


def _store(kind: str, file: Path) -> AbstractContextManager[Stoppable]:
    return stores.postgres() if kind == "postgresql" else stores.sqlite(file)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parent.parent)
    signal.signal(signal.SIGTERM, _interrupt)  # everything that was started is stopped, as at Ctrl-C
    typer.run(main)
