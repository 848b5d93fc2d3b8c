"""Moves what is spooled to the prediction store, each entry exactly once.

An entry leaves the spool only after the store has committed it. A flusher that is killed in between offers entries a
second time, and the store ignores what it has: predictions, labels and events all carry an identifier of their own.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from noria.predictions.spool.offsets import waiting_bytes
from noria.predictions.spool.segment_reader import EventStore, FlushResult, SegmentReader
from noria.predictions.spool.segments import START, segments
from noria.system.errors import NoriaError

__all__ = ["EventStore", "FlushResult", "Flusher", "drain"]

_POLL_S = 0.1


class Flusher:
    """Reads all segments of a spool, those of writers that live and those that were left behind."""

    def __init__(self, folder: Path, store: EventStore, is_over: Callable[[], bool] = lambda: False) -> None:
        """`is_over` is asked before each transaction; True ends the round early."""
        self._folder, self._store, self._is_over = folder, store, is_over

    def flush(self, done: FlushResult | None = None) -> FlushResult:
        """One round over everything that is there now; adds to `done`, also where it ends with an error.

        Raises:
            NoriaError: the store or the spool does not work; what was moved before stays moved.
        """
        done = done or FlushResult()
        try:
            with _alone(self._folder):
                for path in segments(self._folder):
                    SegmentReader(path, self._store, done).read(self._is_over)
                _remove_stale_positions(self._folder)
            done.bytes_left = waiting_bytes(self._folder)
        except OSError as error:
            raise NoriaError(
                f"the spool cannot be read or written: {error.strerror}", where=str(self._folder), fix="mend the disk"
            ) from error
        return done


def drain(folder: Path, store: EventStore, timeout_s: float) -> bool:
    """Flush until everything that is spooled now is in the store and gone from the spool's segments.

    Writers that live leave a segment that is read after a second, or at their next look.

    Returns:
        False if `timeout_s` seconds were not enough.

    Raises:
        NoriaError: the store or the spool does not work.
    """
    until = time.monotonic() + timeout_s
    before = _present(folder)
    while True:
        Flusher(folder, store).flush()
        if not before & _present(folder):
            return True
        if time.monotonic() > until:
            return False
        time.sleep(_POLL_S)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two flushers at once would do no harm, but the work twice."""
    handle = os.open(folder / "flush.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _remove_stale_positions(folder: Path) -> None:
    for path in folder.glob("*.position"):
        if not path.with_suffix(".segment").exists():
            path.unlink(missing_ok=True)


def _present(folder: Path) -> set[bytes]:
    """The segments by the identifiers within: a file's number may be given again."""
    found = set()
    for path in segments(folder):
        try:
            with path.open("rb") as file:
                found.add(file.read(START))
        except FileNotFoundError:
            continue
    return found
