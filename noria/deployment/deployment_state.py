"""The state of the deployment, kept in the workspace's `service/state.json`."""

import contextlib
from datetime import datetime
from pathlib import Path

import psutil
from pydantic import ValidationError

from noria.config.section import Section
from noria.deployment import container_command
from noria.deployment.server_settings import ServerSettings
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
_FLUSHER_MODULES = frozenset({"service.flusher.flusher_launcher", "service.keeper"})  # the latter before an upgrade
_FLUSHER_GRACE_S = 30.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - the address for a client of a server that listens on all


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
    """The PID namespace of the process; from another one it cannot be checked whether it is alive."""
    started_at: datetime
    rolled_at: datetime | None = None
    """When the plan was last changed, if it was."""
    log: Path
    ready: bool = False

    @property
    def url(self) -> str:
        """The URL for clients on this machine."""
        host = _EVERYWHERE.get(self.settings.host, self.settings.host)
        return f"http://[{host}]:{self.settings.port}" if ":" in host else f"http://{host}:{self.settings.port}"

    @property
    def has_remote_flusher(self) -> bool:
        """Whether the flusher of its spool is not visible from here."""
        return self.is_remote or bool(self.settings.image)

    @property
    def is_remote(self) -> bool:
        """Whether its process is not visible from here."""
        return self.namespace not in ("", namespace())

    @property
    def process(self) -> ProcessIdentity:
        """The server's main process; for a container, its `docker run`."""
        return ProcessIdentity(self.pid, self.process_started)


def read_state(workspace: Workspace) -> Deployment | None:
    """The running server of this use case. The state of a server that has ended is removed.

    A server whose processes are not visible from here is assumed to be running.
    """
    path = workspace.service / _STATE
    try:
        deployment = Deployment.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        path.replace(path.with_name(path.name + ".bad"))
        progress.warn(f"{path} could not be read and is set aside as {path.name}.bad")
        if orphans := _orphaned_servers(workspace.service):
            progress.warn(f"its server still runs (process {orphans[0].pid}): `stop` ends it, `deploy` replaces it")
        return None
    except OSError as error:
        raise NoriaError(
            f"the deployment's state cannot be read: {error.strerror}",
            code="deployment.state_unreadable",
            where=str(path),
            fix="free or unlock that path",
        ) from error
    if not deployment.is_remote and alive(deployment.process) is None:
        if deployment.settings.image:  # it may outlive its `docker run`
            container_command.remove(workspace)
        remove_state(workspace, deployment.settings.spool)
        return None
    return deployment


def save_state(workspace: Workspace, deployment: Deployment) -> Deployment:
    """Write the deployment."""
    write_text(workspace.service / _STATE, deployment.model_dump_json(indent=1))
    return deployment


def remove_state(workspace: Workspace, spool: Path | None = None) -> None:
    """Remove the state of the deployment.

    Orphaned workers and servers are ended, and then the flusher of their spool (default: the one in the service
    folder), which first moves to the prediction store what it can within its timeout.
    """
    folder = workspace.service
    flushers = flusher_processes(spool or folder / "spool")
    end([*_orphaned_servers(folder), *_worker_processes(folder)], grace_s=5, spare=flushers)
    end(flushers, grace_s=_FLUSHER_GRACE_S)
    with contextlib.suppress(NoriaError):  # an unreadable plan cannot be remembered
        plan = activation.read_plan(folder)
        if plan is not None:
            plan_history.remember_plan(folder, plan)
    (folder / _STATE).unlink(missing_ok=True)
    activation.clear_plan(folder)


def stop_orphans(workspace: Workspace) -> bool:
    """End a server that is known by its workers only; False if there is none."""
    if not _orphaned_servers(workspace.service):
        return False
    remove_state(workspace)
    return True


def flusher_processes(spool: Path) -> list[ProcessIdentity]:
    """The process that moves a spool to the prediction store, if it is alive."""
    heartbeat = read_heartbeat(spool)
    if heartbeat is None:
        return []
    try:
        process = psutil.Process(heartbeat.pid)
        runs_flusher = not _FLUSHER_MODULES.isdisjoint(process.cmdline())
        is_its = runs_flusher and process.environ().get(_SPOOL_DIR) == str(spool.resolve())
        return [identity(heartbeat.pid)] if is_its else []
    except psutil.Error:
        return []


def _worker_processes(folder: Path) -> list[ProcessIdentity]:
    return [ProcessIdentity(worker.pid, worker.process_started) for worker in activation.worker_reports(folder)]


def _orphaned_servers(folder: Path) -> list[ProcessIdentity]:
    """The parents of live workers, if they were started for this folder."""
    found: dict[int, ProcessIdentity] = {}
    for process_identity in _worker_processes(folder):
        worker = alive(process_identity)
        if worker is None:
            continue
        with contextlib.suppress(psutil.Error):
            server = worker.parent()
            if server is not None and server.environ().get("NORIA_SERVICE_DIR") == str(folder):
                found[server.pid] = identity(server.pid)
    return list(found.values())


def spool_in_use(workspace: Workspace) -> Path:
    """The spool of the prediction store that `NORIA_PREDICTIONS_URL` names, whether a server runs or not.

    Raises:
        NoriaError: the running server uses another prediction store.
    """
    running = read_state(workspace)
    if running is None:
        return workspace.spool
    wanted = shown_url(workspace.predictions_url)
    if running.settings.predictions_url != wanted:
        raise NoriaError(
            f"the running service uses another prediction store: {running.settings.predictions_url}",
            code="predictions.store_elsewhere",
            where=wanted,
            fix="set NORIA_PREDICTIONS_URL as it was when the service was deployed",
        )
    return running.settings.spool
