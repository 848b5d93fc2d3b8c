"""What is deployed, kept in the workspace's `service/state.json`."""

import contextlib
import ipaddress
import socket
from datetime import datetime
from pathlib import Path

import psutil
from pydantic import ValidationError

from noria import handover, progress
from noria.config import UseCase
from noria.config.base import Section
from noria.errors import NoriaError
from noria.files import write_text
from noria.processes import Identity, alive, end, identity
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
        path.replace(path.with_name(path.name + ".bad"))
        progress.warn(f"{path} could not be read and is set aside as {path.name}.bad")
        if left := _lost(workspace.service):
            progress.warn(f"its server still runs (process {left[0].pid}): `stop` ends it, `deploy` takes its place")
        return None
    except OSError as error:
        raise NoriaError(
            f"what is deployed cannot be read: {error.strerror}", where=str(path), fix="free or unlock that path"
        ) from error
    if alive(deployment.process) is None:
        forget(workspace)
        return None
    return deployment


def save(workspace: Workspace, deployment: Deployment) -> Deployment:
    """Keep what is deployed."""
    write_text(workspace.service / _STATE, deployment.model_dump_json(indent=1))
    return deployment


def forget(workspace: Workspace) -> None:
    """Nothing is deployed any more; workers that outlived their server are ended, and a server that is lost."""
    folder = workspace.service
    end([*_lost(folder), *_workers(folder)], grace_s=5)
    (folder / _STATE).unlink(missing_ok=True)
    handover.clear(folder)


def forget_lost(workspace: Workspace) -> bool:
    """End a server of which nothing but its workers is known; False if there is none."""
    if not _lost(workspace.service):
        return False
    forget(workspace)
    return True


def _workers(folder: Path) -> list[Identity]:
    return [Identity(worker.pid, worker.process_started) for worker in handover.reports(folder)]


def _lost(folder: Path) -> list[Identity]:
    """The servers of workers that are alive, as long as they were started for this folder."""
    found: dict[int, Identity] = {}
    for who in _workers(folder):
        worker = alive(who)
        if worker is None:
            continue
        with contextlib.suppress(psutil.Error):
            server = worker.parent()
            if server is not None and server.environ().get("NORIA_SERVICE_DIR") == str(folder):
                found[server.pid] = identity(server.pid)
    return list(found.values())


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
