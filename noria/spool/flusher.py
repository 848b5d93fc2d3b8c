"""Moves what is spooled to the prediction store, each entry exactly once.

An entry leaves the spool only after the store has committed it. A flusher that is killed in between offers entries a
second time, and the store ignores what it has: predictions, labels and events all carry an identifier of their own.
"""

import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from noria.errors import NoriaError
from noria.spool.entries import Answered, Entry, Happened
from noria.spool.faults import is_about_data
from noria.spool.frames import framed
from noria.spool.positions import position_file, read_position, waiting_bytes, write_position
from noria.spool.recovery import Piece, pieces, set_aside
from noria.spool.segments import START, locked, segments

_ROWS = 2000
_POLL_S = 0.1
_Placed = tuple[int, Entry]  # where in the segment it begins
logger = logging.getLogger("noria.spool")


class Keeps(Protocol):
    """The prediction store, as far as the flusher knows it."""

    def keep(self, entries: Sequence[Entry]) -> int:
        """Keep the entries in one transaction; those that it has are ignored. NoriaError: it does not work."""
        ...


@dataclass
class Flushed:
    """What one round moved, or several."""

    entries: int = 0
    predictions: int = 0
    bytes_left: int = 0
    cut: list[str] = field(default_factory=list)
    """What could not be moved and was set aside, in words."""


class Flusher:
    """Reads all segments of a spool, those of writers that live and those that were left behind."""

    def __init__(self, folder: Path, store: Keeps, is_over: Callable[[], bool] = lambda: False) -> None:
        """`is_over` is asked before each transaction; True ends the round early."""
        self._folder, self._store, self._is_over = folder, store, is_over

    def flush(self, done: Flushed | None = None) -> Flushed:
        """One round over everything that is there now; adds to `done`, also where it ends with an error.

        Raises:
            NoriaError: the store or the spool does not work; what was moved before stays moved.
        """
        done = done or Flushed()
        try:
            with _alone(self._folder):
                for path in segments(self._folder):
                    _Reading(path, self._store, done).read(self._is_over)
                _remove_stale_positions(self._folder)
            done.bytes_left = waiting_bytes(self._folder)
        except OSError as error:
            raise NoriaError(
                f"the spool cannot be read or written: {error.strerror}", where=str(self._folder), fix="mend the disk"
            ) from error
        return done


def drain(folder: Path, store: Keeps, timeout_s: float) -> bool:
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


class _Reading:
    """One segment, from where it was read up to."""

    def __init__(self, path: Path, store: Keeps, done: Flushed) -> None:
        self._path, self._store, self._done = path, store, done
        self._head = b""

    def read(self, is_over: Callable[[], bool]) -> None:
        """Move what is there; remove the segment if nobody writes to it any more."""
        handle = os.open(self._path, os.O_RDWR)
        try:
            is_ended = locked(handle)  # first: what is read afterwards is all there will be
            self._head = os.pread(handle, START, 0)
            start = read_position(self._path, self._head)
            for batch in _batches(_found(handle, start, is_ended=is_ended)):
                if is_over():
                    return
                self._move(batch, start, handle)
            if is_ended:
                self._path.unlink()
                position_file(self._path).unlink(missing_ok=True)
        finally:
            os.close(handle)

    def _move(self, batch: list[Piece], start: int, handle: int) -> None:
        entries: list[_Placed] = []
        for piece in batch:
            place = start + piece.start
            if piece.entry is None:
                damaged = os.pread(handle, piece.end - piece.start, place)
                entries.append((place, self._cut(place, damaged, "damaged")))
            else:
                entries.append((place, piece.entry))
        self._keep(entries)
        # Without a position the segment is read again, which costs time only. A full disk must not end the round here:
        # removing segments is what frees it.
        with contextlib.suppress(OSError):
            write_position(self._path, self._head, start + batch[-1].end)

    def _keep(self, placed: list[_Placed]) -> None:
        entries = [entry for _, entry in placed]
        try:
            self._store.keep(entries)
        except Exception as error:
            if not is_about_data(error):
                raise
            self._keep_without_refused(placed, str(error))
        else:
            self._done.entries += len(entries)
            self._done.predictions += sum(len(entry.ids) for entry in entries if isinstance(entry, Answered))

    def _keep_without_refused(self, placed: list[_Placed], reason: str) -> None:
        if len(placed) > 1:
            half = len(placed) // 2
            self._keep(placed[:half])
            self._keep(placed[half:])
        else:
            place, entry = placed[0]
            self._store.keep([self._cut(place, framed(entry), f"refused by the store ({reason})")])

    def _cut(self, where: int, damaged: bytes, what: str) -> Happened:
        aside = set_aside(self._path, self._head, where, damaged)
        told = f"{len(damaged)} bytes of {self._path.name} from byte {where} are {what}; they are kept in {aside.name}"
        logger.error("%s", told)
        self._done.cut.append(told)
        return Happened(aside.stem, time.time(), "corrupt", "", "", told)


def _found(handle: int, start: int, *, is_ended: bool) -> list[Piece]:
    data = _content(handle, start)
    found = list(pieces(data, is_ended=is_ended))
    if is_ended or all(piece.entry is not None for piece in found):
        return found
    # A reader can see an entry that is half written and, later in the same read, the next one. Where that one was
    # begun the first one was whole, so a second look tells.
    return list(pieces(_content(handle, start, found[-1].end), is_ended=False))


def _content(handle: int, start: int, length: int | None = None) -> bytes:
    """The bytes from `start` on. A single read gives no more than 2 GiB, which no segment has."""
    return os.pread(handle, max(0, os.fstat(handle).st_size - start) if length is None else length, start)


def _batches(found: Sequence[Piece]) -> Iterator[list[Piece]]:
    batch: list[Piece] = []
    rows = 0
    for piece in found:
        batch.append(piece)
        rows += len(piece.entry.ids) if isinstance(piece.entry, Answered) else 1
        if rows >= _ROWS:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


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
