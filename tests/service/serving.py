"""What the tests of the service share."""

import socket
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from noria.bundle import Bundle
from noria.client import Client
from noria.config import UseCase
from noria.deployment import Deployment, wait_until_stored
from noria.predictions import PredictionStore
from noria.system.workspace import Workspace


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    return free_ports(1)[0]


def free_ports(number: int) -> list[int]:
    """Several of them, each another one."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [int(probe.getsockname()[1]) for probe in probes]


def processes_of(workspace: Workspace) -> list[int]:
    """Processes that were started for this workspace, whatever their parent."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("NORIA_SERVICE_DIR") == str(workspace.service):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def with_serving(use_case: UseCase, **changes: Any) -> UseCase:
    return use_case.model_copy(update={"serving": use_case.serving.model_copy(update=changes)})


@dataclass(frozen=True)
class Served:
    """A running server and what it serves."""

    use_case: UseCase
    workspace: Workspace
    bento: Path
    bundle: Bundle
    deployment: Deployment
    client: Client

    def store(self) -> PredictionStore:
        """The prediction store, with everything that was answered until now."""
        assert wait_until_stored(self.workspace)
        return PredictionStore(self.workspace.predictions_url)
