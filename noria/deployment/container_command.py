"""The server in a container: the command that runs it, preparation and cleanup.

`docker run` stays in the foreground and represents the server: it forwards signals, writes the output to the log, and
ends with it. The use case's folder is mounted at the same path, so plan, reports, spool and store are found where
everything else looks for them.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence

from noria.bundle import Bundle
from noria.bundle.fast_format import FAST
from noria.config.load import ENVIRONMENT_VARIABLE
from noria.deployment.docker_cli import run_docker
from noria.deployment.server_settings import ServerSettings
from noria.deployment.service_secrets import TOKENS
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace

_CONTAINER_PORT = "3000"
_SECRETS = (*TOKENS, "NORIA_PRIVACY_KEY", "NORIA_PREDICTIONS_URL")
_HARDENING = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]  # noqa: S108


def container_name(workspace: Workspace) -> str:
    """One for each use case of each workspace."""
    digest = hashlib.sha256(str(workspace.service).encode()).hexdigest()[:8]
    return f"noria-{workspace.use_case}-{digest}"


def command(workspace: Workspace, settings: ServerSettings, environment: Mapping[str, str]) -> list[str]:
    """The command that runs the server in its image, as the user of this process and without privileges.

    It has its own network, so that no other container reaches it, and its port is published as the use case says.

    Args:
        workspace: where its state is kept.
        settings: how it is started.
        environment: of the server. Secrets are passed by name only and taken from the environment of this process,
            so that no process list shows them.
    """
    name = container_name(workspace)
    return [
        *_options(workspace, settings, environment, name),
        *["--add-host", "host.docker.internal:host-gateway"],
        *["--network", name, "--publish", f"{_shown(settings.host)}:{settings.port}:{_CONTAINER_PORT}"],
        settings.image,
        *["python", "-m", "bentoml", "serve", "service.service:Noria", "--host", "0.0.0.0", "--port", _CONTAINER_PORT],  # noqa: S104
    ]


def trial_command(
    workspace: Workspace, settings: ServerSettings, environment: Mapping[str, str], name: str, module: str
) -> list[str]:
    """The command that runs a module of the image as the server would run, with the same rights and folders.

    Args:
        workspace: where its state is kept.
        settings: how the server is started.
        environment: of the server, see `command`.
        name: of the container, which no network reaches.
        module: such as `service.rehearsal`.
    """
    options = _options(workspace, settings, environment, name)
    return [*options, "--network", "none", settings.image, "python", "-m", module]


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _options(workspace: Workspace, settings: ServerSettings, environment: Mapping[str, str], name: str) -> list[str]:
    folders = {str(workspace.folder), str(settings.spool)}
    named = [*_SECRETS, *ENVIRONMENT_VARIABLE.findall(environment.get("NORIA_PREDICTIONS_URL", ""))]
    return [
        *["docker", "run", "--rm", "--name", name, "--pull", "never", "--user", f"{os.getuid()}:{os.getgid()}"],
        *_HARDENING,
        *[part for folder in sorted(folders) for part in ("--volume", f"{folder}:{folder}")],
        *[part for key, value in environment.items() if key not in _SECRETS for part in ("--env", f"{key}={value}")],
        *[part for key in named for part in ("--env", key)],
    ]


def prepare(workspace: Workspace, settings: ServerSettings) -> None:
    """Remove an earlier container and create the network.

    Raises:
        NoriaError: Docker is not available, or has no such image.
    """
    require_image(settings.image)
    remove(workspace)
    settings.spool.mkdir(parents=True, exist_ok=True)  # otherwise the engine creates it, owned by root
    created = run_docker("network", "create", container_name(workspace))
    if created.returncode:
        raise NoriaError(
            f"Docker cannot create a network: {created.stderr.strip()}",
            code="deployment.network_failed",
            where="docker",
            fix="correct it",
        )


def require_image(name: str) -> None:
    """Check that the Docker engine has an image.

    Raises:
        NoriaError: Docker is not available, or has no such image.
    """
    if run_docker("image", "inspect", name).returncode:
        raise NoriaError(
            f"the Docker engine has no image `{name}`",
            code="deployment.image_missing",
            where="docker",
            fix="`make images` builds it",
        )


def remove(workspace: Workspace) -> None:
    """Remove the container and its network; it has already ended unless `docker run` was killed."""
    name = container_name(workspace)
    run_docker("rm", "--force", "--volumes", name)
    run_docker("network", "rm", name)


def require_fast_form(bundles: Sequence[Bundle]) -> None:
    """Check that all bundles have a fast form: the image has no training libraries.

    Raises:
        NoriaError: a bundle has none.
    """
    for bundle in bundles:
        if FAST not in bundle.manifest.files:
            raise NoriaError(
                "this model has no fast form, so it needs the training libraries, which the image lacks",
                code="bundle.fast_form_missing",
                where=str(bundle.folder),
                fix="train it again; if it still has none, serve it as a process: deploy --stack local",
            )
