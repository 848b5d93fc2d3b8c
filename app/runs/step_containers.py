"""Steps in containers of this machine: they see the workspace and the files of the run, and leave nothing behind."""

import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.stacks.definition import StackFile
from app.stacks.preflight.step_image import engine_findings, image_findings
from noria.config.load import ENVIRONMENT_VARIABLE
from noria.deployment.docker_cli import run_docker
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.workspace import PROJECT, home

FLAVOR = "local_docker"
_STORES = "ZENML_LOCAL_STORES_PATH"
_LABEL = "noria.run"
_LOGGER = "zenml.orchestrators.local_docker.local_docker_orchestrator"
_STARTED = re.compile(r"^Running step `(\w+)` in Docker")
_APP = Path("/app")
"""Where the image has the project; code that ZenML downloads lies in `code` there."""


@dataclass(frozen=True)
class MountedFiles:
    """Files of this machine that the steps of a run need, by what they do with them."""

    reads: Sequence[str] = ()
    """As the use case or the user names them: seen from the project folder, absolute, or a URL."""
    writes: Sequence[str] = ()
    """Absolute."""


@contextmanager
def in_containers(stack: StackFile, run: str, files: MountedFiles, client: Any) -> Iterator[dict[str, Any]]:
    """Arguments for each container of a run on a stack with `local_docker`; when it is over, no container is left.

    Containers run as the user of this process, so that what they write belongs to that user.

    Raises:
        NoriaError: the engine does not have the image.
    """
    for finding in (*engine_findings(stack.orchestrator.title), *image_findings(stack, client)):
        raise NoriaError(finding.what, code="stack.not_ready", where=f"stack `{stack.stack_name}`", fix=finding.fix)
    arguments = dict(stack.orchestrator.filled(os.environ).get("run_args") or {})
    arguments |= {
        "user": f"{os.getuid()}:{os.getgid()}",
        "labels": {_LABEL: run},
        "environment": {"NORIA_HOME": str(home()), **arguments.get("environment", {})},
        "volumes": {**_mounts(files, stack.noria.code), **arguments.get("volumes", {})},
    }
    if stack.noria.code == "artifact_store":  # the root filesystem may be read-only
        arguments["tmpfs"] = {str(_APP): ""} | (arguments.get("tmpfs") or {})
    try:
        with _shared_workspace(), _progress():
            yield arguments
    finally:
        _remove(run)


def _mounts(files: MountedFiles, code: str) -> dict[str, dict[str, str]]:
    """Folders and files by their place on this machine; ZenML mounts the workspace itself."""
    found: dict[str, dict[str, str]] = {}
    downloaded = _downloaded() if code == "artifact_store" else set()
    for written in files.reads:
        name = ENVIRONMENT_VARIABLE.sub(lambda match: os.environ.get(match[1], match[0]), written)
        place = (PROJECT / Path(name).expanduser()).resolve()
        if "://" not in name and place.exists() and not place.is_relative_to(home()) and str(place) not in downloaded:
            found[str(place)] = {"bind": str(_seen_as(Path(name), place, code)), "mode": "ro"}
    for name in files.writes:
        folder = Path(name).resolve().parent
        folder.mkdir(parents=True, exist_ok=True)  # the engine would make it, and give it to root
        found[str(folder)] = {"bind": str(folder), "mode": "rw"}
    return found


def _downloaded() -> set[str]:
    """What ZenML uploads of the project for steps to download; over it nothing can be mounted."""
    from zenml.utils.code_utils import CodeArchive

    return set(CodeArchive(str(PROJECT)).get_files().values())


def _seen_as(name: Path, place: Path, code: str) -> Path:
    """Steps look for what is named from the project folder in theirs."""
    project = _APP if code == "image" else _APP / "code"
    return place if name.is_absolute() or not place.is_relative_to(PROJECT) else project / place.relative_to(PROJECT)


@contextmanager
def _shared_workspace() -> Iterator[None]:
    """ZenML mounts the folder of its local stores into every container: let that be the whole workspace."""
    before = os.environ.get(_STORES)
    os.environ[_STORES] = str(home())
    try:
        yield
    finally:
        os.environ.pop(_STORES)
        if before is not None:
            os.environ[_STORES] = before


class _Relay(logging.Handler):
    """ZenML hands what containers print to its log."""

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        started = _STARTED.search(said)
        if started:
            progress.tick(f"step {started[1]} in a container")
        progress.relay(said)


@contextmanager
def _progress() -> Iterator[None]:
    log, relay = logging.getLogger(_LOGGER), _Relay(logging.INFO)
    log.addHandler(relay)
    try:
        yield
    finally:
        log.removeHandler(relay)


def _remove(run: str) -> None:
    """End what a signal left running, and remove what has ended."""
    listed = run_docker("ps", "--all", "--quiet", "--filter", f"label={_LABEL}={run}").stdout
    if left := listed.split():
        run_docker("rm", "--force", "--volumes", *left)
