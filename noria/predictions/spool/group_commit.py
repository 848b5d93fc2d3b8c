"""Group commit: a thread syncs the journal, and many waiters share one sync."""

import asyncio
import concurrent.futures
import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path

from noria.predictions.spool.journal import Journal
from noria.predictions.spool.spool_errors import SpoolFailed

_MAINTENANCE_S = 0.25
Waiting = asyncio.Future[None] | concurrent.futures.Future[None]


class Completed:
    """An awaitable that is already done."""

    def __await__(self) -> Generator[None, None, None]:
        return
        yield


DONE = Completed()


class GroupCommitter:
    """Syncs appended events within `interval_s` seconds; calls `on_idle` a few times a second."""

    def __init__(self, journal: Journal, interval_s: float, on_idle: Callable[[], None], folder: Path) -> None:
        self._journal, self._interval_s, self._on_idle, self._folder = journal, interval_s, on_idle, folder
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, Waiting]] = []
        self._synced = 0
        self._lost = range(0)
        self._appended = threading.Event()
        self._ended = threading.Event()
        self._maintain_at = 0.0
        self.failing = ""
        """Why the last write failed; empty again once a test write succeeds."""
        self._thread = threading.Thread(target=self._run, name="noria-spool", daemon=True)
        self._thread.start()

    def appended(self) -> None:
        """Signal that events were appended."""
        if not self._appended.is_set():
            self._appended.set()

    def durable(self, position: int) -> Awaitable[None]:
        """Resolves when the event at `position` is on disk, or raises SpoolFailed."""
        if position <= self._synced and position not in self._lost:
            return DONE
        future = asyncio.get_running_loop().create_future()
        self._register(position, future)
        return future

    def wait(self, position: int, timeout_s: float | None) -> None:
        """Wait until the event at `position` is on disk."""
        future: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._register(position, future)
        try:
            future.result(timeout_s)
        except TimeoutError as error:
            raise self._spool_error(f"not on disk after {timeout_s:g} s") from error

    def failed(self, error: OSError) -> SpoolFailed:
        """Record a failed write and return the error to raise."""
        self.failing = error.strerror or str(error)
        return self._spool_error(self.failing)

    def end(self) -> None:
        """Sync once more and stop the thread."""
        self._ended.set()
        self._appended.set()
        self._thread.join()

    def _register(self, position: int, future: Waiting) -> None:
        with self._lock:
            if position in self._lost:
                future.set_exception(self._spool_error(self.failing or "the write failed"))
            elif position <= self._synced:
                future.set_result(None)
            else:
                self._waiting.append((position, future))
        self._appended.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            if self._appended.wait(_MAINTENANCE_S):
                self._ended.wait(self._interval_s)
                self._appended.clear()
                self._commit()
            if time.monotonic() >= self._maintain_at:
                self._maintain()
        self._journal.close()
        self._commit()

    def _maintain(self) -> None:
        began = time.monotonic()
        try:
            if self.failing:  # there may be no requests until it works again, so none would find out
                self._journal.test()
                self.failing = ""
            self._on_idle()
            if self._journal.tidy():
                self._commit()
        except OSError as error:
            self.failed(error)
        now = time.monotonic()
        self._maintain_at = now + max(_MAINTENANCE_S, 20 * (now - began))  # many segments: less often

    def _commit(self) -> None:
        position, error = self._journal.sync()
        failure = None if error is None else self.failed(error)
        with self._lock:
            if error is not None:
                self._lost = range(self._synced + 1, position + 1)
            self._synced = position
            due = [future for until, future in self._waiting if until <= position]
            self._waiting = [(until, future) for until, future in self._waiting if until > position]
        _resolve_all(due, failure)

    def _spool_error(self, reason: str) -> SpoolFailed:
        return SpoolFailed(
            f"the spool cannot be written: {reason}",
            code="spool.unwritable",
            where=str(self._folder),
            fix="free some space, or repair the disk",
        )


def _resolve_all(due: list[Waiting], error: SpoolFailed | None) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[Waiting]] = defaultdict(list)
    for future in due:
        if isinstance(future, asyncio.Future):
            loops[future.get_loop()].append(future)
    _resolve([future for future in due if not isinstance(future, asyncio.Future)], error)
    for loop, futures in loops.items():
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(_resolve, futures, error)


def _resolve(futures: list[Waiting], error: SpoolFailed | None) -> None:
    for future in futures:
        if future.done():  # cancelled: the client is gone
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
