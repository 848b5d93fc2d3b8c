"""The service under load while things go wrong: `python benchmarks/endurance.py`."""

import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.endured import report, stores
from benchmarks.endured.measure import Times, endure
from benchmarks.served.case import train

_RESULTS = Path(__file__).resolve().parent / "results"


def main(
    minutes: Annotated[float, typer.Option(min=0.3, help="How long the load lasts.")] = 5.0,
    store: Annotated[str, typer.Option(help="The prediction store: postgresql or sqlite.")] = "postgresql",
    workers: Annotated[int, typer.Option(min=2, help="Worker processes; one of them is killed every 30 s.")] = 2,
    training_rows: Annotated[int, typer.Option(min=2_000, help="Rows that the model is trained on.")] = 20_000,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = _RESULTS,
) -> None:
    """Load at 80 % of the saturation; kill workers, stop the store and bring a new model meanwhile; then count."""
    if store not in {"postgresql", "sqlite"}:
        raise typer.BadParameter(f"{store} is neither postgresql nor sqlite")
    screen, seconds = Console(highlight=False, soft_wrap=True), minutes * 60
    times = Times(
        load=seconds,
        saturation=max(3.0, seconds / 30),
        kill_every=seconds / 10,
        outage=seconds / 5,
        flush=max(120.0, seconds),
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="noria-endurance-")))
        chosen = stack.enter_context(
            stores.postgres() if store == "postgresql" else stores.sqlite(folder / "predictions.db")
        )
        screen.print(f"Training 300 trees on {training_rows:,} rows …")
        bundle = train(training_rows, folder / "bundle")
        found = endure(folder, bundle, chosen, times, workers=workers, say=screen.print)
    drawn = Table(box=box.SIMPLE_HEAD, show_header=False)
    for line in report.table(found):
        drawn.add_row(*line)
    screen.print(drawn)
    for goal, met in report.goals(found).items():
        screen.print(f"{'met' if met else 'MISSED'}: {goal}")
    screen.print(f"Written to {report.write(found, output)}")
    if not all(report.goals(found).values()):
        raise typer.Exit(1)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parent.parent)
    signal.signal(signal.SIGTERM, _interrupt)  # everything that was started is stopped, as at Ctrl-C
    typer.run(main)
