"""Docker, as the tests use it."""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from app.images.project_images import PIPELINE, build, image_of
from app.servers import compose_platform
from noria.system.errors import NoriaError
from noria.system.workspace import PROJECT

BASE = "python:3.11-slim-bookworm"
STARTER = PROJECT.parent / "shared" / "scripts" / "docker-engine"
_START_S = 480


def docker(
    *arguments: str, check: bool = True, timeout_s: float = 120, given: str = ""
) -> subprocess.CompletedProcess[str]:
    """A docker command, its output as text; `given` is what it reads."""
    return subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=check, timeout=timeout_s, input=given
    )


def why_no_engine() -> str:
    """Start the engine where it can be had; else why it cannot."""
    if _works():
        return ""
    if not STARTER.is_file():
        return "no Docker engine runs, and nothing here can start one"
    try:
        done = subprocess.run(
            [str(STARTER)], capture_output=True, text=True, check=False, timeout=_START_S, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the Docker engine could not be started: {error}"
    if done.returncode == 0 and _works():
        return ""
    last = (done.stdout + done.stderr).strip().splitlines()[-1:]
    return f"the Docker engine could not be started: {' '.join(last) or done.returncode}"


def why_no_compose() -> str:
    """Why Compose cannot be had; it comes with Docker's own packages, and apart from Debian's."""
    try:
        compose_platform._command()
    except NoriaError as error:
        return error.what
    return ""


def _works() -> bool:
    """Does an engine run that has the base image, or the means to fetch it?"""
    try:
        if docker("info", check=False).returncode:
            return False
        return not docker("image", "inspect", BASE, check=False).returncode or not STARTER.is_file()
    except (OSError, subprocess.TimeoutExpired):
        return False


def pipeline_image() -> str:
    """The image of steps, named after its code, and kept: the next run of the tests has it at once."""
    with FileLock(Path(tempfile.gettempdir()) / "noria-test-image.lock"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_BUILDKIT", "0")  # the classic builder must do
        return build(PIPELINE, image_of(PIPELINE))  # by one process; for others it is in the builder's cache then


@dataclass(frozen=True)
class Container:
    """A running container of the service."""

    name: str
    url: str
    tokens: dict[str, str]

    def python(self, program: str) -> Any:
        """What a Python program prints in it, as JSON."""
        return json.loads(docker("exec", self.name, "python", "-c", program).stdout)

    def state(self) -> dict[str, Any]:
        """What Docker knows of it."""
        found: dict[str, Any] = json.loads(docker("inspect", "--format", "{{json .State}}", self.name).stdout)
        return found

    def log(self) -> str:
        """What it said."""
        said = docker("logs", self.name)
        return said.stdout + said.stderr


def address(name: str) -> str:
    """Where a container's port 3000 is reached."""
    return f"http://{docker('port', name, '3000').stdout.splitlines()[0]}"
