"""Noria's service beside other ways to serve the same model: `python benchmarks/serving.py`."""

import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import machine, now, versions
from benchmarks.served import case, report
from benchmarks.served.found import Results
from benchmarks.served.measure import Measurements, half_rate, in_process, measure
from benchmarks.served.peers import peers_python
from benchmarks.served.picture import draw
from benchmarks.served.place import Place
from benchmarks.served.servers import SERVERS, Server
from service.settings import TOKENS

_RESULTS = Path(__file__).resolve().parent / "results"
_PICTURE = "serving.png"
_SENT = 1_000
_WIDTH = 135
_KEYS = ", ".join(server.key for server in SERVERS)


def main(
    server: Annotated[list[str] | None, typer.Option(help=f"One to measure; give it once per server: {_KEYS}.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Every server is started and measured once per round.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.5, help="How long each load lasts.")] = 5.0,
    training_rows: Annotated[int, typer.Option(min=2_000, help="Rows that the model is trained on.")] = 50_000,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = _RESULTS,
) -> None:
    """Measure requests, rows, times, processor time and cold start of every server, and compare with the goals."""
    screen = Console(highlight=False, soft_wrap=True)
    screen.width = max(screen.width, _WIDTH)
    chosen = _chosen(server)
    for name in TOKENS.values():  # everybody is asked without a token
        os.environ.pop(name, None)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="noria-serving-", ignore_cleanup_errors=True) as folder:
        place = _prepare(Path(folder), chosen, training_rows, screen)
        found, bulk = _measure(chosen, place, rounds, seconds, screen)
    results = Results(
        date=now(),
        machine=machine(),
        versions=versions("bentoml", "mlflow", "fastapi", "onnxruntime", "xgboost", "scikit-learn", "pandas"),
        seconds=seconds,
        training_rows=training_rows,
        loads=found.loads,
        starts=found.starts,
        kept=found.kept,
        in_process=bulk,
    )
    screen.print(_drawn(report.table(results)))
    for sentence in report.verdict(results):
        screen.print(sentence)
    draw(results, output / _PICTURE)
    screen.print(f"Written to {report.write(results, output, _PICTURE)}")


def _chosen(keys: list[str] | None) -> list[Server]:
    unknown = sorted(set(keys or []) - {server.key for server in SERVERS})
    if unknown:
        raise typer.BadParameter(f"{unknown[0]} is none of {_KEYS}")
    return [server for server in SERVERS if not keys or server.key in keys]


def _prepare(folder: Path, chosen: list[Server], training_rows: int, screen: Console) -> Place:
    screen.print(f"Training 300 trees on {training_rows:,} rows …")
    bundle = case.train(training_rows, folder / "bundle")
    python = None
    if any(server.own_environment for server in chosen):
        screen.print("Making the environment of servers that clash with Noria's (once) …")
        try:
            python = peers_python()
        except (RuntimeError, OSError) as error:
            screen.print(f"It could not be made: {error}")
    return Place(folder, bundle, python)


def _measure(
    chosen: list[Server], place: Place, rounds: int, seconds: float, screen: Console
) -> tuple[Measurements, list[dict[str, float]]]:
    found, bulk, rows = Measurements(), [], case.rows_to_send(_SENT)
    for number in range(1, rounds + 1):
        pace = None
        for server in chosen:  # Noria is the first of them
            one = measure(server, place, rows, number, seconds=seconds, pace=pace)
            pace = half_rate(one) if server.role == "noria" else pace
            found.add(one)
            screen.print(f"round {number}, {server.title}: {_said(one)}")
        bulk.append(in_process(place))
    return found, bulk


def _said(found: Measurements) -> str:
    loads = ", ".join(f"{load.scenario.title} {load.rows_per_s:,.0f} rows/s" for load in found.loads)
    return "; ".join(filter(None, [loads, *(start.error for start in found.starts)]))


def _drawn(lines: list[list[str]]) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD)
    for place, name in enumerate(report.HEAD):
        drawn.add_column(name, justify="left" if place < 2 else "right", no_wrap=place < 2)
    for line, after in zip(lines, [*lines[1:], None], strict=True):
        drawn.add_row(*line, end_section=after is not None and after[0] != line[0])
    return drawn


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parent.parent)
    signal.signal(signal.SIGTERM, _interrupt)  # everything that was started is stopped, as at Ctrl-C
    typer.run(main)
