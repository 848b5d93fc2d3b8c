"""Measures one way under one load: several workers at once, on files of their own."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.spooled.found import Case, Measured
from benchmarks.spooled.ways import NOTHING, Way, prepare
from benchmarks.spooled.worker import Found, Plan, request
from noria.config.serving import SpoolConfig
from noria.predictions.spool.flusher import Flusher
from noria.predictions.spool.writer import SpoolWriter
from noria.predictions.store import PredictionStore

WORKERS = 2
CLIENTS = 32
"""Of each worker."""
_ROOT = Path(__file__).resolve().parents[2]
_WARM_S = 0.3
_SYNCS = 200
_PAGE = 4096


def measure(way: Way, case: Case, number: int, seconds: float, place: Path | None) -> Measured:
    """One way in one round.

    Raises:
        RuntimeError: a worker failed, or kept less than it said.
    """
    with tempfile.TemporaryDirectory(prefix="noria-spool-", dir=place) as name:
        folder = Path(name)
        prepare(folder)
        plan = Plan(
            way=way.key,
            folder=name,
            durability=case.durability,
            rows=case.rows,
            rate=case.rate / WORKERS if case.paced else 0,
            clients=CLIENTS,
            warm_s=_WARM_S,
            seconds=seconds,
        )
        found = _at_once(plan)
        answered = sum(len(one.took) + one.warm for one in found)
        kept = way.kept(folder)
    if way is not NOTHING and kept != answered:
        raise RuntimeError(f"{way.title}: {answered:,} answers might be sent, {kept:,} were kept")
    took = sorted(each for one in found for each in one.took)
    return Measured(
        way=way.key,
        round=number,
        case=case,
        entries_per_s=sum(len(one.took) / one.seconds for one in found),
        cpu_us=sum(one.cpu_s for one in found) / len(took) * 1e6,
        loop_us=sum(one.busy_s for one in found) / len(took) * 1e6,
        p50_ms=took[len(took) // 2] * 1e3,
        p99_ms=took[len(took) * 99 // 100] * 1e3,
        refused=sum(one.refused for one in found),
    )


def sync_ms(place: Path | None) -> float:
    """How long the disk takes to sync one appended page, in the middle."""
    taken = []
    with tempfile.TemporaryFile(dir=place, buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(bytes(_PAGE))
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1e3


def rows_to_store(rows: int, entries: int, place: Path | None) -> float:
    """Rows per second that are moved from a spool to a prediction store in SQLite."""
    with tempfile.TemporaryDirectory(prefix="noria-spool-", dir=place) as name:
        store = PredictionStore(f"sqlite:///{name}/predictions.db")
        writer = SpoolWriter(Path(name) / "spool", SpoolConfig())
        for _ in range(entries):
            writer.append(request(rows))
        writer.close()
        began = time.perf_counter()
        moved = Flusher(Path(name) / "spool", store).flush().predictions
        rate = moved / (time.perf_counter() - began)
        store.close()
    return rate


def _at_once(plan: Plan) -> list[Found]:
    command = [sys.executable, "-m", "benchmarks.spooled.worker", msgspec.json.encode(plan).decode()]
    pipe = subprocess.PIPE
    workers = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=_ROOT)  # noqa: S603
        for _ in range(WORKERS)
    ]
    try:
        if all(_ready(worker) for worker in workers):
            for worker in workers:
                _go(worker)
        said = [worker.communicate() for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    for worker, (_, error) in zip(workers, said, strict=True):
        if worker.returncode:
            raise RuntimeError(f"{plan.way}, {plan.durability}: {error[-2000:]}")
    return [msgspec.json.decode(out, type=Found) for out, _ in said]


def _ready(worker: "subprocess.Popen[str]") -> bool:
    return worker.stdout is not None and bool(worker.stdout.readline())


def _go(worker: "subprocess.Popen[str]") -> None:
    if worker.stdin is not None:
        worker.stdin.write("go\n")
        worker.stdin.flush()
