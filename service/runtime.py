"""What one worker process holds: the models that answer, the spool, and an eye on what it is told."""

import logging
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from noria.predictions.spool.writer import SpoolWriter
from noria.system.errors import NoriaError
from noria.system.processes import identity, namespace
from noria.traffic.activation import TrafficPlan, WorkerReport, plan_version, read_plan, write_worker_report
from service.flusher.flusher_launcher import ensure_flusher
from service.flusher.memory import give_back_memory
from service.prediction.loaded_models import LoadedModels, load_models
from service.settings import Settings, service_dir

if TYPE_CHECKING:
    from noria.predictions import PredictionStore

_PARENT = os.getppid()
_LOOK_S = 0.2
logger = logging.getLogger("noria.service")
T = TypeVar("T")


class Runtime:
    """Starts with the worker. A thread watches for orders in the service folder, so that no request waits for them."""

    def __init__(self) -> None:
        self._settings: Settings | None = None
        self._active: LoadedModels | None = None
        self._spool: SpoolWriter | None = None
        self._store: PredictionStore | None = None
        self._store_turn = threading.Lock()
        self._ended = threading.Event()

    @property
    def settings(self) -> Settings:
        """What the environment says."""
        return _started(self._settings)

    @property
    def active(self) -> LoadedModels:
        """What answers now."""
        return _started(self._active)

    @property
    def spool(self) -> SpoolWriter:
        """Where answers are kept before they are sent."""
        return _started(self._spool)

    @property
    def store(self) -> "PredictionStore":
        """The prediction store, opened when it is first needed: no prediction needs it.

        Raises:
            NoriaError: it cannot be opened.
        """
        with self._store_turn:
            if self._store is None:
                from noria.predictions import PredictionStore

                self._store = PredictionStore(self.settings.predictions_url)
            return self._store

    @property
    def not_ready(self) -> str:
        """Why no answer can be given; empty: it can."""
        if self._active is None or self._spool is None:
            return "the service has not started yet"
        if self.settings.serving.spool.when_full == "drop":
            return ""
        if self._spool.full:
            return "as many answers wait for the prediction store as may wait"
        return "answers cannot be kept" if self._spool.failing else ""

    @property
    def flush_interval_s(self) -> float:
        """How often the keeper moves what waits, in seconds."""
        return self.settings.serving.spool.flush_interval_ms / 1000

    def start(self) -> None:
        """Open the spool, load the models and begin to watch.

        Raises:
            NoriaError: something of it does not work; the worker's report says so, too.
        """
        self._ended = threading.Event()
        folder = service_dir()
        seen = None if folder is None else plan_version(folder)
        order = None
        try:
            self._settings = Settings.from_environment()
            order = None if folder is None else read_plan(folder)
            self._active = load_models(order, self._settings, None)
            self._spool = SpoolWriter(self._settings.spool_dir, self._settings.serving.spool)
        except NoriaError as error:
            self._report(order, str(error))
            raise
        self._tell_slow()
        self._report(order)
        threading.Thread(target=self._watch, args=(folder, seen, self._ended), daemon=True).start()

    def stop(self) -> None:
        """Stop watching, and see that everything is on the disk."""
        self._ended.set()
        if self._spool is not None:
            self._spool.close()
        if self._store is not None:
            self._store.close()

    def _watch(self, folder: Path | None, seen: tuple[int, int] | None, ended: threading.Event) -> None:
        give_back_memory()
        while True:
            ensure_flusher(self.settings.spool_dir)
            if ended.wait(_LOOK_S):
                return
            if os.getppid() != _PARENT:  # killed outright: without it nobody would ever stop this worker
                os.kill(os.getpid(), signal.SIGTERM)
                return
            now = None if folder is None else plan_version(folder)
            if folder is not None and now is not None and now != seen:
                seen = now
                self._obey(folder)

    def _obey(self, folder: Path) -> None:
        order = None
        try:
            order = read_plan(folder)
            if order is not None:
                self._active = load_models(order, self.settings, self._active)
                self._tell_slow()
                self._report(order)
                give_back_memory()
        except NoriaError as error:  # whoever deploys reads it; the old models go on answering
            self._report(order, str(error))

    def _tell_slow(self) -> None:
        for predictor in self.active.predictors:
            if predictor.fast is None:
                logger.warning("%s (version %s) has no fast form and is slower", predictor.name, predictor.version)

    def _report(self, order: TrafficPlan | None, error: str = "") -> None:
        folder = service_dir()
        if folder is None:
            return
        me = identity(os.getpid())
        version = "" if self._active is None else self._active.champion.version
        serial = "" if order is None else order.serial
        said = WorkerReport(
            pid=me.pid,
            process_started=me.started,
            namespace=namespace(),
            serial=serial,
            version=version,
            error=error,
        )
        write_worker_report(folder, said)


def _started(part: T | None) -> T:
    if part is None:
        raise NoriaError("the service has not started yet", fix="try again in a moment")
    return part
