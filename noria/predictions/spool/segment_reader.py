"""Reading one segment: its entries go to the store, and what is damaged or refused is set aside."""

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from noria.predictions.spool.codec import decode_frame
from noria.predictions.spool.dead_letter import SegmentPiece, pieces, write_dead_letter
from noria.predictions.spool.error_classification import is_about_data
from noria.predictions.spool.events import AuditEvent, Entry, PredictionEvent
from noria.predictions.spool.offsets import offset_file, read_offset, write_offset
from noria.predictions.spool.segments import START, locked

_ROWS = 5000
logger = logging.getLogger("noria.predictions.spool")


class EventStore(Protocol):
    """The prediction store, as far as the flusher knows it."""

    def keep(self, entries: Sequence[Entry]) -> int:
        """Keep the entries in one transaction; those that it has are ignored. NoriaError: it does not work."""
        ...


@dataclass
class FlushResult:
    """What one round moved, or several."""

    entries: int = 0
    predictions: int = 0
    bytes_left: int = 0
    cut: list[str] = field(default_factory=list)
    """What could not be moved and was set aside, in words."""


class _Placed(NamedTuple):
    entry: Entry
    piece: SegmentPiece


class SegmentReader:
    """One segment, from where it was read up to."""

    def __init__(self, path: Path, store: EventStore, done: FlushResult) -> None:
        self._path, self._store, self._done = path, store, done
        self._head = b""
        self._start = START
        self._data = b""

    def read(self, is_over: Callable[[], bool]) -> None:
        """Move what is there; remove the segment if nobody writes to it any more.

        Raises:
            NoriaError: the store does not work.
            OSError: the segment cannot be read or removed.
        """
        handle = os.open(self._path, os.O_RDWR)
        try:
            is_ended = locked(handle)  # first: what is read afterwards is all there will be
            self._head = os.pread(handle, START, 0)
            self._start = read_offset(self._path, self._head)
            for batch in self._batches(self._found(handle, is_ended=is_ended)):
                if is_over():
                    return
                self._keep(batch)
                # Without a position the segment is read again, which costs time only. A full disk must not end the
                # round here: removing segments is what frees it.
                with contextlib.suppress(OSError):
                    write_offset(self._path, self._head, self._start + batch[-1].piece.end)
            if is_ended:
                self._path.unlink()
                offset_file(self._path).unlink(missing_ok=True)
        finally:
            os.close(handle)

    def _found(self, handle: int, *, is_ended: bool) -> list[SegmentPiece]:
        self._data = os.pread(handle, max(0, os.fstat(handle).st_size - self._start), self._start)
        found = list(pieces(self._data, is_ended=is_ended))
        if is_ended or all(piece.is_sound for piece in found):
            return found
        # A reader can see an entry that is half written and, later in the same read, the next one. Where that one was
        # begun the first one was whole, so a second look tells.
        self._data = os.pread(handle, found[-1].end, self._start)
        return list(pieces(self._data, is_ended=False))

    def _batches(self, found: Sequence[SegmentPiece]) -> Iterator[list[_Placed]]:
        """Transactions of some thousand rows: larger ones keep others waiting, smaller ones take longer in all."""
        batch: list[_Placed] = []
        rows = 0
        for piece in found:
            entry = decode_frame(self._data, piece.start, piece.end) if piece.is_sound else None
            batch.append(_Placed(entry or self._cut(piece, "damaged"), piece))
            rows += _rows(entry)
            if rows >= _ROWS:
                yield batch
                batch, rows = [], 0
        if batch:
            yield batch

    def _keep(self, placed: list[_Placed]) -> None:
        entries = [each.entry for each in placed]
        try:
            self._store.keep(entries)
        except Exception as error:
            if not is_about_data(error):
                raise
            self._keep_without_refused(placed, str(error))
        else:
            self._done.entries += len(entries)
            self._done.predictions += sum(len(entry.ids) for entry in entries if isinstance(entry, PredictionEvent))

    def _keep_without_refused(self, placed: list[_Placed], reason: str) -> None:
        if len(placed) > 1:
            half = len(placed) // 2
            self._keep(placed[:half])
            self._keep(placed[half:])
        else:
            self._store.keep([self._cut(placed[0].piece, f"refused by the store ({reason})")])

    def _cut(self, piece: SegmentPiece, what: str) -> AuditEvent:
        where, damaged = self._start + piece.start, self._data[piece.start : piece.end]
        aside = write_dead_letter(self._path, self._head, where, damaged)
        told = f"{len(damaged)} bytes of {self._path.name} from byte {where} are {what}; they are kept in {aside.name}"
        if told not in self._done.cut:  # a round that the store ends is done again
            logger.error("%s", told)
            self._done.cut.append(told)
        return AuditEvent(aside.stem, time.time(), "corrupt", "", "", told)


def _rows(entry: Entry | None) -> int:
    return len(entry.ids) if isinstance(entry, PredictionEvent) else 1
