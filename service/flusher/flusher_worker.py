"""What the keeper does: flush, tell how it goes, and its other duties."""

import gc
import logging
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import msgspec

from noria.config.serving import ServingConfig
from noria.predictions.spool.flusher import Flusher, FlushResult
from noria.predictions.spool.heartbeat import FlusherHeartbeat, write_heartbeat
from noria.predictions.spool.offsets import waiting_bytes
from noria.predictions.spool.segments import writers_live
from noria.system.errors import NoriaError
from service.flusher.cpu_affinity import CpuAffinity
from service.flusher.flusher_launcher import PREDICTIONS_URL, SERVICE_DIR, SERVING
from service.flusher.memory import give_back_memory
from service.flusher.reconnecting_store import ReconnectingStore
from service.flusher.scheduled_tasks import ScheduledTask, scheduled_tasks

_LONGEST_PAUSE_S = 5.0
_LOOK_S = 0.5
_DRAIN_S = 5.0
_BEAT_S = 1.0
_NEW_OBJECTS = 50_000
_MANY_ROWS = 5_000
logger = logging.getLogger("noria.keeper")


class FlusherWorker:
    """Works until nobody needs it."""

    def __init__(
        self, spool: Path, url: str, serving: ServingConfig, duties: list[ScheduledTask], stop: threading.Event
    ) -> None:
        self._spool, self._duties, self._stop = spool, duties, stop
        self._interval_s = serving.spool.flush_interval_ms / 1000
        self._store = ReconnectingStore(url)
        self._processors = CpuAffinity()
        self._moved = FlushResult()
        self._failures = 0
        self._is_swollen = False
        self._beat_at = -_BEAT_S
        self._last_at: float | None = None
        now = time.time()
        self._report = FlusherHeartbeat(
            pid=os.getpid(),
            started_at=now,
            at=now,
            flushed_at=None,
            entries=0,
            predictions=0,
            backlog_bytes=waiting_bytes(spool),
            set_aside=0,
            error="",
            failing_since=None,
            duties={},
        )

    @classmethod
    def of(cls, spool: Path, environment: Mapping[str, str], stop: threading.Event) -> Self:
        """A keeper as the environment says.

        Raises:
            NoriaError: it does not say where predictions are kept.
        """
        url = environment.get(PREDICTIONS_URL)
        if not url:
            raise NoriaError(
                "no place is named where predictions are kept",
                where=f"environment variable {PREDICTIONS_URL}",
                fix=f"set {PREDICTIONS_URL} to a SQLAlchemy URL, such as sqlite:////data/predictions.db",
            )
        serving = ServingConfig.model_validate_json(environment.get(SERVING) or "{}")
        service = environment.get(SERVICE_DIR)
        return cls(
            spool, url, serving, scheduled_tasks(Path(service) if service else None, spool, serving.privacy), stop
        )

    def run(self) -> None:
        """Flush again and again."""
        give_back_memory()
        gc.set_threshold(_NEW_OBJECTS)  # rows come by the thousand and are no rubbish
        logger.info("process %d keeps %s", os.getpid(), self._spool)
        self._beat()
        while True:
            is_needed = writers_live(self._spool)
            self._flush()
            self._beat(now=True)
            if self._stop.is_set() or not (is_needed or self._may_go_on()):
                break
            self._pause()
        self._store.close()
        logger.info("ends; %d bytes wait for the next start", self._report.backlog_bytes)

    def _may_go_on(self) -> bool:
        """Is there work that can be done without any worker?"""
        return not self._failures and self._report.backlog_bytes > 0

    def _flush(self) -> None:
        before = self._moved.predictions
        self._processors.leave_to_writers(self._spool)
        try:
            store = self._store.open()
            Flusher(self._spool, store, self._is_over).flush(self._moved)
        except NoriaError as error:
            self._fail(error.what, str(error))
        except Exception as error:
            logger.exception("an unexpected error")
            self._fail(f"an unexpected error: {error}", "")
        else:
            for duty in self._duties:
                duty.see_to(store)
            if self._failures:
                logger.info("the prediction store works again")
            self._failures = 0
            self._change(
                flushed_at=time.time(),
                error="",
                failing_since=None,
                duties={duty.name: duty.error for duty in self._duties if duty.error},
            )

        self._slim(self._moved.predictions - before)

    def _slim(self, rows: int) -> None:
        """After an outage many rows come at once; once they are through, what they took is free again."""
        if self._is_swollen and rows < _MANY_ROWS:
            give_back_memory()
        self._is_swollen = rows >= _MANY_ROWS

    def _is_over(self) -> bool:
        """Has it been asked to end, and had its time to move what is there? Asked often, so it tells how it goes."""
        self._beat()
        if self._stop.is_set():
            self._last_at = self._last_at or time.monotonic() + _DRAIN_S
        return self._last_at is not None and time.monotonic() > self._last_at

    def _fail(self, what: str, said: str) -> None:
        if said and what != self._report.error:
            logger.error("%s", said)
        self._failures += 1
        self._store.close()  # connect anew: the database may be another one by then
        self._change(error=what, failing_since=self._report.failing_since or time.time())

    def _pause(self) -> None:
        """Wait for the next round: longer after each failure, and no longer than anybody needs it."""
        pause_s = self._interval_s
        if self._failures:
            pause_s = max(pause_s, min(_LONGEST_PAUSE_S, self._interval_s * 2.0 ** min(self._failures, 20)))
        until = time.monotonic() + pause_s
        while (left := until - time.monotonic()) > 0:
            if self._stop.wait(min(left, _LOOK_S)) or not writers_live(self._spool):
                return
            self._beat()

    def _beat(self, *, now: bool = False) -> None:
        if not now and time.monotonic() - self._beat_at < _BEAT_S:
            return
        self._beat_at = time.monotonic()
        try:
            aside = sum(1 for _ in self._spool.glob("*.bad"))
            self._change(
                at=time.time(),
                entries=self._moved.entries,
                predictions=self._moved.predictions,
                backlog_bytes=waiting_bytes(self._spool),
                set_aside=aside,
            )
            write_heartbeat(self._spool, self._report)
        except OSError as error:  # a full disk, as a rule: the report is of less use than the keeper
            logger.error("the keeper's report cannot be written: %s", error)

    def _change(self, **changes: object) -> None:
        self._report = msgspec.structs.replace(self._report, **changes)
