"""What the keeper does beside flushing: whatever must happen once per service, not once per worker."""

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
logger = logging.getLogger("noria.keeper")


class ScheduledTask:
    """Something to be done every `every_s` seconds, and for the first time at once.

    What may take long is done `aside`, in a thread, so that flushing does not wait for it.
    """

    def __init__(
        self, name: str, every_s: float, work: Callable[[PredictionStore], None], *, aside: bool = False
    ) -> None:
        self.name, self._every_s, self._work, self._aside = name, every_s, work, aside
        self._due_at = time.monotonic()
        self._thread: threading.Thread | None = None
        self.error = ""
        """Why it could not be done the last time; empty: it could."""

    def see_to(self, store: PredictionStore) -> None:
        """Do it, or begin it, if it is due. It raises nothing: flushing goes on without it."""
        if time.monotonic() < self._due_at or (self._thread is not None and self._thread.is_alive()):
            return
        self._due_at = time.monotonic() + self._every_s
        if self._aside:
            self._thread = threading.Thread(target=self._try, args=(store,), name=self.name, daemon=True)
            self._thread.start()
        else:
            self._try(store)

    def _try(self, store: PredictionStore) -> None:
        before, error = self.error, ""
        try:
            self._work(store)
        except NoriaError as known:
            error = known.what
        except Exception as unknown:
            error = f"an unexpected error: {unknown}"
            logger.exception("%s", self.name)
        if error and error != before:
            logger.error("%s: %s", self.name, error)
        self.error = error


def scheduled_tasks(service: Path | None, spool: Path, privacy: PrivacyConfig) -> list[ScheduledTask]:
    """Those of a service; without a folder of its own it has no canary."""
    found = []
    if service is not None:
        found.append(ScheduledTask("canary", _CANARY_S, lambda store: _watch_canary(service, store)))
    if privacy.keep_days is not None:
        found.append(ScheduledTask("retention", _DAY_S, lambda store: _retain(spool, privacy, store), aside=True))
    return found


def _watch_canary(service: Path, store: PredictionStore) -> None:
    order = read_plan(service)
    if order is None or order.canary is None:
        return
    from noria.traffic.canary import run_canary  # its statistics are heavy, and few services have one

    run_canary(service, store)


def _retain(spool: Path, privacy: PrivacyConfig, store: PredictionStore) -> None:
    from noria.predictions.retention import retain

    now = datetime.now(UTC)
    retain(store, privacy, now)
    if privacy.keep_days is not None:
        remove_dead_letters(spool, now - timedelta(days=privacy.keep_days))
