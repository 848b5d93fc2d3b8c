"""Waiting until the prediction store has all predictions."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from noria.deployment.deployment_state import flusher_processes, read_state
from noria.deployment.server_settings import ServerSettings
from noria.predictions import PredictionStore
from noria.predictions.database import shown_url
from noria.predictions.spool.backlog import wait_until_flushed, waiting_events
from noria.predictions.spool.flusher import Flusher
from noria.predictions.spool.offsets import waiting_bytes
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace

_FLUSHER_TIMEOUT_S = 15.0
_REST_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Unflushed:
    """What a stopped service has left in its spool."""

    spool: Path
    predictions: int = 0
    labels: int = 0
    reason: str = ""
    """Why the prediction store does not have it; empty: there was no time, or nothing is left."""

    def __bool__(self) -> bool:
        return bool(self.predictions or self.labels)


def flush_rest(workspace: Workspace, settings: ServerSettings | None) -> Unflushed:
    """Move what a stopped server and its flusher have left in the spool, and count what cannot be moved.

    Args:
        workspace: where the server was.
        settings: of the server; None: not known.
    """
    spool = workspace.spool if settings is None else settings.spool
    try:
        if not spool.is_dir() or not waiting_bytes(spool):
            return Unflushed(spool)
        reason = _flushed(workspace, settings, spool)
        return Unflushed(spool, *waiting_events(spool), reason)
    except OSError as error:
        progress.warn(f"the spool {spool} cannot be read: {error.strerror}")
        return Unflushed(spool)


def _flushed(workspace: Workspace, settings: ServerSettings | None, spool: Path) -> str:
    """Move what waits; why that failed, or empty."""
    if settings is not None and settings.predictions_url != shown_url(workspace.predictions_url):
        return f"the service used another prediction store than this command: {settings.predictions_url}"
    until = time.monotonic() + _REST_TIMEOUT_S
    try:
        _flush_here(workspace, spool, lambda: time.monotonic() > until)
    except NoriaError as error:
        return error.what
    return ""


def _flush_here(workspace: Workspace, spool: Path, should_stop: Callable[[], bool] = lambda: False) -> None:
    """Move what waits in a spool to the prediction store, in this process."""
    store = PredictionStore(workspace.predictions_url)
    try:
        Flusher(spool, store, should_stop).flush()
    finally:
        store.close()


def wait_until_stored(workspace: Workspace) -> bool:
    """Wait until all predictions so far are in the prediction store; without a flusher they are moved here.

    Returns False, with a warning, if some are still in the spool.

    Raises:
        NoriaError: the prediction store does not work.
    """
    deployment = read_state(workspace)
    spool = workspace.spool if deployment is None else deployment.settings.spool
    has_flusher = bool(flusher_processes(spool)) or (deployment is not None and deployment.has_remote_flusher)
    if wait_until_flushed(spool, _FLUSHER_TIMEOUT_S if has_flusher else 0.0):
        return True
    if not has_flusher:
        _flush_here(workspace, spool)
    is_stored = wait_until_flushed(spool, 0.0)
    if not is_stored:
        progress.warn("some predictions have not reached the prediction store yet, so they are left out")
    return is_stored
