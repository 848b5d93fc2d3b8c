"""What is deployed, kept in the workspace's `service/state.json`."""

import ipaddress
import socket
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from noria import handover, progress
from noria.config import UseCase
from noria.config.base import Section
from noria.errors import NoriaError
from noria.files import write_text
from noria.processes import Identity, alive, end
from noria.workspace import Workspace

_STATE = "state.json"
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where a client finds who listens everywhere


class Settings(Section):
    """What a server is started with; another value needs another server."""

    host: str
    port: int
    workers: int
    max_rows: int
    predictions_url: str

    @classmethod
    def of(cls, use_case: UseCase, workspace: Workspace) -> "Settings":
        """As the use case and the workspace say."""
        serving = use_case.serving
        return cls(
            host=_address(serving.host),
            port=serving.port,
            workers=serving.workers,
            max_rows=serving.max_rows,
            predictions_url=workspace.predictions_url,
        )


class Deployment(Section):
    """A running server."""

    use_case: str
    version: str
    """Version of the bundle that it answers with."""
    bento: Path
    """Folder of the Bento that it runs."""
    settings: Settings
    code: str
    """Digest of the code that it runs."""
    pid: int
    process_started: float
    """When the process began, in seconds since 1970."""
    started_at: datetime
    rolled_at: datetime | None = None
    """When it took over its present bundle, if it did not start with it."""
    log: Path
    ready: bool = False

    @property
    def url(self) -> str:
        """Where it is found."""
        host = _EVERYWHERE.get(self.settings.host, self.settings.host)
        return f"http://[{host}]:{self.settings.port}" if ":" in host else f"http://{host}:{self.settings.port}"

    @property
    def process(self) -> Identity:
        """The server's main process."""
        return Identity(self.pid, self.process_started)


def state(workspace: Workspace) -> Deployment | None:
    """The server that runs for this use case. What is known of a server that has ended is removed."""
    path = workspace.service / _STATE
    try:
        deployment = Deployment.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        progress.warn(f"{path} could not be read and is set aside as {path.name}.bad")
        path.replace(path.with_name(path.name + ".bad"))
        return None
    if alive(deployment.process) is None:
        forget(workspace)
        return None
    return deployment


def save(workspace: Workspace, deployment: Deployment) -> Deployment:
    """Keep what is deployed."""
    write_text(workspace.service / _STATE, deployment.model_dump_json(indent=1))
    return deployment


def forget(workspace: Workspace) -> None:
    """Nothing is deployed any more; workers that outlived their server are ended."""
    folder = workspace.service
    left = [Identity(worker.pid, worker.process_started) for worker in handover.reports(folder)]
    end(left, grace_s=5)
    (folder / _STATE).unlink(missing_ok=True)
    handover.clear(folder)


def _address(host: str) -> str:
    """BentoML listens on addresses only, not on names."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        try:
            return socket.gethostbyname(host)
        except OSError as error:
            raise NoriaError(
                f"serving.host `{host}` cannot be found", where="the use case", fix="write an address such as 127.0.0.1"
            ) from error
    return host
