"""All processes of one server, however it started them."""

import contextlib
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import psutil

TOKEN = "NORIA_BENCHMARK_SERVER"  # noqa: S105 - no secret
"""Environment variable that a server's processes inherit: also those that have left its process tree."""
_QUIET = 0.1
_LOOK_S = 0.5
Value = TypeVar("Value")


class Family:
    """The processes that carry a token."""

    def __init__(self, token: str) -> None:
        self.token = token

    def members(self) -> list[psutil.Process]:
        """Those that live."""
        return [process for process in psutil.process_iter() if self._belongs(process)]

    def cpu_seconds(self) -> float:
        """Processor time that they, and their children that have ended, have used so far."""
        return sum(_asked(partial(_cpu, process), 0.0) for process in self.members())

    def settle(self, limit_s: float) -> float:
        """Wait until they rest, for at most `limit_s` seconds; returns how long that took."""
        began = time.monotonic()
        before = self.cpu_seconds()
        while time.monotonic() - began < limit_s:
            time.sleep(_LOOK_S)
            now = self.cpu_seconds()
            if now - before < _QUIET * _LOOK_S:
                break
            before = now
        return time.monotonic() - began

    def end(self, grace_s: float = 10.0) -> None:
        """End them all: asked first, killed when `grace_s` seconds are over."""
        for process in self.members():
            with contextlib.suppress(psutil.Error):
                process.terminate()
        psutil.wait_procs(self.members(), grace_s)
        for process in self.members():
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(self.members(), grace_s)

    def _belongs(self, process: psutil.Process) -> bool:
        if _asked(process.status, psutil.STATUS_ZOMBIE) == psutil.STATUS_ZOMBIE:
            return False
        return _asked(lambda: process.environ().get(TOKEN) == self.token, False)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _asked(question: Callable[[], Value], otherwise: Value) -> Value:
    """The answer of a process, unless it has ended or belongs to someone else."""
    try:
        return question()
    except (psutil.Error, OSError):
        return otherwise
