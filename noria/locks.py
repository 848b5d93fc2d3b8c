"""One command at a time where two would spoil each other's work."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from noria.errors import NoriaError
from noria.workspace import Workspace


@contextmanager
def only_one(action: str, workspace: Workspace) -> Iterator[None]:
    """Hold the lock of `action` (such as "train") on a use case; the system frees it if the process dies.

    Raises:
        NoriaError: another process holds it.
    """
    path = workspace.folder / f"{action}.lock"
    owner = workspace.folder / f"{action}.pid"
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        pid = owner.read_text(encoding="utf-8") if owner.is_file() else "?"
        raise NoriaError(
            f"another `{action}` of {workspace.use_case} is running (process {pid})",
            where=str(path),
            fix="wait until it has ended, or stop it with Ctrl-C",
        ) from error
    try:
        owner.write_text(str(os.getpid()), encoding="utf-8")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()
