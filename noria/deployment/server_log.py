"""The server's log."""

from pathlib import Path
from typing import BinaryIO

from noria.system.errors import NoriaError

_TAIL_BYTES = 64_000
_LINES = 12


def fresh_log(path: Path) -> BinaryIO:
    """Open a new log; the previous one is kept beside it as `.1`.

    Raises:
        NoriaError: it cannot be written.
    """
    try:
        if path.exists():
            path.replace(path.with_name(path.name + ".1"))
        return path.open("wb")
    except OSError as error:
        raise NoriaError(
            f"cannot write the server's log: {error.strerror}",
            code="deployment.log_unwritable",
            where=str(path),
            fix="free or unlock that path",
        ) from error


def last_lines(path: Path) -> str:
    """The last lines of a log, without the frames of tracebacks."""
    try:
        content = path.read_bytes()[-_TAIL_BYTES:].decode("utf-8", errors="replace")
    except OSError:
        return ""
    lines = [line for line in content.splitlines() if line.strip() and not line.startswith((" ", "Traceback"))]
    return "\n".join(lines[-_LINES:])
