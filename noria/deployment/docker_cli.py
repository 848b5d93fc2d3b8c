"""The Docker command line."""

import subprocess

from noria.system.errors import NoriaError


def run_docker(
    *arguments: str, shown: bool = False, timeout_s: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one Docker command.

    Args:
        arguments: of `docker`.
        shown: print its output instead of capturing it.
        timeout_s: the limit in seconds; None: no limit.

    Raises:
        NoriaError: Docker is not installed, or does not answer in time.
    """
    command = ["docker", *arguments]
    try:
        return subprocess.run(command, capture_output=not shown, text=True, timeout=timeout_s, check=False)  # noqa: S603
    except FileNotFoundError as error:
        raise NoriaError(
            "the command `docker` is not installed",
            code="deployment.docker_missing",
            where="docker",
            fix="install Docker, then start it",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise NoriaError(
            "the Docker engine does not answer", code="deployment.docker_unresponsive", where="docker", fix="restart it"
        ) from error
