"""What a server process keeps its answers with, before it sends them."""

import threading
import time
import uuid
from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING

from noria.predictions.spool.codec import encode_frame
from noria.predictions.spool.events import AuditEvent, Entry
from noria.predictions.spool.group_commit import DONE, GroupCommitter
from noria.predictions.spool.journal import Journal
from noria.predictions.spool.offsets import waiting_bytes
from noria.predictions.spool.segments import register_writer
from noria.predictions.spool.spool_errors import SpoolFailed, SpoolFull
from noria.system.errors import NoriaError

if TYPE_CHECKING:
    from noria.config.serving import SpoolConfig

_MEAN_BYTES = 500
_FULL = 0.99


class SpoolWriter:
    """Appends to the spool in `folder`; safe for several threads, and for several processes with one writer each.

    Raises:
        NoriaError: the folder cannot be made or written.
    """

    def __init__(self, folder: Path, settings: "SpoolConfig") -> None:
        self._folder = folder
        self._bound = int(settings.max_mb * 1e6)
        self._is_strict = settings.durability == "strict"
        self._drops = settings.when_full == "drop"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._signed_in = register_writer(folder)
            self._before = waiting_bytes(folder)
        except OSError as error:
            raise NoriaError(
                f"the spool cannot be written: {error.strerror}",
                where=str(folder),
                fix="free some space, or choose a folder that the service may write to (NORIA_SPOOL_DIR)",
            ) from error
        self._journal = Journal(folder)
        self._turn = threading.Lock()
        self._is_closed = False
        self.dropped = 0
        """Entries that `offer` did not keep."""
        self._untold = 0
        self._why_dropped = ""
        interval_s = 0.0 if self._is_strict else settings.sync_interval_ms / 1000
        self._commits = GroupCommitter(self._journal, interval_s, self._look, folder)

    def append(self, entry: Entry) -> int:
        """Hand an entry to the operating system, where a killed process cannot lose it.

        Returns:
            The entry's position, for `durable`.

        Raises:
            SpoolFull: as much as may wait does.
            SpoolFailed: it cannot be written; nothing of it is kept.
        """
        frame = encode_frame(entry)
        waiting = self.backlog_bytes
        if waiting + len(frame) > self._bound and waiting:
            raise SpoolFull(
                f"the spool is full: {waiting / 1e6:.0f} MB wait for the prediction store",
                where=str(self._folder),
                fix="make the prediction store work again, or raise serving.spool.max_mb",
            )
        if self._is_closed:
            raise SpoolFailed("the spool is closed", where=str(self._folder), fix="start the service again")
        try:
            position = self._journal.append(frame)
        except OSError as error:
            raise self._commits.failed(error) from error
        self._commits.appended()
        return position

    def offer(self, entry: Entry) -> int | None:
        """Append as `serving.spool.when_full` says: with `drop`, None says that the entry was not kept but counted.

        How many were dropped is itself kept, as soon as there is room.

        Raises:
            SpoolFull, SpoolFailed: with `refuse`, as `append`.
        """
        try:
            position = self.append(entry)
        except (SpoolFull, SpoolFailed) as error:
            if not self._drops:
                raise
            with self._turn:
                self.dropped += 1
                self._untold += 1
                self._why_dropped = error.what
            return None
        if self._untold:
            self._tell_dropped()
        return position

    def durable(self, position: int) -> Awaitable[None]:
        """With `strict`, resolves when the entry is on the disk; with `interval` at once.

        Raises:
            SpoolFailed: (when awaited) the disk did not take it.
        """
        return self._commits.durable(position) if self._is_strict else DONE

    def wait_durable(self, position: int, timeout: float | None = None) -> None:
        """`durable` for threads: wait at most `timeout` seconds.

        Raises:
            SpoolFailed: the disk did not take it, or not in time.
        """
        if self._is_strict:
            self._commits.wait(position, timeout)

    @property
    def backlog_bytes(self) -> int:
        """About how many bytes wait for the store, of all writers; the others' count as of a moment ago."""
        return self._before + self._journal.bytes

    @property
    def backlog_entries(self) -> int:
        """About how many entries wait, by the mean length of this writer's."""
        journal = self._journal
        mean = journal.bytes / journal.position if journal.position else _MEAN_BYTES
        return round(self.backlog_bytes / mean)

    @property
    def full(self) -> bool:
        """Does as much wait as may wait, so that there may be no room for another entry?"""
        return self.backlog_bytes >= _FULL * self._bound

    @property
    def failing(self) -> str:
        """Why the spool cannot be written; empty: it can, as was tried a moment ago if it could not before."""
        return self._commits.failing

    def close(self) -> None:
        """Wait until everything is on the disk, and leave it to whoever reads the spool."""
        with self._turn:
            if self._is_closed:
                return
            self._is_closed = True
        self._commits.end()
        self._signed_in.close()

    def _look(self) -> None:
        appended = self._journal.bytes
        self._before = waiting_bytes(self._folder) - appended

    def _tell_dropped(self) -> None:
        with self._turn:
            count, self._untold = self._untold, 0
        told = AuditEvent(uuid.uuid4().hex, time.time(), "dropped", "", "", self._why_dropped, count)
        try:
            self.append(told)
        except (SpoolFull, SpoolFailed):
            with self._turn:
                self._untold += count
