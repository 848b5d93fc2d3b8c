"""What the tests of the spool share."""

import contextlib
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from noria.config.serving import SpoolConfig
from noria.predictions.spool.events import AuditEvent, Event, LabelEvent, PredictionEvent
from noria.predictions.spool.flusher import Flusher
from noria.predictions.spool.writer import SpoolWriter
from noria.system.errors import NoriaError

DAY = 1_780_000_000.0


def answered(name: str, rows: int = 1, *, text: str = "One year", at: float = DAY) -> PredictionEvent:
    """One request with `rows` rows; its predictions are called NAME-0, NAME-1 …"""
    return PredictionEvent(
        at=at,
        request_id=name,
        model="churn",
        version="1",
        variant="champion",
        policy="1",
        latency_ms=1.5,
        names=["tenure", "contract"],
        features=[[3.0, text]] * rows,
        ids=[f"{name}-{row}" for row in range(rows)],
        entities=[f"case {name}"] * rows,
        predictions=["Yes"] * rows,
        probabilities=[0.7] * rows,
        decisions=["act"] * rows,
        warnings=[""] * rows,
    )


def labelled(prediction: str, key: str = "k") -> LabelEvent:
    return LabelEvent(key=key, at=DAY, id=prediction, entity=None, label="No")


def settings(**changes: object) -> SpoolConfig:
    return SpoolConfig.model_validate(changes)


@contextmanager
def writing(folder: Path, **changes: object) -> Iterator[SpoolWriter]:
    writer = SpoolWriter(folder, settings(**changes))
    try:
        yield writer
    finally:
        writer.close()


class Memory:
    """A store without a database, for what happens on the spool's side."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.down = False
        self.refuses: Callable[[Event], bool] = lambda event: False

    def ingest(self, events: Sequence[Event]) -> int:
        if self.down:
            raise NoriaError("the prediction store does not work: it is down", code="predictions.store_failed")
        if any(self.refuses(event) for event in events):
            raise ValueError("year 99999 is out of range")
        self.events += events
        return len(events)

    @property
    def ids(self) -> list[str]:
        return [each for event in self.events if isinstance(event, PredictionEvent) for each in event.ids]

    @property
    def audit_events(self) -> list[AuditEvent]:
        return [event for event in self.events if isinstance(event, AuditEvent)]


def flushed(folder: Path) -> list[str]:
    """The ids that lie in the spool, in order; it is empty afterwards."""
    store = Memory()
    Flusher(folder, store).flush()
    return store.ids


def ids_in(database: Path) -> list[str]:
    """The ids in a SQLite store, sorted, each as often as it is there; none while there is no store."""
    if not database.exists():
        return []
    with contextlib.closing(sqlite3.connect(database)) as direct:
        if not direct.execute("select * from sqlite_master where name = 'predictions'").fetchall():
            return []
        return [row[0] for row in direct.execute("select id from predictions order by id")]


def eventually(true: Callable[[], bool], within_s: float = 60.0) -> bool:
    """Does it come true, and before long?"""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.02)
    return False


@contextmanager
def small_disk(folder: Path, size: str = "2m") -> Iterator[Path]:
    """A file system of its own, mounted at the folder; whoever may not mount skips the test."""
    import pytest

    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a small file system cannot be mounted here: {error}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
