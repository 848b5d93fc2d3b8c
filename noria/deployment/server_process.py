"""Start and stop of the server: one process with its workers, detached from the process that starts it."""

import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from noria.client import Client
from noria.deployment import container_command
from noria.deployment.bento_code import code_digest, source_of
from noria.deployment.deployment_state import (
    Deployment,
    ServerSettings,
    flusher_processes,
    read_state,
    remove_state,
    save_state,
    stop_orphans,
)
from noria.deployment.server_log import fresh_log, last_lines
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.locks import exclusive
from noria.system.processes import ProcessIdentity, alive, end, identity, listener, namespace
from noria.system.workspace import Workspace
from noria.traffic import activation, plan_history

_POLL_S = 0.2
_GRACE_S = 20.0


def start(
    workspace: Workspace,
    settings: ServerSettings,
    bento: Path,
    *,
    plan: activation.TrafficPlan,
    timeout_s: float,
) -> Deployment:
    """Start a server and wait until every worker is ready; on any error, including Ctrl-C, it is removed again.

    Args:
        workspace: where its state and log are kept.
        settings: how it is started.
        bento: folder of the Bento that it runs.
        plan: which variants it serves.
        timeout_s: the limit in seconds.

    Raises:
        NoriaError: the port is taken, the server dies, or it takes too long.
    """
    remove_state(workspace, settings.spool)
    _check_port_free(settings)
    if settings.image:
        container_command.prepare(workspace, settings)
    activation.write_plan(workspace.service, plan)
    plan_history.forget_last(workspace.service, plan)
    log = workspace.service / "server.log"
    process = _spawn(workspace, bento, settings, log)
    try:
        process_identity = identity(process.pid)
        deployment = Deployment(
            use_case=workspace.use_case,
            version=plan.champion.version,
            bento=bento,
            settings=settings,
            code=code_digest(source_of(bento)),
            pid=process_identity.pid,
            process_started=process_identity.started,
            namespace=namespace(),
            started_at=datetime.now(UTC),
            log=log,
        )
        save_state(workspace, deployment)
        wait_ready(workspace, deployment, timeout_s=timeout_s)
        return save_state(workspace, deployment.model_copy(update={"ready": True}))
    except BaseException:
        _clean_up(workspace, process, settings)
        raise


def stop(workspace: Workspace) -> bool:
    """End the server with all its workers and check that they are gone; False if none was running.

    Requests in progress are answered first.

    Raises:
        NoriaError: a process cannot be ended, or a deployment is in progress.
    """
    with exclusive("serve", workspace):
        return stop_now(workspace)


def stop_now(workspace: Workspace) -> bool:
    """`stop` without taking the lock."""
    deployment = read_state(workspace)
    if deployment is None:
        return stop_orphans(workspace)
    end([deployment.process], grace_s=_GRACE_S, spare=flusher_processes(deployment.settings.spool))
    if deployment.settings.image:
        container_command.remove(workspace)
    remove_state(workspace, deployment.settings.spool)
    return True


def wait_ready(workspace: Workspace, deployment: Deployment, *, timeout_s: float) -> None:
    """Wait until every worker follows the current plan and the server answers.

    Raises:
        NoriaError: the server dies, a worker cannot follow, or `timeout_s` seconds pass.
    """
    began = time.monotonic()
    with Client(deployment.url, timeout_s=2.0) as client:
        while True:
            if alive(deployment.process) is None:
                raise _server_died(deployment)
            if _all_workers_follow(workspace.service, deployment.settings.workers) and client.ready():
                return
            waited = time.monotonic() - began
            if waited > timeout_s:
                raise NoriaError(
                    f"the server is not ready after {timeout_s:.0f} s; its last output:\n{last_lines(deployment.log)}",
                    code="deployment.not_ready",
                    where=str(deployment.log),
                    fix="see the log, or raise serving.start_timeout_s",
                )
            progress.tick(f"waiting for the server at {deployment.url} ({waited:.0f} s)")
            time.sleep(_POLL_S)


def _clean_up(workspace: Workspace, process: subprocess.Popen[bytes], settings: ServerSettings) -> None:
    if process.poll() is None:
        end([identity(process.pid)], grace_s=5, spare=flusher_processes(settings.spool))
    if settings.image:
        container_command.remove(workspace)
    remove_state(workspace, settings.spool)


def _all_workers_follow(folder: Path, workers: int) -> bool:
    plan = activation.read_plan(folder)  # read each time: a canary may have grown meanwhile
    plan_id = "" if plan is None else plan.plan_id
    reports = [worker for worker in activation.worker_reports(folder) if worker.plan_id == plan_id]
    for worker in reports:
        if worker.error:
            raise NoriaError(
                f"the server cannot answer with this bundle: {worker.error}",
                code="deployment.bundle_refused",
                where=str(folder / "server.log"),
                fix="correct that and deploy again",
            )
    return sum(map(_is_alive, reports)) >= workers


def _is_alive(worker: activation.WorkerReport) -> bool:
    """A worker in a container is not visible, but its report says that it follows the current plan."""
    if worker.namespace not in ("", namespace()):
        return True
    return alive(ProcessIdentity(worker.pid, worker.process_started)) is not None


def _server_died(deployment: Deployment) -> NoriaError:
    return NoriaError(
        f"the server died; its last output:\n{last_lines(deployment.log)}",
        code="deployment.server_died",
        where=str(deployment.log),
        fix="correct what the log reports and deploy again",
    )


def _check_port_free(settings: ServerSettings) -> None:
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
                code="deployment.port_taken",
                where=f"{settings.host}:{settings.port}",
                fix="stop that process, or choose another serving.port",
            ) from error


def _environment(workspace: Workspace, settings: ServerSettings) -> dict[str, str]:
    return {
        "BENTOML_DO_NOT_TRACK": "True",
        "NORIA_SERVICE_DIR": str(workspace.service),
        "NORIA_SPOOL_DIR": str(settings.spool),
        "NORIA_SERVING": settings.serving.model_dump_json(),
        "NORIA_PREDICTIONS_URL": workspace.predictions_url,
        "PYTHONUNBUFFERED": "1",
    }


def _spawn(workspace: Workspace, bento: Path, settings: ServerSettings, log: Path) -> subprocess.Popen[bytes]:
    environment = _environment(workspace, settings)
    if settings.image:
        command = container_command.command(workspace, settings, environment)
    else:
        command = [sys.executable, "-m", "bentoml", "serve", str(bento)]
        command += ["--host", settings.host, "--port", str(settings.port)]
        environment["BENTOML_HOME"] = str(workspace.service / "bentoml")
    with fresh_log(log) as output:
        return subprocess.Popen(  # noqa: S603 - our own command, in its own session, so that Ctrl-C does not reach it
            command,
            cwd=source_of(bento),
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
