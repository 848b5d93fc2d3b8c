"""Before a running server is ended for another one: everything that can keep the other one from starting is tried."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from noria.deployment import container_command
from noria.deployment.bento_code import source_of
from noria.deployment.deployment_state import Deployment
from noria.deployment.docker_cli import run_docker
from noria.deployment.server_address import require_port
from noria.deployment.server_log import require_log
from noria.deployment.server_process import server_variables
from noria.deployment.server_settings import ServerSettings
from noria.deployment.start_errors import start_refused
from noria.system import progress
from noria.system.errors import NoriaError, last_line
from noria.system.files import write_failure
from noria.system.log_rotation import SERVER_LOG
from noria.system.workspace import Workspace
from noria.traffic import activation

MODULE = "service.rehearsal"
_MISSING = f"No module named {MODULE}"


def rehearse(
    workspace: Workspace,
    before: Deployment,
    settings: ServerSettings,
    bento: Path,
    *,
    plan: activation.TrafficPlan,
    timeout_s: float,
) -> None:
    """Try in a process or container of its own what the new server will do when it starts; `before` runs on.

    Tried are its address, its log, its settings and tokens, every bundle, a prediction with each, and its spool.

    Args:
        workspace: where its state and log are kept.
        before: the running server.
        settings: of the new server.
        bento: folder of the Bento that it will run.
        plan: which variants it will serve.
        timeout_s: the limit in seconds.

    Raises:
        NoriaError: the new server could not start; the code is that of the reason.
    """
    require_port(settings, before)
    require_log(workspace.service / SERVER_LOG)
    _make_spool(settings.spool)
    try:
        with tempfile.TemporaryDirectory(prefix=".rehearsal-", dir=workspace.service) as folder:
            activation.write_plan(Path(folder), plan)
            said = _tried(workspace, settings, bento, Path(folder), timeout_s)
    except OSError as error:
        raise NoriaError(
            f"the server cannot start: cannot write: {write_failure(error)}",
            code="workspace.unwritable",
            where=str(error.filename or workspace.service),
            fix="free some space, or choose a folder that you may write to",
        ) from error
    if said:
        raise start_refused(said, workspace.service / SERVER_LOG)


def _make_spool(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # a Docker engine would create it as root
    except OSError as error:
        raise NoriaError(
            f"the server cannot start: the spool cannot be written: {write_failure(error)}",
            code="spool.unwritable",
            where=str(folder),
            fix="free some space, or choose a folder that the service may write to (NORIA_SPOOL_DIR)",
        ) from error


def read_outcome(done: subprocess.CompletedProcess[str]) -> str:
    """What a rehearsal has found.

    Args:
        done: its process; the last line of its output is a JSON object.

    Returns:
        Why the server could not start; empty: it could, or its code is older than rehearsals.
    """
    if done.returncode == 0:
        return ""
    for line in reversed(done.stdout.splitlines()):
        if line.startswith("{"):
            try:
                return str(json.loads(line)["error"])
            except (ValueError, KeyError):
                continue
    if _MISSING in done.stderr:
        progress.warn("the service's code is older than trial starts, so none was made")
        return ""
    return last_line(done.stderr)


def _tried(workspace: Workspace, settings: ServerSettings, bento: Path, folder: Path, timeout_s: float) -> str:
    """Why the server could not start; empty: it could."""
    environment = server_variables(workspace, settings) | {"NORIA_SERVICE_DIR": str(folder)}
    command, name = [sys.executable, "-m", MODULE], ""
    if settings.image:
        container_command.require_image(settings.image)
        name = f"{container_command.container_name(workspace)}-rehearsal"
        run_docker("rm", "--force", name)
        command = container_command.trial_command(workspace, settings, environment, name, MODULE)
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command,
            cwd=source_of(bento),
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise NoriaError(
            f"the server cannot start: {error.strerror}: {error.filename}",
            code="deployment.start_failed",
            where=str(bento),
            fix="deploy again",
        ) from error
    except subprocess.TimeoutExpired as error:
        if name:
            run_docker("rm", "--force", name)
        raise NoriaError(
            f"the server cannot start: a trial start took more than {timeout_s:.0f} s",
            code="deployment.not_ready",
            where="serving.start_timeout_s",
            fix="raise serving.start_timeout_s",
        ) from error
    return read_outcome(done)
