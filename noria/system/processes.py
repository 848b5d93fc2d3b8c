"""Processes of the system: which are alive, and ending them with all they started."""

import contextlib
import os
import time
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import psutil

from noria.system.errors import NoriaError

_SAME_START_S = 1.0
_KILLED_WITHIN_S = 5.0
_POLL_S = 0.05
_LISTED = 80


class ProcessIdentity(NamedTuple):
    """A process for good: the system gives a pid again once its process has ended."""

    pid: int
    started: float
    """When it began, in seconds since 1970."""


def namespace() -> str:
    """Names the processes that are seen from here: in a container they are others. Empty where the system has no names.

    Outside containers it stays the same when the machine restarts.
    """
    try:
        return os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - it leads to no file
    except OSError:
        return ""


def identity(pid: int) -> ProcessIdentity:
    """The identity of a process that is alive."""
    return ProcessIdentity(pid, psutil.Process(pid).create_time())


def alive(who: ProcessIdentity) -> psutil.Process | None:
    """The process, unless it has ended or its pid belongs to another one now."""
    try:
        process = psutil.Process(who.pid)
        same = abs(process.create_time() - who.started) < _SAME_START_S
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def end(identities: Iterable[ProcessIdentity], grace_s: float, *, spare: Collection[ProcessIdentity] = ()) -> None:
    """End the processes and everything they started, but for those to `spare`.

    They are asked first, and killed when `grace_s` seconds are over.

    Raises:
        NoriaError: one of them cannot be ended.
    """
    roots = [process for who in identities if (process := alive(who)) is not None]
    spared = {who.pid for who in spare}
    family = _with_descendants(roots, spared)
    for process in roots:  # a server ends its own workers once their requests are answered
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    left = _with_descendants(_wait(family, grace_s), spared)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    left = _wait(left, _KILLED_WITHIN_S)
    if left:
        raise NoriaError(
            "processes do not end: " + ", ".join(str(process.pid) for process in left),
            code="deployment.process_not_ended",
            fix="end them by hand, as their owner or as root",
        )


def listener(port: int) -> str:
    """Who listens on a TCP port, as far as the system tells; empty if it does not."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            here = connection.laddr and connection.laddr.port == port
            if here and connection.status == psutil.CONN_LISTEN and connection.pid:
                return _described(connection.pid)
    return ""


def _wait(processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """The processes that are still alive when the time is over."""
    until = time.monotonic() + seconds
    left = list(processes)
    while left := [process for process in left if _runs(process)]:
        if time.monotonic() > until:
            break
        time.sleep(_POLL_S)
    return left


def _runs(process: psutil.Process) -> bool:
    with contextlib.suppress(ChildProcessError):  # reap it, if it is ours; else a dead child looks alive
        os.waitpid(process.pid, os.WNOHANG)
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _described(pid: int) -> str:
    try:
        command = " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        command = ""
    short = command if len(command) <= _LISTED else command[: _LISTED - 1] + "…"
    return f"process {pid} ({short})" if short else f"process {pid}"


def _with_descendants(processes: Sequence[psutil.Process], spared: Collection[int]) -> list[psutil.Process]:
    found = {process.pid: process for process in processes}
    for process in processes:
        with contextlib.suppress(psutil.Error):
            found |= {child.pid: child for child in process.children(recursive=True)}
    return [process for pid, process in found.items() if pid != os.getpid() and pid not in spared]
