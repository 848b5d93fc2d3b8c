"""Scheduled tasks of the flusher: the work that is done once per service, not once per worker."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from noria.config.serving import PrivacyConfig
from noria.predictions.spool.dead_letter import remove_dead_letters
from noria.predictions.store import PredictionStore
from noria.system.errors import NoriaError
from noria.traffic.activation import read_plan

_CANARY_S = 2.0
_DAY_S = 86_400.0
logger = logging.getLogger("noria.flusher")


class ScheduledTask:
    """A task that is run every `every_s` seconds, first at once.

    With `in_thread` it runs in a thread of its own, so that flushing does not wait for it.
    """

    def __init__(
        self, name: str, every_s: float, work: Callable[[PredictionStore], None], *, in_thread: bool = False
    ) -> None:
        self.name, self._every_s, self._work, self._row_threads = name, every_s, work, in_thread
        self._due_at = time.monotonic()
        self._thread: threading.Thread | None = None
        self.error = ""
        """The error of the last run; empty: it succeeded."""

    def run_if_due(self, store: PredictionStore) -> None:
        """Run the task, or start its thread, if it is due. It raises nothing, so that flushing continues."""
        if time.monotonic() < self._due_at or (self._thread is not None and self._thread.is_alive()):
            return
        self._due_at = time.monotonic() + self._every_s
        if self._row_threads:
            self._thread = threading.Thread(target=self._run, args=(store,), name=self.name, daemon=True)
            self._thread.start()
        else:
            self._run(store)

    def _run(self, store: PredictionStore) -> None:
        before, error = self.error, ""
        try:
            self._work(store)
        except NoriaError as expected:
            error = expected.what
        except Exception as unexpected:
            error = f"an unexpected error: {unexpected}"
            logger.exception("%s", self.name)
        if error and error != before:
            logger.error("%s: %s", self.name, error)
        self.error = error


def scheduled_tasks(service: Path | None, spool: Path, privacy: PrivacyConfig) -> list[ScheduledTask]:
    """The tasks of a service; without a service folder there is no canary."""
    tasks = []
    if service is not None:
        tasks.append(ScheduledTask("canary", _CANARY_S, lambda store: _watch_canary(service, store)))
    if privacy.keep_days is not None:
        tasks.append(ScheduledTask("retention", _DAY_S, lambda store: _retain(spool, privacy, store), in_thread=True))
    return tasks


def _watch_canary(service: Path, store: PredictionStore) -> None:
    plan = read_plan(service)
    if plan is None or plan.canary is None:
        return
    from noria.traffic.canary import run_canary  # its imports are heavy, and few services have a canary

    run_canary(service, store)


def _retain(spool: Path, privacy: PrivacyConfig, store: PredictionStore) -> None:
    from noria.predictions.retention import retain

    now = datetime.now(UTC)
    retain(store, privacy, now)
    if privacy.keep_days is not None:
        remove_dead_letters(spool, now - timedelta(days=privacy.keep_days))
