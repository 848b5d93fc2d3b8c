"""The heartbeat of the flusher, for readiness, metrics and `status`.

File names and JSON keys are those of earlier versions, whose processes may run beside this one during an upgrade."""

import contextlib
import os
import tempfile
from pathlib import Path

import msgspec

_FILE = "keeper.json"
FLUSHER_LOCK = "keeper.lock"
"""The process that holds the lock of this file in the spool's folder is its flusher."""


class FlusherHeartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the flusher. Times are seconds since 1970."""

    pid: int
    started_at: float
    at: float
    """When this was written, once or twice a second."""
    flushed_at: float | None
    """When the whole backlog was last moved to the store."""
    events: int = msgspec.field(name="entries")
    """Moved since it started."""
    predictions: int
    """Moved since it started."""
    backlog_bytes: int
    """Bytes that wait for the store."""
    dead_letters: int = msgspec.field(name="set_aside")
    """Files with bytes that the store could not take."""
    error: str
    """Why the store fails; empty: it works."""
    failing_since: float | None
    task_errors: dict[str, str] = msgspec.field(name="duties")
    """The errors of scheduled tasks, by task name; empty: none."""


def write_heartbeat(folder: Path, heartbeat: FlusherHeartbeat) -> None:
    """Replace the heartbeat atomically. It needs no sync: a heartbeat from before a power cut is useless."""
    handle, name = tempfile.mkstemp(prefix=f".{_FILE}.", dir=folder)
    try:
        with os.fdopen(handle, "wb") as part:
            part.write(msgspec.json.encode(heartbeat))
        Path(name).replace(folder / _FILE)
    except OSError:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def read_heartbeat(folder: Path) -> FlusherHeartbeat | None:
    """The latest heartbeat of the flusher of this spool; None if there is none that can be read."""
    try:
        return msgspec.json.decode((folder / _FILE).read_bytes(), type=FlusherHeartbeat)
    except (OSError, msgspec.MsgspecError):
        return None


def waiting_s(folder: Path, now: float) -> float:
    """For how many seconds events have waited for the store, by the flusher's heartbeat; 0: none wait.

    Args:
        folder: the spool's.
        now: seconds since 1970.
    """
    heartbeat = read_heartbeat(folder)
    if heartbeat is None or not heartbeat.backlog_bytes:
        return 0.0
    return max(0.0, now - (heartbeat.flushed_at or heartbeat.started_at))
