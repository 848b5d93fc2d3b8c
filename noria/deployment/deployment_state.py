"""What is deployed, kept in the workspace's `service/state.json`."""

import contextlib
import ipaddress
import socket
from datetime import datetime
from pathlib import Path

import psutil
from pydantic import ValidationError

from noria.config import UseCase
from noria.config.section import Section
from noria.config.serving import ServingConfig
from noria.deployment import container_command
from noria.deployment.service_secrets import require_tokens, secrets_fingerprint
from noria.predictions.database import shown_url
from noria.predictions.spool.heartbeat import read_heartbeat
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.files import write_text
from noria.system.processes import ProcessIdentity, alive, end, identity, namespace
from noria.system.workspace import Workspace
from noria.traffic import activation, plan_history

_STATE = "state.json"
_SPOOL_DIR = "NORIA_SPOOL_DIR"
_KEEPER_GRACE_S = 30.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where a client finds who listens everywhere


class ServerSettings(Section):
    """What a server is started with; another value needs another server."""

    host: str
    """Address that it listens on."""
    predictions_url: str
    """Without its password: this is written to a file."""
    spool: Path
    """Folder where answers wait for the prediction store."""
    serving: ServingConfig
    """Without what needs no other server: variants, canary, the patience of a start, the size of batches."""
    secrets: str
    """Fingerprint of the tokens and of the key."""
    image: str = ""
    """The image that it runs in; empty: it is a process of this machine."""

    @classmethod
    def of(cls, use_case: UseCase, workspace: Workspace, image: str = "") -> "ServerSettings":
        """As the use case, the workspace and the environment say.

        Raises:
            NoriaError: the host cannot be found, or others can reach it and no tokens are set.
        """
        host = _address(use_case.serving.host)
        require_tokens(host)
        defaults = ServingConfig()
        without = {name: getattr(defaults, name) for name in ("variants", "canary", "start_timeout_s", "batch_rows")}
        return cls(
            host=host,
            predictions_url=shown_url(workspace.predictions_url),
            spool=workspace.spool,
            serving=use_case.serving.model_copy(update=without),
            secrets=secrets_fingerprint(workspace.service),
            image=image,
        )

    @property
    def port(self) -> int:
        """Port that it listens on."""
        return self.serving.port

    @property
    def workers(self) -> int:
        """Server processes."""
        return self.serving.workers

    @property
    def max_rows(self) -> int:
        """Most rows in one request."""
        return self.serving.max_rows


class Deployment(Section):
    """A running server."""

    use_case: str
    version: str
    """Version of the champion."""
    bento: Path
    """Folder of the Bento that it runs."""
    settings: ServerSettings
    code: str
    """Digest of the code that it runs."""
    pid: int
    process_started: float
    """When the process began, in seconds since 1970."""
    namespace: str = ""
    """Where the process is seen; a step in a container cannot tell whether it is alive."""
    started_at: datetime
    rolled_at: datetime | None = None
    """When what answers was last changed, if it was."""
    log: Path
    ready: bool = False

    @property
    def url(self) -> str:
        """Where it is found."""
        host = _EVERYWHERE.get(self.settings.host, self.settings.host)
        return f"http://[{host}]:{self.settings.port}" if ":" in host else f"http://{host}:{self.settings.port}"

    @property
    def keeps_itself(self) -> bool:
        """The keeper of its spool cannot be seen from here."""
        return self.is_elsewhere or bool(self.settings.image)

    @property
    def is_elsewhere(self) -> bool:
        """Its process cannot be seen from here."""
        return self.namespace not in ("", namespace())

    @property
    def process(self) -> ProcessIdentity:
        """The server's main process; of a container, the `docker run` that stands for it."""
        return ProcessIdentity(self.pid, self.process_started)


def state(workspace: Workspace) -> Deployment | None:
    """The server that runs for this use case. What is known of a server that has ended is removed.

    A server whose processes cannot be seen from here is taken for one that runs.
    """
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
    if not deployment.is_elsewhere and alive(deployment.process) is None:
        if deployment.settings.image:  # it may outlive the `docker run` that stood for it
            container_command.remove(workspace)
        remove_state(workspace, deployment.settings.spool)
        return None
    return deployment


def save_state(workspace: Workspace, deployment: Deployment) -> Deployment:
    """Keep what is deployed."""
    write_text(workspace.service / _STATE, deployment.model_dump_json(indent=1))
    return deployment


def remove_state(workspace: Workspace, spool: Path | None = None) -> None:
    """Nothing is deployed any more.

    Workers that outlived their server are ended, a server that is lost, and then the keeper of their spool (default:
    the one in the service folder), which moves to the prediction store what it can within its time; the rest waits.
    """
    folder = workspace.service
    keeping = flusher_processes(spool or folder / "spool")
    end([*_lost(folder), *_workers(folder)], grace_s=5, spare=keeping)
    end(keeping, grace_s=_KEEPER_GRACE_S)
    with contextlib.suppress(NoriaError):  # an order that cannot be read is worth nothing
        order = activation.read_plan(folder)
        if order is not None:
            plan_history.remember_plan(folder, order)
    (folder / _STATE).unlink(missing_ok=True)
    activation.clear_plan(folder)


def stop_orphans(workspace: Workspace) -> bool:
    """End a server of which nothing but its workers is known; False if there is none."""
    if not _lost(workspace.service):
        return False
    remove_state(workspace)
    return True


def flusher_processes(spool: Path) -> list[ProcessIdentity]:
    """The process that moves a spool to the prediction store, if it is alive."""
    told = read_heartbeat(spool)
    if told is None:
        return []
    try:
        process = psutil.Process(told.pid)
        is_it = "service.flusher.flusher_launcher" in process.cmdline() and process.environ().get(_SPOOL_DIR) == str(
            spool.resolve()
        )
        return [identity(told.pid)] if is_it else []
    except psutil.Error:
        return []


def _workers(folder: Path) -> list[ProcessIdentity]:
    return [ProcessIdentity(worker.pid, worker.process_started) for worker in activation.worker_reports(folder)]


def _lost(folder: Path) -> list[ProcessIdentity]:
    """The servers of workers that are alive, as long as they were started for this folder."""
    found: dict[int, ProcessIdentity] = {}
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


def spool_in_use(workspace: Workspace) -> Path:
    """Where answers wait for the prediction store that `NORIA_PREDICTIONS_URL` names, whether a server runs or not.

    Raises:
        NoriaError: the running server keeps its predictions in another store.
    """
    running = state(workspace)
    if running is None:
        return workspace.spool
    wanted = shown_url(workspace.predictions_url)
    if running.settings.predictions_url != wanted:
        raise NoriaError(
            f"the running service keeps its predictions elsewhere: {running.settings.predictions_url}",
            where=wanted,
            fix="set NORIA_PREDICTIONS_URL as it was when the service was deployed",
        )
    return running.settings.spool
