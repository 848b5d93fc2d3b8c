"""What the keeper does beside flushing: whatever must happen once per service, not once per worker."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from noria.config.serving import Serving
from noria.errors import NoriaError
from noria.predictions.store import PredictionStore

logger = logging.getLogger("noria.keeper")


class Duty:
    """Something to be done every `every_s` seconds, and for the first time at once."""

    def __init__(self, name: str, every_s: float, work: Callable[[PredictionStore], None]) -> None:
        self.name, self._every_s, self._work = name, every_s, work
        self._due_at = time.monotonic()
        self.error = ""
        """Why it could not be done the last time; empty: it could."""

    def done(self, store: PredictionStore) -> bool:
        """Do it if it is due; False if it could not be done the last time. Flushing goes on without it."""
        if time.monotonic() >= self._due_at:
            self._due_at = time.monotonic() + self._every_s
            before, self.error = self.error, self._tried(store)
            if self.error and self.error != before:
                logger.error("%s: %s", self.name, self.error)
        return not self.error

    def _tried(self, store: PredictionStore) -> str:
        try:
            self._work(store)
        except NoriaError as error:
            return error.what
        except Exception as error:
            logger.exception("%s", self.name)
            return f"an unexpected error: {error}"
        return ""


def duties(service: Path | None, spool: Path, serving: Serving) -> list[Duty]:
    """Those that this service has."""
    return []
