"""Waiting until the prediction store has all predictions."""

from noria.deployment.deployment_state import flusher_processes, read_state
from noria.predictions import PredictionStore
from noria.predictions.spool.backlog import wait_until_flushed
from noria.predictions.spool.flusher import Flusher
from noria.system import progress
from noria.system.workspace import Workspace

_FLUSHER_TIMEOUT_S = 15.0


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
        store = PredictionStore(workspace.predictions_url)
        try:
            Flusher(spool, store).flush()
        finally:
            store.close()
    is_stored = wait_until_flushed(spool, 0.0)
    if not is_stored:
        progress.warn("some predictions have not reached the prediction store yet, so they are left out")
    return is_stored
