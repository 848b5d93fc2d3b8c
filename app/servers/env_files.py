"""Files of environment variables, one NAME=VALUE a line: a shell, Docker Compose and Noria read them alike."""

from collections.abc import Mapping
from pathlib import Path

from noria.system.files import write_private


def read(path: Path) -> dict[str, str]:
    """The variables that have a value there; none where there is no such file."""
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines) if value}


def write(path: Path, variables: Mapping[str, str]) -> None:
    """Write them for their owner alone, since secrets are among them.

    Raises:
        NoriaError: the file cannot be written.
    """
    write_private(path, "".join(f"{name}={value}\n" for name, value in variables.items()))
