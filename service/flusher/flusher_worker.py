"""The loop of the flusher: flush, write the heartbeat, run scheduled tasks."""

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
from noria.predictions.spool.dead_letter import dead_letters
from noria.predictions.spool.flusher import Flusher, FlushResult
from noria.predictions.spool.heartbeat import FlusherHeartbeat, write_heartbeat
from noria.predictions.spool.offsets import waiting_bytes
from noria.predictions.spool.segments import writers_live
from noria.system.errors import NoriaError
from noria.system.log_rotation import SERVER_LOG, rotate_log
from service.flusher.cpu_affinity import CpuAffinity
from service.flusher.memory import give_back_memory
from service.flusher.reconnecting_store import ReconnectingStore
from service.flusher.scheduled_tasks import ScheduledTask, scheduled_tasks
from service.variables import PREDICTIONS_URL, SERVICE_DIR, SERVING

_MAX_PAUSE_S = 5.0
_POLL_S = 0.5
_DRAIN_S = 5.0
_HEARTBEAT_S = 1.0
_GC_THRESHOLD = 50_000
_LARGE_BATCH_ROWS = 5_000
logger = logging.getLogger("noria.flusher")


class FlusherWorker:
    """Flushes the spool until it is not needed any more."""

    def __init__(
        self,
        spool: Path,
        url: str,
        serving: ServingConfig,
        tasks: list[ScheduledTask],
        stop: threading.Event,
        *,
        log: Path | None = None,
    ) -> None:
        self._spool, self._tasks, self._stop, self._log = spool, tasks, stop, log
        self._interval_s = serving.spool.flush_interval_ms / 1000
        self._store = ReconnectingStore(url)
        self._cpu_affinity = CpuAffinity()
        self._result = FlushResult()
        self._failures = 0
        self._had_large_batch = False
        self._heartbeat_at = -_HEARTBEAT_S
        self._deadline: float | None = None
        now = time.time()
        self._heartbeat = FlusherHeartbeat(
            pid=os.getpid(),
            started_at=now,
            at=now,
            flushed_at=None,
            events=0,
            predictions=0,
            backlog_bytes=waiting_bytes(spool),
            dead_letters=0,
            error="",
            failing_since=None,
            task_errors={},
        )

    @classmethod
    def of(cls, spool: Path, environment: Mapping[str, str], stop: threading.Event) -> Self:
        """A flusher configured by the environment.

        Raises:
            NoriaError: the prediction store is not configured.
        """
        url = environment.get(PREDICTIONS_URL)
        if not url:
            raise NoriaError(
                "no prediction store is configured",
                code="predictions.url_missing",
                where=f"environment variable {PREDICTIONS_URL}",
                fix=f"set {PREDICTIONS_URL} to a SQLAlchemy URL, such as sqlite:////data/predictions.db",
            )
        serving = ServingConfig.model_validate_json(environment.get(SERVING) or "{}")
        service = Path(environment[SERVICE_DIR]) if environment.get(SERVICE_DIR) else None
        tasks = scheduled_tasks(service, spool, serving.privacy)
        return cls(spool, url, serving, tasks, stop, log=None if service is None else service / SERVER_LOG)

    def run(self) -> None:
        """Flush at intervals until a stop is requested or no worker is left."""
        give_back_memory()
        gc.set_threshold(_GC_THRESHOLD)  # events come by the thousand and are not garbage
        logger.info("process %d flushes %s", os.getpid(), self._spool)
        self._write_heartbeat()
        while True:
            # a round that was under way when the stop came may have missed the last events: one more is needed
            is_last, is_needed = self._stop.is_set(), writers_live(self._spool)
            self._flush()
            if self._log is not None:
                rotate_log(self._log)
            self._write_heartbeat(now=True)
            can_drain = self._heartbeat.backlog_bytes > 0 and not self._failures
            if is_last or not (is_needed or can_drain or self._stop.is_set()):
                break
            self._pause()
        self._store.close()
        logger.info("ends; %d bytes wait for the next start", self._heartbeat.backlog_bytes)

    def _flush(self) -> None:
        before = self._result.predictions
        self._cpu_affinity.avoid_writers(self._spool)
        try:
            store = self._store.open()
            Flusher(self._spool, store, self._should_stop).flush(self._result)
        except NoriaError as error:
            self._record_failure(error.what, str(error))
        except Exception as error:
            logger.exception("an unexpected error")
            self._record_failure(f"an unexpected error: {error}", "")
        else:
            for task in self._tasks:
                task.run_if_due(store)
            if self._failures:
                logger.info("the prediction store works again")
            self._failures = 0
            self._update_heartbeat(
                flushed_at=time.time(),
                error="",
                failing_since=None,
                task_errors={task.name: task.error for task in self._tasks if task.error},
            )

        self._release_memory(self._result.predictions - before)

    def _release_memory(self, rows: int) -> None:
        """After an outage many rows come at once; once they are stored, their memory is released."""
        if self._had_large_batch and rows < _LARGE_BATCH_ROWS:
            give_back_memory()
        self._had_large_batch = rows >= _LARGE_BATCH_ROWS

    def _should_stop(self) -> bool:
        """Whether a stop was requested and the drain timeout is over. Called often, so it writes heartbeats, too."""
        self._write_heartbeat()
        if self._stop.is_set():
            self._deadline = self._deadline or time.monotonic() + _DRAIN_S
        return self._deadline is not None and time.monotonic() > self._deadline

    def _record_failure(self, what: str, detail: str) -> None:
        if detail and what != self._heartbeat.error:
            logger.error("%s", detail)
        self._failures += 1
        self._store.close()  # reconnect: the database may have been replaced
        self._update_heartbeat(error=what, failing_since=self._heartbeat.failing_since or time.time())

    def _pause(self) -> None:
        """Wait for the next round: longer after each failure, and only while a worker is alive."""
        pause_s = self._interval_s
        if self._failures:
            pause_s = max(pause_s, min(_MAX_PAUSE_S, self._interval_s * 2.0 ** min(self._failures, 20)))
        until = time.monotonic() + pause_s
        while (left := until - time.monotonic()) > 0:
            if self._stop.wait(min(left, _POLL_S)) or not writers_live(self._spool):
                return
            self._write_heartbeat()

    def _write_heartbeat(self, *, now: bool = False) -> None:
        if not now and time.monotonic() - self._heartbeat_at < _HEARTBEAT_S:
            return
        self._heartbeat_at = time.monotonic()
        try:
            self._update_heartbeat(
                at=time.time(),
                events=self._result.events,
                predictions=self._result.predictions,
                backlog_bytes=waiting_bytes(self._spool),
                dead_letters=len(dead_letters(self._spool)),
            )
            write_heartbeat(self._spool, self._heartbeat)
        except OSError as error:  # usually a full disk: flushing matters more than the heartbeat
            logger.error("the heartbeat cannot be written: %s", error)

    def _update_heartbeat(self, **changes: object) -> None:
        self._heartbeat = msgspec.structs.replace(self._heartbeat, **changes)
