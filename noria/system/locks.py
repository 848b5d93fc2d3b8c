"""One command at a time where two would spoil each other's work."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from filelock import FileLock, Timeout

from noria.system.errors import NoriaError
from noria.system.workspace import Workspace


@contextmanager
def exclusive(action: str, workspace: Workspace) -> Iterator[None]:
    """Hold the lock of `action` (such as "train") on a use case; the system frees it if the process dies.

    Raises:
        NoriaError: another process holds it, or it cannot be written.
    """
    owner = workspace.folder / f"{action}.pid"
    lock = _acquired(action, workspace, timeout=0)
    try:
        owner.write_text(str(os.getpid()), encoding="utf-8")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


@contextmanager
def wait_lock(action: str, workspace: Workspace) -> Iterator[None]:
    """Wait until no other process is at the same; for what takes seconds.

    Raises:
        NoriaError: the lock cannot be written.
    """
    lock = _acquired(action, workspace, timeout=-1)
    try:
        yield
    finally:
        lock.release()


def holder(action: str, workspace: Workspace) -> int | None:
    """The process that holds the lock of `action`; None: none does, or that is not known."""
    owner = workspace.folder / f"{action}.pid"
    try:
        pid = int(owner.read_text(encoding="utf-8"))
        if not psutil.pid_exists(pid):
            return None  # it was killed; the lock is not tried, since a process that starts may want it now
        with FileLock(workspace.folder / f"{action}.lock", timeout=0):
            return None
    except Timeout:
        return pid
    except (OSError, ValueError):
        return None


def _acquired(action: str, workspace: Workspace, *, timeout: float) -> FileLock:
    path, owner = workspace.folder / f"{action}.lock", workspace.folder / f"{action}.pid"
    lock = FileLock(path, timeout=timeout)
    try:
        lock.acquire()
    except Timeout as error:
        pid = owner.read_text(encoding="utf-8") if owner.is_file() else "unknown"
        raise NoriaError(
            f"another `{action}` of {workspace.use_case} is running (process {pid})",
            code="workspace.locked",
            where=str(path),
            fix="wait until it has ended, or stop it with Ctrl-C",
        ) from error
    except OSError as error:
        raise NoriaError(
            f"cannot write the lock of `{action}`: {error.strerror}",
            code="workspace.lock_unwritable",
            where=str(path),
            fix="free or unlock that path",
        ) from error
    return lock
