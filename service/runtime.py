"""What one worker process holds: the bundle that answers, the store, and an eye on what it is told."""

import os
import signal
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from noria.api import Row
from noria.errors import NoriaError
from noria.handover import Activation, WorkerReport, activation, report, stamp
from noria.processes import identity

if TYPE_CHECKING:
    from noria.bundle import Bundle
    from noria.predictions import PredictionStore

SERVICE_DIR = "NORIA_SERVICE_DIR"
PREDICTIONS_URL = "NORIA_PREDICTIONS_URL"
_BUILT_IN = Path(__file__).resolve().parent.parent / "bundle"
_PARENT = os.getppid()
_LOOK_S = 0.2


@dataclass(frozen=True)
class Active:
    """The bundle that answers. A request takes it once, so that a change meanwhile does not touch it."""

    bundle: "Bundle"
    since: datetime
    example: Row
    """A real row, for the service's documentation."""
    variant: str = "champion"


class Runtime:
    """Starts with the worker. A thread watches for orders in the service folder, so that no request waits for them."""

    def __init__(self) -> None:
        self._active: Active | None = None
        self._store: PredictionStore | None = None
        self._ended = threading.Event()

    @property
    def active(self) -> Active:
        """The bundle that answers now."""
        if self._active is None:
            raise NoriaError("the service has not started yet", fix="try again in a moment")
        return self._active

    @property
    def store(self) -> "PredictionStore":
        """Where predictions and labels are kept."""
        if self._store is None:
            raise NoriaError("the service has not started yet", fix="try again in a moment")
        return self._store

    def start(self) -> None:
        """Open the store, load the bundle and begin to watch.

        Raises:
            NoriaError: either does not work; the worker's report says so, too.
        """
        self._ended = threading.Event()
        folder = _service_dir()
        seen = None if folder is None else stamp(folder)
        order = None
        try:
            order = None if folder is None else activation(folder)
            self._store = _open_store()
            self._follow(order)
        except NoriaError as error:
            self._report(folder, order, str(error))
            raise
        self._report(folder, order)
        if folder is not None:
            threading.Thread(target=self._watch, args=(folder, seen, self._ended), daemon=True).start()

    def stop(self) -> None:
        """Stop watching and close the store."""
        self._ended.set()
        if self._store is not None:
            self._store.close()

    def _follow(self, order: Activation | None) -> None:
        from noria.bundle import Bundle

        bundle = Bundle.load(_BUILT_IN if order is None else order.champion.bundle)
        self._active = Active(bundle, datetime.now(UTC), bundle.examples()[0])

    def _watch(self, folder: Path, seen: tuple[int, int] | None, ended: threading.Event) -> None:
        while not ended.wait(_LOOK_S):
            if os.getppid() != _PARENT:  # killed outright: without it nobody would ever stop this worker
                os.kill(os.getpid(), signal.SIGTERM)
                return
            now = stamp(folder)
            if now is not None and now != seen:
                seen = now
                self._obey(folder)

    def _obey(self, folder: Path) -> None:
        order = None
        try:
            order = activation(folder)
            if order is not None:
                self._follow(order)
                self._report(folder, order)
        except NoriaError as error:  # whoever deploys reads it; the old bundle goes on answering
            self._report(folder, order, str(error))

    def _report(self, folder: Path | None, order: Activation | None, error: str = "") -> None:
        if folder is None:
            return
        me = identity(os.getpid())
        version = "" if self._active is None else self._active.bundle.manifest.version
        serial = "" if order is None else order.serial
        report(
            folder,
            WorkerReport(pid=me.pid, process_started=me.started, serial=serial, version=version, error=error),
        )


def _service_dir() -> Path | None:
    folder = os.environ.get(SERVICE_DIR)
    return Path(folder) if folder else None


def _open_store() -> "PredictionStore":
    from noria.predictions import PredictionStore

    url = os.environ.get(PREDICTIONS_URL)
    if not url:
        raise NoriaError(
            "no place is named where predictions are kept",
            where=f"environment variable {PREDICTIONS_URL}",
            fix=f"set {PREDICTIONS_URL} to a SQLAlchemy URL, such as sqlite:////data/predictions.db",
        )
    return PredictionStore(url)
