"""The state of one worker process: loaded models, spool, store, and a thread that follows the traffic plan."""

import logging
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from noria.predictions.spool.writer import SpoolWriter
from noria.system.errors import NoriaError, describe
from noria.system.processes import identity, namespace
from noria.traffic.activation import TrafficPlan, WorkerReport, plan_version, read_plan, write_worker_report
from service.flusher.flusher_launcher import ensure_flusher
from service.flusher.memory import give_back_memory
from service.prediction.history_refresh import HistoryRefresh
from service.prediction.loaded_models import LoadedModels, load_models
from service.settings import Settings, service_dir

if TYPE_CHECKING:
    from noria.predictions import PredictionStore

_PARENT = os.getppid()
_LOOK_S = 0.2
_STORE_TIMEOUT_MS = 1_000
"""A client waits so long for other writers of the store; then its labels go to the spool."""
_STORE_RESTS_S = 5.0
_REFRESH_S = 1.0
"""So old are the cases of other workers at most when history features are computed."""
logger = logging.getLogger("noria.service")
T = TypeVar("T")


class Runtime:
    """The state of a worker. A thread watches the plan in the service folder, so that no request waits for a change."""

    def __init__(self) -> None:
        self._settings: Settings | None = None
        self._active: LoadedModels | None = None
        self._spool: SpoolWriter | None = None
        self._store: PredictionStore | None = None
        self._store_lock = threading.Lock()
        self._store_rests_until = 0.0
        self._stopped = threading.Event()
        self._history = HistoryRefresh()
        self._refreshed = 0.0

    @property
    def settings(self) -> Settings:
        """The settings from the environment."""
        return _started(self._settings)

    @property
    def active(self) -> LoadedModels:
        """The models that answer now."""
        return _started(self._active)

    @property
    def spool(self) -> SpoolWriter:
        """Where predictions are recorded before they are sent."""
        return _started(self._spool)

    @property
    def store(self) -> "PredictionStore":
        """The prediction store, opened on first use: predictions do not need it.

        Raises:
            NoriaError: it cannot be opened.
        """
        with self._store_lock:
            if self._store is None:
                from noria.predictions import PredictionStore

                self._store = PredictionStore(self.settings.predictions_url, busy_timeout_ms=_STORE_TIMEOUT_MS)
            return self._store

    @property
    def store_rests(self) -> bool:
        """Whether the store failed a moment ago, so that no request should wait for it now."""
        return time.monotonic() < self._store_rests_until

    def rest_store(self) -> None:
        """Leave the store alone for some seconds."""
        self._store_rests_until = time.monotonic() + _STORE_RESTS_S

    @property
    def not_ready(self) -> str:
        """Why the service is not ready; empty: it is."""
        if self._active is None or self._spool is None:
            return "the service has not started yet"
        if self.settings.serving.spool.when_full == "drop":
            return ""
        if self._spool.full:
            return "the spool is full: too many predictions wait for the prediction store"
        return "predictions cannot be recorded" if self._spool.failing else ""

    @property
    def flush_interval_s(self) -> float:
        """The interval of the flusher, in seconds."""
        return self.settings.serving.spool.flush_interval_ms / 1000

    def start(self) -> None:
        """Open the spool, load the models and start watching the plan.

        Raises:
            NoriaError: a part of it fails; the worker's report contains the error, too, as it does any other.
        """
        self._stopped = threading.Event()
        folder = service_dir()
        seen = None if folder is None else plan_version(folder)
        plan = None
        try:
            plan = None if folder is None else read_plan(folder)
            self.load(plan)
        except Exception as error:
            self._report(plan, describe(error))
            raise
        self._warn_about_slow_models()
        self._report(plan)
        threading.Thread(target=self._watch, args=(folder, seen, self._stopped), daemon=True).start()

    def load(self, plan: TrafficPlan | None) -> None:
        """Read the settings, load the models of a plan, and open the spool.

        Args:
            plan: None: the bundle that was built in.

        Raises:
            NoriaError: a part of it fails.
        """
        self._settings = Settings.from_environment()
        self._active = self._with_history(load_models(plan, self._settings, None))
        self._spool = SpoolWriter(self._settings.spool_dir, self._settings.serving.spool)

    def stop(self) -> None:
        """Stop watching, and close spool and store."""
        self._stopped.set()
        if self._spool is not None:
            self._spool.close()
        if self._store is not None:
            self._store.close()

    def _watch(self, folder: Path | None, seen: tuple[int, int] | None, stopped: threading.Event) -> None:
        give_back_memory()
        while True:
            ensure_flusher(self.settings.spool_dir)
            if stopped.wait(_LOOK_S):
                return
            if os.getppid() != _PARENT:  # killed outright: nothing else would stop this worker
                os.kill(os.getpid(), signal.SIGTERM)
                return
            if time.monotonic() - self._refreshed > _REFRESH_S and not self.store_rests:
                self._with_history(self.active)
            now = None if folder is None else plan_version(folder)
            if folder is not None and now is not None and now != seen:
                seen = now
                self._follow_plan(folder)

    def _with_history(self, active: LoadedModels) -> LoadedModels:
        """The models, after their history features have been brought up to date; without the store they go on."""
        if active.histories:
            try:
                self._history.refresh(active, self.store)
            except NoriaError as error:
                logger.warning("history features lack the newest cases of other workers: %s", error)
                self.rest_store()
            self._refreshed = time.monotonic()
        return active

    def _follow_plan(self, folder: Path) -> None:
        plan = None
        try:
            plan = read_plan(folder)
            if plan is not None:
                self._active = self._with_history(load_models(plan, self.settings, self._active))
                self._warn_about_slow_models()
                self._report(plan)
                give_back_memory()
        except Exception as error:  # the deployment reads the report; the old models continue to answer
            if not isinstance(error, NoriaError):
                logger.exception("the traffic plan cannot be followed")
            self._report(plan, describe(error))

    def _warn_about_slow_models(self) -> None:
        for predictor in self.active.predictors:
            if predictor.fast is None:
                logger.warning("%s (version %s) has no fast form and is slower", predictor.name, predictor.version)

    def _report(self, plan: TrafficPlan | None, error: str = "") -> None:
        folder = service_dir()
        if folder is None:
            return
        me = identity(os.getpid())
        version = "" if self._active is None else self._active.champion.version
        plan_id = "" if plan is None else plan.plan_id
        report = WorkerReport(
            pid=me.pid,
            process_started=me.started,
            namespace=namespace(),
            plan_id=plan_id,
            version=version,
            error=error,
        )
        write_worker_report(folder, report)


def _started(part: T | None) -> T:
    if part is None:
        raise NoriaError("the service has not started yet", code="service.not_started", fix="try again in a moment")
    return part
