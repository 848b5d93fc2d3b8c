"""What keeping an answer costs a request, and how fast answers reach the store: `python benchmarks/spool.py`."""

import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Annotated, Literal, get_args

import typer
from rich import box
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from noria.config.serving import SpoolConfig
from noria.predictions.spool.events import PredictionEvent
from noria.predictions.spool.flusher import Flusher
from noria.predictions.spool.writer import SpoolWriter
from noria.predictions.store import PredictionStore

Durability = Literal["interval", "strict"]
_NUMBERS, _TEXTS = 12, 8
_LEAST = 200


def main(
    rows: Annotated[list[int] | None, typer.Option(help="Rows of a request; give it once per size.")] = None,
    entries: Annotated[int, typer.Option(help="Rows per round.")] = 20_000,
    rounds: Annotated[int, typer.Option(help="Rounds, of which the median is shown.")] = 5,
    folder: Annotated[Path | None, typer.Option(help="A folder on the disk to measure.")] = None,
) -> None:
    """Append requests of 12 numbers and 8 texts per row to a spool, and move them to SQLite."""
    table = Table(box=box.SIMPLE)
    for name in (
        "durability",
        "rows",
        "append, µs",
        "99 % within, µs",
        "wait for the disk, ms",
        "to the store, rows/s",
    ):
        table.add_column(name, justify="right")
    for durability in get_args(Durability):
        for size in rows or [1, 100]:
            measured = [_round(durability, size, max(_LEAST, entries // size), folder) for _ in range(rounds)]
            append, slow, wait, rate = (statistics.median(each) for each in zip(*measured, strict=True))
            waited = f"{wait * 1e3:.2f}" if durability == "strict" else "–"
            table.add_row(durability, f"{size:,}", f"{append * 1e6:.1f}", f"{slow * 1e6:.1f}", waited, f"{rate:,.0f}")
    Console(highlight=False).print(table)


def _round(durability: Durability, rows: int, count: int, folder: Path | None) -> tuple[float, float, float, float]:
    """Seconds of an append: median and 99th percentile; seconds until it is on the disk; rows per second flushed."""
    requests = [_request(rows) for _ in range(count)]
    with tempfile.TemporaryDirectory(prefix="noria-spool-", dir=folder) as name:
        store = PredictionStore(f"sqlite:///{name}/predictions.db")
        writer = SpoolWriter(Path(name) / "spool", SpoolConfig(durability=durability))
        taken = sorted(_timed(writer, request) for request in requests)
        waits = [_waited(writer, _request(rows)) for _ in range(20)]
        writer.close()
        began = time.perf_counter()
        moved = Flusher(Path(name) / "spool", store).flush().predictions
        rate = moved / (time.perf_counter() - began)
        store.close()
    return taken[count // 2], taken[count * 99 // 100], statistics.median(waits), rate


def _timed(writer: SpoolWriter, request: PredictionEvent) -> float:
    began = time.perf_counter()
    writer.append(request)
    return time.perf_counter() - began


def _waited(writer: SpoolWriter, request: PredictionEvent) -> float:
    began = time.perf_counter()
    writer.wait_durable(writer.append(request))
    return time.perf_counter() - began


def _request(rows: int) -> PredictionEvent:
    names = [f"number_{place}" for place in range(_NUMBERS)] + [f"text_{place}" for place in range(_TEXTS)]
    return PredictionEvent(
        at=time.time(),
        request_id=uuid.uuid4().hex,
        model="benchmark",
        version="1",
        variant="champion",
        policy="1",
        latency_ms=1.0,
        names=names,
        features=[[1.5] * _NUMBERS + ["some text"] * _TEXTS] * rows,
        ids=[uuid.uuid4().hex for _ in range(rows)],
        entities=["case"] * rows,
        predictions=["Yes"] * rows,
        probabilities=[0.75] * rows,
        decisions=["act"] * rows,
        warnings=[""] * rows,
    )


if __name__ == "__main__":
    typer.run(main)
