"""What the keeper says of itself, for readiness, metrics and `status`."""

import contextlib
import os
import tempfile
from pathlib import Path

import msgspec

_FILE = "keeper.json"
FLUSHER_LOCK = "keeper.lock"
"""Whoever holds the lock of this file in the spool's folder is its keeper."""


class FlusherHeartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """How far the keeper is. Times are seconds since 1970."""

    pid: int
    started_at: float
    at: float
    """When it last said so; twice a second to once a second while it lives."""
    flushed_at: float | None
    """When everything that was there had last been moved to the store."""
    entries: int
    """Moved since it started."""
    predictions: int
    """Moved since it started."""
    backlog_bytes: int
    """That wait for the store."""
    set_aside: int
    """Files with bytes that the store could not take."""
    error: str
    """Why the store does not take them; empty: it does."""
    failing_since: float | None
    duties: dict[str, str]
    """The errors of its other duties, by name; empty: none."""


def write_heartbeat(folder: Path, report: FlusherHeartbeat) -> None:
    """Replace the report atomically. It needs no sync: a report from before a power cut is of no use."""
    handle, name = tempfile.mkstemp(prefix=f".{_FILE}.", dir=folder)
    try:
        with os.fdopen(handle, "wb") as part:
            part.write(msgspec.json.encode(report))
        Path(name).replace(folder / _FILE)
    except OSError:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def read_heartbeat(folder: Path) -> FlusherHeartbeat | None:
    """What the keeper of this spool said last; None if there is nothing that can be read."""
    try:
        return msgspec.json.decode((folder / _FILE).read_bytes(), type=FlusherHeartbeat)
    except (OSError, msgspec.MsgspecError):
        return None


def waiting_s(folder: Path, now: float) -> float:
    """For how many seconds something has waited for the store, as the keeper says; 0: nothing does.

    Args:
        folder: the spool's.
        now: seconds since 1970.
    """
    told = read_heartbeat(folder)
    if told is None or not told.backlog_bytes:
        return 0.0
    return max(0.0, now - (told.flushed_at or told.started_at))
