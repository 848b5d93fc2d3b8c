"""Files of environment variables, one NAME=VALUE a line: a shell, Docker Compose and Noria read them alike."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from noria.system.errors import NoriaError
from noria.system.files import write_private

_READ_DIFFERENTLY = frozenset("'\\\r\n")
"""Signs that no way of quoting brings through to all three."""


def read(path: Path) -> dict[str, str]:
    """The variables that have a value there; none where there is no such file."""
    return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value}


def write(path: Path, variables: Mapping[str, str]) -> None:
    """Write them for their owner alone, since secrets are among them.

    Raises:
        NoriaError: the file cannot be written, or not all of its readers would read a value alike.
    """
    for name, value in variables.items():
        if _READ_DIFFERENTLY & set(value):
            raise NoriaError(
                "the value has a quote, a backslash or a line break, and not every program reads these alike",
                code="platform.value_not_portable",
                where=f"{name} for {path}",
                fix="choose another value",
            )
    write_private(path, "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items()))
