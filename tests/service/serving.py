"""What the tests of the service share."""

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noria.bundle import Bundle
from noria.client import Client
from noria.config import UseCase
from noria.deployment import Deployment, settle
from noria.predictions import PredictionStore
from noria.workspace import Workspace


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
        assert settle(self.workspace)
        return PredictionStore(self.workspace.predictions_url)
