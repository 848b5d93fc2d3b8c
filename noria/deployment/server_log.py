"""The server's log."""

import os
from pathlib import Path
from typing import BinaryIO

from noria.system.errors import NoriaError
from noria.system.log_rotation import older_log

_TAIL_BYTES = 64_000
_LINES = 12


def fresh_log(path: Path) -> BinaryIO:
    """Open a new log; the previous one is kept beside it as `.1`. The flusher does the same when it gets too long.

    Raises:
        NoriaError: it cannot be written.
    """
    try:
        if path.exists():
            path.replace(older_log(path))
        return path.open("ab")
    except OSError as error:
        raise NoriaError(
            f"cannot write the server's log: {error.strerror}",
            code="deployment.log_unwritable",
            where=str(path),
            fix="free or unlock that path",
        ) from error


def require_log(path: Path) -> None:
    """Check that `fresh_log` will work.

    Raises:
        NoriaError: it will not.
    """
    kept = path.with_name(path.name + ".1")
    if path.is_dir() or kept.is_dir() or not os.access(path.parent, os.W_OK):
        raise NoriaError(
            "cannot write the server's log",
            code="deployment.log_unwritable",
            where=str(path),
            fix="free or unlock that path",
        )


def last_lines(path: Path) -> str:
    """The last lines of a log, without the frames of tracebacks."""
    try:
        content = path.read_bytes()[-_TAIL_BYTES:].decode("utf-8", errors="replace")
    except OSError:
        return ""
    lines = [line for line in content.splitlines() if line.strip() and not line.startswith((" ", "Traceback"))]
    return "\n".join(lines[-_LINES:])
