"""What goes wrong on purpose, and what the service's processes take of the memory meanwhile."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from noria.deployment.deployment_state import flusher_processes
from noria.system.processes import ProcessIdentity, alive
from noria.system.workspace import Workspace
from noria.traffic import activation

_SEED = 0
_LOOK_S = 1.0
WARM_S = 10.0
"""A worker counts as warm when it is so old, in seconds."""


@dataclass(frozen=True)
class Memory:
    """What one process held at one moment."""

    at: float
    """Seconds since the load began."""
    role: str
    """worker or keeper."""
    pid: int
    age_s: float
    bytes: int


@dataclass(frozen=True)
class Event:
    """Something that was done, in seconds since the load began."""

    at: float
    what: str


class Plan(threading.Thread):
    """Does what is planned, each thing at its time, and remembers when it did it."""

    def __init__(self, plan: list[tuple[float, str, Callable[[], object]]], began: float) -> None:
        super().__init__()
        self.events: list[Event] = []
        self.failure: BaseException | None = None
        self._plan, self._began = sorted(plan, key=lambda each: each[0]), began
        self._over = threading.Event()

    def run(self) -> None:
        """Follow the plan."""
        for at, what, do in self._plan:
            if self._over.wait(max(0.0, self._began + at - time.monotonic())):
                return
            begun = time.monotonic() - self._began
            try:
                done = do()
            except BaseException as error:  # told by whoever waits for the end
                self.failure = error
                return
            self.events.append(Event(begun, f"{what} {done or ''}".strip()))

    def end(self) -> None:
        """Do nothing more."""
        self._over.set()
        self.join()


class Watch(threading.Thread):
    """Looks at the memory of workers and keeper every second."""

    def __init__(self, workspace: Workspace, spool: Path, began: float) -> None:
        super().__init__()
        self.seen: list[Memory] = []
        self.began = began
        self._workspace, self._spool = workspace, spool
        self._over = threading.Event()

    def run(self) -> None:
        """Look until it is over."""
        while not self._over.wait(_LOOK_S):
            roles = [("worker", who) for who in workers(self._workspace)]
            roles += [("keeper", who) for who in flusher_processes(self._spool)]
            for role, who in roles:
                self._look(role, who)

    def end(self) -> None:
        """Look no more."""
        self._over.set()
        self.join()

    def _look(self, role: str, who: ProcessIdentity) -> None:
        try:
            used = psutil.Process(who.pid).memory_info().rss
        except psutil.Error:
            return
        at = time.monotonic() - self.began
        self.seen.append(Memory(at=at, role=role, pid=who.pid, age_s=time.time() - who.started, bytes=used))


class Killer:
    """Kills one worker after the other."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self._random = workspace, random.Random(_SEED)  # noqa: S311 - no secret

    def kill(self) -> str:
        """Kill any worker, as `kill -9` does; returns its pid."""
        found = sorted(workers(self._workspace))
        if not found:
            return "(none lived)"
        who = self._random.choice(found)
        os.kill(who.pid, signal.SIGKILL)
        return str(who.pid)


def workers(workspace: Workspace) -> list[ProcessIdentity]:
    """The workers that live."""
    told = [ProcessIdentity(each.pid, each.process_started) for each in activation.worker_reports(workspace.service)]
    return [who for who in told if alive(who) is not None]


def growth(seen: list[Memory], role: str, seconds: float, stopped: float) -> float | None:
    """How much more a warm process of this role held in the last fifth than before the store `stopped`, as a share.

    Both times it has the same work: while the store is away, the keeper has none. None: too few were warm.
    """
    warm = [each for each in seen if each.role == role and each.age_s > WARM_S]
    early = [each.bytes for each in warm if seconds / 10 <= each.at < stopped]
    late = [each.bytes for each in warm if each.at >= 4 * seconds / 5]
    if not early or not late:
        return None
    return _median(late) / _median(early) - 1


def _median(values: list[int]) -> float:
    return float(sorted(values)[len(values) // 2])
