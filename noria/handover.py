"""How a running server is told which bundle to answer with, and how its workers say that they do.

The service folder holds `active.json`, replaced atomically by whoever deploys, and `workers/PID.json`, replaced by
each worker. Files rather than requests: behind one socket nobody can choose which worker answers, and a worker that
cannot start answers nobody.
"""

import contextlib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field, ValidationError

from noria.config.base import Section
from noria.errors import NoriaError
from noria.files import write_text

_ACTIVE = "active.json"
_WORKERS = "workers"


class Activation(Section):
    """An order to answer with a bundle."""

    bundle: Path
    version: str
    serial: str = Field(default_factory=lambda: uuid.uuid4().hex)
    """Tells two orders apart, even for the same bundle."""
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class WorkerReport(Section):
    """What one worker process does."""

    pid: int
    process_started: float
    """When the process began, in seconds since 1970: with the pid it names a process for good."""
    serial: str
    """The order that it has followed; empty: it answers with the bundle it was built with."""
    version: str
    """The version it answers with; empty: it could not start."""
    error: str = ""
    """Why it could not follow the order."""


def activate(folder: Path, activation: Activation) -> None:
    """Order the workers of `folder` to answer with another bundle."""
    write_text(folder / _ACTIVE, activation.model_dump_json(indent=1))


def deactivate(folder: Path) -> None:
    """Take the order back: a new server answers with the bundle it was built with."""
    (folder / _ACTIVE).unlink(missing_ok=True)


def activation(folder: Path) -> Activation | None:
    """The order that stands, if there is one.

    Raises:
        NoriaError: `active.json` is not what Noria writes.
    """
    path = folder / _ACTIVE
    try:
        return Activation.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise NoriaError(
            f"the order to the server's workers cannot be read: {error}", where=str(path), fix="stop and deploy again"
        ) from error


def stamp(folder: Path) -> tuple[int, int] | None:
    """Changes whenever `active.json` does; one system call."""
    try:
        status = (folder / _ACTIVE).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def report(folder: Path, worker: WorkerReport) -> None:
    """Say what this worker does."""
    write_text(folder / _WORKERS / f"{worker.pid}.json", worker.model_dump_json())


def reports(folder: Path) -> list[WorkerReport]:
    """What the workers said last, those that have ended included."""
    return list(_read(folder / _WORKERS))


def clear(folder: Path) -> None:
    """Forget the order and all reports."""
    deactivate(folder)
    for path in (folder / _WORKERS).glob("*.json"):
        path.unlink(missing_ok=True)


def _read(folder: Path) -> Iterator[WorkerReport]:
    for path in sorted(folder.glob("*.json")):
        with contextlib.suppress(OSError, ValidationError):  # removed meanwhile
            yield WorkerReport.model_validate_json(path.read_bytes())
