"""Starting and stopping the server: one process with its workers, detached from whoever starts it."""

import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from noria import handover, progress
from noria.client import Client
from noria.deployment import container
from noria.deployment.code import code_digest, source_of
from noria.deployment.logs import fresh_log, last_lines
from noria.deployment.state import Deployment, Settings, forget, forget_lost, keepers, save, state
from noria.errors import NoriaError
from noria.locks import only_one
from noria.processes import Identity, alive, end, identity, listener, namespace
from noria.traffic import history
from noria.workspace import Workspace

_POLL_S = 0.2
_GRACE_S = 20.0


def start(
    workspace: Workspace,
    settings: Settings,
    bento: Path,
    *,
    order: handover.Activation,
    timeout_s: float,
) -> Deployment:
    """Start a server and wait until every worker answers; on any error, Ctrl-C too, nothing of it is left.

    Args:
        workspace: where its state and log are kept.
        settings: how it is started.
        bento: folder of the Bento that it runs.
        order: what it answers with.
        timeout_s: how long it may take, in seconds.

    Raises:
        NoriaError: the port is taken, the server dies, or it takes too long.
    """
    forget(workspace, settings.spool)
    _refuse_taken_port(settings)
    if settings.image:
        container.prepare(workspace, settings)
    handover.activate(workspace.service, order)
    history.forget_last(workspace.service, order)
    log = workspace.service / "server.log"
    process = _spawn(workspace, bento, settings, log)
    try:
        who = identity(process.pid)
        deployment = Deployment(
            use_case=workspace.use_case,
            version=order.champion.version,
            bento=bento,
            settings=settings,
            code=code_digest(source_of(bento)),
            pid=who.pid,
            process_started=who.started,
            namespace=namespace(),
            started_at=datetime.now(UTC),
            log=log,
        )
        save(workspace, deployment)
        wait_ready(workspace, deployment, timeout_s=timeout_s)
        return save(workspace, deployment.model_copy(update={"ready": True}))
    except BaseException:
        _abandon(workspace, process, settings)
        raise


def stop(workspace: Workspace) -> bool:
    """End the server with all its workers and check that they are gone; False if none was running.

    Requests that are under way are answered first.

    Raises:
        NoriaError: a process cannot be ended, or a deployment is under way.
    """
    with only_one("serve", workspace):
        return stop_now(workspace)


def stop_now(workspace: Workspace) -> bool:
    """`stop` for whoever holds the lock."""
    deployment = state(workspace)
    if deployment is None:
        return forget_lost(workspace)
    end([deployment.process], grace_s=_GRACE_S, spare=keepers(deployment.settings.spool))
    if deployment.settings.image:
        container.remove(workspace)
    forget(workspace, deployment.settings.spool)
    return True


def wait_ready(workspace: Workspace, deployment: Deployment, *, timeout_s: float) -> None:
    """Wait until every worker has followed the order that stands and the server answers.

    Raises:
        NoriaError: the server dies, a worker cannot follow, or `timeout_s` seconds are over.
    """
    began = time.monotonic()
    with Client(deployment.url, timeout_s=2.0) as client:
        while True:
            if alive(deployment.process) is None:
                raise _died(deployment)
            if _all_follow(workspace.service, deployment.settings.workers) and client.ready():
                return
            waited = time.monotonic() - began
            if waited > timeout_s:
                raise NoriaError(
                    f"the server is not ready after {timeout_s:.0f} s; it said last:\n{last_lines(deployment.log)}",
                    where=str(deployment.log),
                    fix="look into the log, or raise serving.start_timeout_s",
                )
            progress.tick(f"waiting for the server at {deployment.url} ({waited:.0f} s)")
            time.sleep(_POLL_S)


def _abandon(workspace: Workspace, process: subprocess.Popen[bytes], settings: Settings) -> None:
    if process.poll() is None:
        end([identity(process.pid)], grace_s=5, spare=keepers(settings.spool))
    if settings.image:
        container.remove(workspace)
    forget(workspace, settings.spool)


def _all_follow(folder: Path, workers: int) -> bool:
    order = handover.activation(folder)  # read each time: a canary may have grown meanwhile
    serial = "" if order is None else order.serial
    reports = [worker for worker in handover.reports(folder) if worker.serial == serial]
    for worker in reports:
        if worker.error:
            raise NoriaError(
                f"the server cannot answer with this bundle: {worker.error}",
                where=str(folder / "server.log"),
                fix="mend that and deploy again",
            )
    return sum(map(_is_alive, reports)) >= workers


def _is_alive(worker: handover.WorkerReport) -> bool:
    """A worker in a container cannot be seen, but it did follow the order that stands."""
    if worker.namespace not in ("", namespace()):
        return True
    return alive(Identity(worker.pid, worker.process_started)) is not None


def _died(deployment: Deployment) -> NoriaError:
    return NoriaError(
        f"the server died; it said last:\n{last_lines(deployment.log)}",
        where=str(deployment.log),
        fix="mend what the log says and deploy again",
    )


def _refuse_taken_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            owner = listener(settings.port)
            raise NoriaError(
                f"the server cannot listen on port {settings.port}: {error.strerror}"
                + (f" by {owner}" if owner else ""),
                where=f"{settings.host}:{settings.port}",
                fix="stop that process, or choose another serving.port",
            ) from error


def _told(workspace: Workspace, settings: Settings) -> dict[str, str]:
    return {
        "BENTOML_DO_NOT_TRACK": "True",
        "NORIA_SERVICE_DIR": str(workspace.service),
        "NORIA_SPOOL_DIR": str(settings.spool),
        "NORIA_SERVING": settings.serving.model_dump_json(),
        "NORIA_PREDICTIONS_URL": workspace.predictions_url,
        "PYTHONUNBUFFERED": "1",
    }


def _spawn(workspace: Workspace, bento: Path, settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    told = _told(workspace, settings)
    if settings.image:
        command = container.command(workspace, settings, told)
    else:
        command = [sys.executable, "-m", "bentoml", "serve", str(bento)]
        command += ["--host", settings.host, "--port", str(settings.port)]
        told["BENTOML_HOME"] = str(workspace.service / "bentoml")
    with fresh_log(log) as output:
        return subprocess.Popen(  # noqa: S603 - our own command; it has a session of its own, so Ctrl-C here spares it
            command,
            cwd=source_of(bento),
            env=os.environ | told,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
