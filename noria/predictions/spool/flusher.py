"""Moves spooled events to the prediction store, each exactly once.

An event leaves the spool only after the store has committed it. A flusher that is killed in between sends events a
second time, and the store ignores duplicates: predictions, labels and audit events have unique identifiers.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from noria.predictions.spool.segment_reader import EventStore, FlushResult, SegmentReader
from noria.predictions.spool.segments import START, segments
from noria.system.errors import NoriaError

__all__ = ["EventStore", "FlushResult", "Flusher", "drain"]

_POLL_S = 0.1


class Flusher:
    """Reads all segments of a spool, those of live writers and those left behind."""

    def __init__(self, folder: Path, store: EventStore, should_stop: Callable[[], bool] = lambda: False) -> None:
        """`should_stop` is called before each transaction; True ends the round early."""
        self._folder, self._store, self._should_stop = folder, store, should_stop

    def flush(self, done: FlushResult | None = None) -> FlushResult:
        """Move everything that is there now; adds to `done`, even if it fails.

        Raises:
            NoriaError: the store or the spool fails; events moved before stay moved.
        """
        done = done or FlushResult()
        try:
            with _flush_lock(self._folder):
                for path in segments(self._folder):
                    SegmentReader(path, self._store, done).read(self._should_stop)
                _remove_stale_offsets(self._folder)
        except OSError as error:
            raise NoriaError(
                f"the spool cannot be read or written: {error.strerror}",
                code="spool.unusable",
                where=str(self._folder),
                fix="repair the disk",
            ) from error
        return done


def drain(folder: Path, store: EventStore, timeout_s: float) -> bool:
    """Flush until everything that is spooled now is in the store and its segments are removed.

    Live writers leave a segment that has been read after about a second.

    Returns:
        False if `timeout_s` seconds were not enough.

    Raises:
        NoriaError: the store or the spool fails.
    """
    until = time.monotonic() + timeout_s
    before = _segment_ids(folder)
    while True:
        Flusher(folder, store).flush()
        if not before & _segment_ids(folder):
            return True
        if time.monotonic() > until:
            return False
        time.sleep(_POLL_S)


@contextmanager
def _flush_lock(folder: Path) -> Iterator[None]:
    """Hold the lock: two flushers at once would be harmless, but do the work twice."""
    handle = os.open(folder / "flush.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _remove_stale_offsets(folder: Path) -> None:
    for path in folder.glob("*.position"):
        if not path.with_suffix(".segment").exists():
            path.unlink(missing_ok=True)


def _segment_ids(folder: Path) -> set[bytes]:
    """The segments' headers, which identify them: file numbers may be reused."""
    found = set()
    for path in segments(folder):
        try:
            with path.open("rb") as file:
                found.add(file.read(START))
        except FileNotFoundError:
            continue
    return found
