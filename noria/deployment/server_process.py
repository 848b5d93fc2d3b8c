"""Start and stop of the server: one process with its workers, detached from the process that starts it."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import psutil

from noria.client import Client
from noria.deployment import container_command
from noria.deployment.bento_code import code_digest, source_of
from noria.deployment.deployment_state import (
    Deployment,
    flusher_processes,
    read_state,
    remove_state,
    save_state,
    stop_orphans,
)
from noria.deployment.server_address import require_port
from noria.deployment.server_log import fresh_log, last_lines
from noria.deployment.server_settings import ServerSettings
from noria.deployment.start_errors import server_died, start_refused
from noria.deployment.worker_watch import WorkerWatch
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.locks import exclusive
from noria.system.log_rotation import SERVER_LOG
from noria.system.processes import ProcessIdentity, alive, end, identity, namespace
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
    inherited: Mapping[str, str] | None = None,
) -> Deployment:
    """Start a server and wait until every worker is ready; on any error, including Ctrl-C, it is removed again.

    Args:
        workspace: where its state and log are kept.
        settings: how it is started.
        bento: folder of the Bento that it runs.
        plan: which variants it serves.
        timeout_s: the limit in seconds.
        inherited: the environment of an earlier server, with its tokens; None: the environment of this process.

    Raises:
        NoriaError: the port is taken, the server dies or says why it cannot start, or it takes too long.
    """
    remove_state(workspace, settings.spool)
    require_port(settings)
    if settings.image:
        container_command.prepare(workspace, settings)
    activation.write_plan(workspace.service, plan)
    plan_history.forget_last(workspace.service, plan)
    log = workspace.service / SERVER_LOG
    process = _spawn(workspace, bento, settings, log, inherited)
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
        NoriaError: the server or its workers die, a worker cannot follow, or `timeout_s` seconds pass.
    """
    began, workers = time.monotonic(), WorkerWatch(deployment)
    with Client(deployment.url, timeout_s=2.0) as client:
        while True:
            is_alive = alive(deployment.process) is not None
            # a server that runs may lose a worker by chance; one that starts must not
            has_lost_workers = workers.ended() > (deployment.settings.workers if deployment.ready else 0)
            if _all_workers_follow(workspace.service, deployment) and client.ready():
                return
            if has_lost_workers or not is_alive:
                raise server_died(deployment.log)
            waited = time.monotonic() - began
            if waited > timeout_s:
                raise NoriaError(
                    f"the server is not ready after {timeout_s:.0f} s ({client.unready()}); its last output:\n"
                    f"{last_lines(deployment.log)}",
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


def _all_workers_follow(folder: Path, deployment: Deployment) -> bool:
    plan = activation.read_plan(folder)  # read each time: a canary may have grown meanwhile
    plan_id = "" if plan is None else plan.plan_id
    found = activation.worker_reports(folder)
    reports = [worker for worker in found if worker.plan_id == plan_id]
    for worker in reports if deployment.ready else found:  # one that cannot start may not have got to its plan
        if worker.error:
            raise _refused(worker, deployment)
    return sum(map(_is_alive, reports)) >= deployment.settings.workers


def _refused(worker: activation.WorkerReport, deployment: Deployment) -> NoriaError:
    if not deployment.ready:
        return start_refused(worker.error, deployment.log)
    return NoriaError(
        f"the server cannot answer with this bundle: {worker.error}",
        code="deployment.bundle_refused",
        where=str(deployment.log),
        fix="correct that and deploy again",
    )


def _is_alive(worker: activation.WorkerReport) -> bool:
    """A worker in a container is not visible, but its report says that it follows the current plan."""
    if worker.namespace not in ("", namespace()):
        return True
    return alive(ProcessIdentity(worker.pid, worker.process_started)) is not None


def environment_of(deployment: Deployment) -> dict[str, str] | None:
    """The environment that a running server was started with, with its tokens; None: it cannot be read."""
    try:
        process = alive(deployment.process)
        return None if process is None else process.environ()
    except psutil.Error:
        return None


def server_variables(workspace: Workspace, settings: ServerSettings) -> dict[str, str]:
    """The variables that say to a server where it keeps what, and how it serves."""
    return {
        "BENTOML_DO_NOT_TRACK": "True",
        "NORIA_SERVICE_DIR": str(workspace.service),
        "NORIA_SPOOL_DIR": str(settings.spool),
        "NORIA_SERVING": settings.serving.model_dump_json(),
        "NORIA_PREDICTIONS_URL": workspace.predictions_url,
        "PYTHONUNBUFFERED": "1",
    }


def _spawn(
    workspace: Workspace, bento: Path, settings: ServerSettings, log: Path, inherited: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    environment = server_variables(workspace, settings)
    if inherited is not None:  # the password of the prediction store is nowhere else
        environment = {name: inherited.get(name, value) for name, value in environment.items()}
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
            env=(os.environ if inherited is None else dict(inherited)) | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
