"""Seeing that the prediction store has everything that was answered."""

from noria.deployment.deployment_state import flusher_processes, state
from noria.predictions import PredictionStore
from noria.predictions.spool.backlog import wait_until_flushed
from noria.predictions.spool.flusher import Flusher
from noria.system import progress
from noria.system.workspace import Workspace

_KEEPER_S = 15.0


def wait_until_stored(workspace: Workspace) -> bool:
    """Wait until what was answered until now is in the prediction store; without a keeper it is moved here.

    False, with a warning, if some of it still waits.

    Raises:
        NoriaError: the prediction store does not work.
    """
    deployment = state(workspace)
    spool = workspace.spool if deployment is None else deployment.settings.spool
    is_kept = bool(flusher_processes(spool)) or (deployment is not None and deployment.keeps_itself)
    if wait_until_flushed(spool, _KEEPER_S if is_kept else 0.0):
        return True
    if not is_kept:
        store = PredictionStore(workspace.predictions_url)
        try:
            Flusher(spool, store).flush()
        finally:
            store.close()
    settled = wait_until_flushed(spool, 0.0)
    if not settled:
        progress.warn("some answers have not reached the prediction store yet, so they are not looked at")
    return settled
