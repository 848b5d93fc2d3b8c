"""Workers that end while a deployment waits for them: they are started again and again, and never get ready."""

import contextlib

import psutil

from noria.deployment.deployment_state import Deployment
from noria.system.processes import ProcessIdentity, alive

_WORKER = "bentoml_impl.worker"


class WorkerWatch:
    """Counts the workers of a server that have ended; it sees none of a container."""

    def __init__(self, deployment: Deployment) -> None:
        self._server = deployment.process
        self._seen: set[ProcessIdentity] = set()

    def ended(self) -> int:
        """How many workers have ended that were alive at an earlier call."""
        with contextlib.suppress(psutil.Error):
            server = alive(self._server)
            for child in server.children() if server is not None else ():
                self._look_at(child)
        return sum(alive(worker) is None for worker in self._seen)

    def _look_at(self, child: psutil.Process) -> None:
        with contextlib.suppress(psutil.Error):
            worker = ProcessIdentity(child.pid, child.create_time())
            if worker not in self._seen and any(_WORKER in part for part in child.cmdline()):
                self._seen.add(worker)
