"""The writer of the spool: a server process appends events before it sends its responses."""

import threading
import time
import uuid
from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING

from noria.predictions.spool.codec import encode_frame
from noria.predictions.spool.events import AuditEvent, Event
from noria.predictions.spool.group_commit import DONE, GroupCommitter
from noria.predictions.spool.journal import Journal
from noria.predictions.spool.offsets import waiting_bytes
from noria.predictions.spool.segments import is_registered, register_writer
from noria.predictions.spool.spool_errors import SpoolFailed, SpoolFull
from noria.system.errors import NoriaError

if TYPE_CHECKING:
    from noria.config.serving import SpoolConfig

_FULL_SHARE = 0.99


class SpoolWriter:
    """Appends to the spool in `folder`; safe for several threads, and for several processes with one writer each.

    Raises:
        NoriaError: the folder cannot be created or written.
    """

    def __init__(self, folder: Path, settings: "SpoolConfig") -> None:
        self._folder = folder
        self._bound = int(settings.max_mb * 1e6)
        self._is_strict = settings.durability == "strict"
        self._drops = settings.when_full == "drop"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._registration = register_writer(folder)
            self._other_bytes = waiting_bytes(folder)
        except OSError as error:
            raise NoriaError(
                f"the spool cannot be written: {error.strerror}",
                code="spool.unwritable",
                where=str(folder),
                fix="free some space, or choose a folder that the service may write to (NORIA_SPOOL_DIR)",
            ) from error
        self._journal = Journal(folder)
        self._lock = threading.Lock()
        self._is_closed = False
        self.dropped = 0
        """Events that `offer` has dropped."""
        self._unreported = 0
        self._why_dropped = ""
        interval_s = 0.0 if self._is_strict else settings.sync_interval_ms / 1000
        self._commits = GroupCommitter(self._journal, interval_s, self._maintain, folder)

    def append(self, event: Event) -> int:
        """Hand an event to the operating system, where it survives a killed process.

        Returns:
            The event's position, for `durable`.

        Raises:
            SpoolFull: the spool holds `serving.spool.max_mb` already.
            SpoolFailed: it cannot be written; nothing of it is recorded.
        """
        frame = encode_frame(event)
        waiting = self.backlog_bytes
        if waiting + len(frame) > self._bound and waiting:
            raise SpoolFull(
                f"the spool is full: {waiting / 1e6:.0f} MB wait for the prediction store",
                code="spool.full",
                where=str(self._folder),
                fix="make the prediction store work again, or raise serving.spool.max_mb",
            )
        if self._is_closed:
            raise SpoolFailed(
                "the spool is closed", code="spool.closed", where=str(self._folder), fix="start the service again"
            )
        try:
            position = self._journal.append(frame)
        except OSError as error:
            raise self._commits.failed(error) from error
        self._commits.appended()
        return position

    def offer(self, event: Event) -> int | None:
        """Append as `serving.spool.when_full` says: with `drop`, None means that the event was dropped and counted.

        The number of dropped events is itself recorded as soon as there is room.

        Raises:
            SpoolFull, SpoolFailed: with `refuse`, as `append`.
        """
        try:
            position = self.append(event)
        except (SpoolFull, SpoolFailed) as error:
            if not self._drops:
                raise
            with self._lock:
                self.dropped += 1
                self._unreported += 1
                self._why_dropped = error.what
            return None
        if self._unreported:
            self._report_dropped()
        return position

    def durable(self, position: int) -> Awaitable[None]:
        """With `strict`, resolves when the event is on disk; with `interval` at once.

        Raises:
            SpoolFailed: (when awaited) it cannot be written.
        """
        return self._commits.durable(position) if self._is_strict else DONE

    def wait_durable(self, position: int, timeout: float | None = None) -> None:
        """`durable` for threads: wait at most `timeout` seconds.

        Raises:
            SpoolFailed: it cannot be written, or not in time.
        """
        if self._is_strict:
            self._commits.wait(position, timeout)

    @property
    def backlog_bytes(self) -> int:
        """Bytes that wait for the store, of all writers; those of others as of a moment ago."""
        return self._other_bytes + self._journal.bytes

    @property
    def full(self) -> bool:
        """Whether there may be no room for another event."""
        return self.backlog_bytes >= _FULL_SHARE * self._bound

    @property
    def failing(self) -> str:
        """Why the spool cannot be written; empty: it can."""
        return self._commits.failing

    def check_writable(self) -> None:
        """Write and sync a temporary file.

        Raises:
            SpoolFailed: the disk is full or broken.
        """
        try:
            self._journal.test()
        except OSError as error:
            raise self._commits.failed(error) from error

    def close(self) -> None:
        """Wait until everything is on disk, and release the segment to the flusher."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._commits.end()
        self._registration.close()

    def _maintain(self) -> None:
        if not is_registered(self._folder, self._registration):  # the folder was removed or moved
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            before, self._registration = self._registration, register_writer(self._folder)
            before.close()
        self._update_backlog()

    def _update_backlog(self) -> None:
        appended = self._journal.bytes
        self._other_bytes = waiting_bytes(self._folder) - appended

    def _report_dropped(self) -> None:
        with self._lock:
            count, self._unreported = self._unreported, 0
        event = AuditEvent(uuid.uuid4().hex, time.time(), "dropped", "", "", self._why_dropped, count)
        try:
            self.append(event)
        except (SpoolFull, SpoolFailed):
            with self._lock:
                self._unreported += count
