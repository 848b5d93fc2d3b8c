"""Reading one segment: its events go to the store; damaged or rejected bytes become dead letters."""

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
from noria.predictions.spool.events import AuditEvent, Event, PredictionEvent
from noria.predictions.spool.offsets import offset_file, read_offset, write_offset
from noria.predictions.spool.segments import START, try_lock

_ROWS = 5000
logger = logging.getLogger("noria.predictions.spool")


class EventStore(Protocol):
    """The part of the prediction store that the flusher needs."""

    def ingest(self, events: Sequence[Event]) -> int:
        """Store the events in one transaction, ignoring duplicates. NoriaError: the store fails."""
        ...


@dataclass
class FlushResult:
    """What one or several rounds have moved."""

    events: int = 0
    predictions: int = 0
    dead_letters: list[str] = field(default_factory=list)
    """Descriptions of the bytes that could not be moved."""


class _ReadEvent(NamedTuple):
    event: Event
    piece: SegmentPiece


class SegmentReader:
    """Reads one segment from its offset."""

    def __init__(self, path: Path, store: EventStore, done: FlushResult) -> None:
        self._path, self._store, self._done = path, store, done
        self._head = b""
        self._start = START
        self._data = b""

    def read(self, should_stop: Callable[[], bool]) -> None:
        """Move what is there; remove the segment if its writer has closed it.

        Raises:
            NoriaError: the store fails.
            OSError: the segment cannot be read or removed.
        """
        handle = os.open(self._path, os.O_RDWR)
        try:
            is_closed = try_lock(handle)  # first, so that what is read afterwards is complete
            self._head = os.pread(handle, START, 0)
            self._start = read_offset(self._path, self._head)
            for batch in self._batches(self._read_pieces(handle, is_closed=is_closed)):
                if should_stop():
                    return
                self._store_batch(batch)
                # Without an offset the segment is read again, which only costs time. A full disk must not end the
                # round here, because removing segments frees space.
                with contextlib.suppress(OSError):
                    write_offset(self._path, self._head, self._start + batch[-1].piece.end)
            if is_closed:
                self._path.unlink()
                offset_file(self._path).unlink(missing_ok=True)
        finally:
            os.close(handle)

    def _read_pieces(self, handle: int, *, is_closed: bool) -> list[SegmentPiece]:
        self._data = os.pread(handle, max(0, os.fstat(handle).st_size - self._start), self._start)
        found = list(pieces(self._data, is_closed=is_closed))
        if is_closed or all(piece.is_valid for piece in found):
            return found
        # One read can see an event that is half written and, behind it, the next one. When that one was begun the
        # first one was complete, so a second read settles it.
        self._data = os.pread(handle, found[-1].end, self._start)
        return list(pieces(self._data, is_closed=False))

    def _batches(self, found: Sequence[SegmentPiece]) -> Iterator[list[_ReadEvent]]:
        """Batches of some thousand rows: larger ones block others, smaller ones take longer overall."""
        batch: list[_ReadEvent] = []
        rows = 0
        for piece in found:
            event = decode_frame(self._data, piece.start, piece.end) if piece.is_valid else None
            batch.append(_ReadEvent(event or self._write_dead_letter(piece, "damaged"), piece))
            rows += len(event.ids) if isinstance(event, PredictionEvent) else 1
            if rows >= _ROWS:
                yield batch
                batch, rows = [], 0
        if batch:
            yield batch

    def _store_batch(self, batch: list[_ReadEvent]) -> None:
        events = [each.event for each in batch]
        try:
            self._store.ingest(events)
        except Exception as error:
            if not is_about_data(error):
                raise
            self._store_without_rejected(batch, str(error))
        else:
            self._done.events += len(events)
            self._done.predictions += sum(len(event.ids) for event in events if isinstance(event, PredictionEvent))

    def _store_without_rejected(self, batch: list[_ReadEvent], reason: str) -> None:
        if len(batch) > 1:
            half = len(batch) // 2
            self._store_batch(batch[:half])
            self._store_batch(batch[half:])
        else:
            rejected = self._write_dead_letter(batch[0].piece, f"rejected by the store ({reason})")
            self._store.ingest([rejected])

    def _write_dead_letter(self, piece: SegmentPiece, what: str) -> AuditEvent:
        where, content = self._start + piece.start, self._data[piece.start : piece.end]
        letter = write_dead_letter(self._path, self._head, where, content)
        detail = f"{len(content)} bytes of {self._path.name} from byte {where} are {what}; kept in {letter.name}"
        if detail not in self._done.dead_letters:  # a round that fails is repeated
            logger.error("%s", detail)
            self._done.dead_letters.append(detail)
        return AuditEvent(letter.stem, time.time(), "corrupt", "", "", detail)
