"""The server in a container: the command that runs it, and what is left of it.

`docker run` stays in the foreground and stands for the server: it hands signals on to it, writes what it says to the
log, and ends with it. The use case's folder is at the same place inside, so orders, reports, spool and store are where
everything else looks for them.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from noria.bundle import Bundle
from noria.bundle.fast_format import FAST
from noria.config.load import ENVIRONMENT_VARIABLE
from noria.deployment.docker_cli import run_docker
from noria.deployment.service_secrets import TOKENS
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace

if TYPE_CHECKING:
    from noria.deployment.deployment_state import ServerSettings

_INSIDE = "3000"
_SECRET = (*TOKENS, "NORIA_PRIVACY_KEY", "NORIA_PREDICTIONS_URL")
_STRICT = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]  # noqa: S108


def container_name(workspace: Workspace) -> str:
    """One for each use case of each workspace."""
    digest = hashlib.sha256(str(workspace.service).encode()).hexdigest()[:8]
    return f"noria-{workspace.use_case}-{digest}"


def command(workspace: Workspace, settings: "ServerSettings", told: Mapping[str, str]) -> list[str]:
    """The command that runs the server in its image, as the user of this process and with nothing that it can do.

    It has a network of its own, so that no other container reaches it, and is published where the use case says.

    Args:
        workspace: where its state is kept.
        settings: how it is started.
        told: the environment of the server, secrets excepted: those are named and taken from this environment, so
            that no list of processes shows them.
    """
    name = container_name(workspace)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    folders = {str(workspace.folder), str(settings.spool)}
    named = [*_SECRET, *ENVIRONMENT_VARIABLE.findall(told.get("NORIA_PREDICTIONS_URL", ""))]
    return [
        *["docker", "run", "--rm", "--name", name, "--pull", "never", "--user", f"{os.getuid()}:{os.getgid()}"],
        *["--add-host", "host.docker.internal:host-gateway"],
        *[*_STRICT, "--network", name, "--publish", f"{host}:{settings.port}:{_INSIDE}"],
        *[part for folder in sorted(folders) for part in ("--volume", f"{folder}:{folder}")],
        *[part for key, value in told.items() if key not in _SECRET for part in ("--env", f"{key}={value}")],
        *[part for key in named for part in ("--env", key)],
        settings.image,
        *["python", "-m", "bentoml", "serve", "service.service:Noria", "--host", "0.0.0.0", "--port", _INSIDE],  # noqa: S104
    ]


def prepare(workspace: Workspace, settings: "ServerSettings") -> None:
    """Take away what is left of an earlier container, and make the network.

    Raises:
        NoriaError: Docker cannot be used, or has no such image.
    """
    if run_docker("image", "inspect", settings.image).returncode:
        raise NoriaError(
            f"the Docker engine has no image `{settings.image}`", where="docker", fix="`make images` builds it"
        )
    remove(workspace)
    settings.spool.mkdir(parents=True, exist_ok=True)  # the engine would make it, and give it to root
    made = run_docker("network", "create", container_name(workspace))
    if made.returncode:
        raise NoriaError(f"Docker makes no network: {made.stderr.strip()}", where="docker", fix="mend that")


def remove(workspace: Workspace) -> None:
    """Nothing of the container is left: it has ended by now, unless `docker run` was killed."""
    name = container_name(workspace)
    run_docker("rm", "--force", "--volumes", name)
    run_docker("network", "rm", name)


def require_fast_form(bundles: Sequence[Bundle]) -> None:
    """The image has no training libraries.

    Raises:
        NoriaError: a bundle needs them.
    """
    for bundle in bundles:
        if FAST not in bundle.manifest.files:
            raise NoriaError(
                "this model has no fast form, so it needs the training libraries, which the image has not",
                where=str(bundle.folder),
                fix="train it anew with this Noria; if it still has none, serve it as a process: deploy --stack local",
            )
