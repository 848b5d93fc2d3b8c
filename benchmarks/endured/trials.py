"""One fault after the other under load: processes killed, folders removed, a full disk, slow clients."""

import math
import os
import shutil
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import psutil

from benchmarks.endured import faults
from benchmarks.endured.disks import Disk, small_disk
from benchmarks.endured.load import HOST, Load, Told
from benchmarks.endured.measure import environment, quantile
from benchmarks.endured.slow_clients import SlowClients
from benchmarks.endured.stores import Stoppable, held
from benchmarks.served.case import rows_to_send, use_case
from benchmarks.served.place import free_port
from noria.bundle import Bundle
from noria.config import UseCase
from noria.deployment import read_state, start_or_roll, stop
from noria.deployment.deployment_state import flusher_processes
from noria.predictions.ids import made_at
from noria.predictions.spool.backlog import wait_until_flushed
from noria.system.errors import NoriaError
from noria.system.processes import ProcessIdentity, identity
from noria.system.workspace import Workspace
from service.bento_build import build_bento

SHARE_OF_SATURATION = 0.5
"""Less than while workers are killed one by one: here something else is to show than how a full machine waits."""
MOST_P99 = 3.0
"""So many times their usual p99 others may wait beside slow clients."""
AFTER_FAULT_S = 3.0
"""A request that is refused so soon after a fault was refused because of it."""
_ROWS, _CLIENTS = 500, 16
_REMOVE_S = _GONE_S = 10.0
_POLL_S = 0.05


@dataclass(frozen=True)
class TrialTimes:
    """How long everything takes, in seconds."""

    saturation: float
    usual: float
    """The load before the fault, which tells the usual times."""
    fault: float
    after: float
    """The load after it."""
    flush: float
    """How long the store may take, after the load, until it has everything."""
    kill_every: float
    """Between two flushers that are killed."""


@dataclass(frozen=True)
class Slow:
    """How many slow clients there are."""

    half_open: int = 700
    trickling: int = 50
    trickle_s: float = 5.0
    """How long a trickled body takes."""


@dataclass
class Field:
    """The running service, and what harms it."""

    case: UseCase
    variables: dict[str, str]
    """Of the environment that it is started in."""
    workspace: Workspace
    bento: Path
    bundle: Bundle
    store: Stoppable
    disk: Disk
    times: TrialTimes
    slow: Slow
    done: list[str] = field(default_factory=list)
    """What was done in this trial."""
    slow_ids: list[str] = field(default_factory=list)
    """Of answers that slow clients got in this trial."""
    removed_at: float = 0.0
    """When something was removed whose content is lost with it, in seconds since 1970."""

    @property
    def spool(self) -> Path:
        """Where predictions wait for the store."""
        return self.workspace.spool

    def deploy(self) -> None:
        """Start the service.

        Raises:
            NoriaError: it does not start.
        """
        start_or_roll(self.case, self.workspace, self.bento, self.bundle)


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong."""

    title: str
    lasts: Callable[[Field], AbstractContextManager[None]]
    """It lasts as long as the block."""
    loses: Literal["", "the database", "the spool"] = ""
    """What is removed: answers from before that lay there are lost by nature."""
    refuses: bool = False
    """Whether requests may be refused with 503 while it lasts."""
    cuts: bool = False
    """Whether connections may break while it lasts."""
    limits_p99: bool = False
    """Whether the others' p99 is a goal."""


@dataclass(frozen=True)
class Trial:
    """What came of one fault."""

    key: str
    title: str
    done: str
    """What was done."""
    usual_p99_ms: float | None
    p99_ms: float | None
    """While the fault lasted; None: nothing was answered."""
    gap_s: float
    """The longest time without any answer, from the fault to the end of the load."""
    answered: int
    refused: dict[str, int]
    """Status → how often, from the fault until shortly after it."""
    refused_otherwise: dict[str, int]
    cut: int
    """Connections that broke from the fault until shortly after it."""
    cut_otherwise: int
    missing: int
    """Answered, in no store, and not lost by nature."""
    by_nature: int
    """Answered before something was removed, and lost with it."""
    twice: int
    last_answers: int
    """Answers in the last second of the load."""
    is_flushed: bool
    """Whether everything reached the store without a restart."""
    goals: dict[str, bool]


@contextmanager
def _flushers_killed(field: Field) -> Iterator[None]:
    over, killed = threading.Event(), []

    def kill() -> None:
        while not over.is_set():
            killed.extend(each.pid for each in flusher_processes(field.spool) if _kill(each))
            over.wait(field.times.kill_every)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    field.done.append(f"{len(killed)} flushers killed (kill -9)")


@contextmanager
def _service_killed(field: Field) -> Iterator[None]:
    killed = [each for each in service_processes(field.workspace) if _kill(each)]
    _wait_until(lambda: not service_processes(field.workspace) and _is_free(field.case.serving.port), _GONE_S)
    began = time.monotonic()
    field.deploy()
    field.done.append(f"{len(killed)} processes killed (kill -9): server, workers, flusher")
    field.done.append(f"deployed again in {time.monotonic() - began:.1f} s")
    yield


@contextmanager
def _database_removed(field: Field) -> Iterator[None]:
    field.store.remove()
    field.removed_at = time.time()
    try:
        yield
    finally:
        field.store.replace()
    field.done.append(f"Removed: {field.store.title.partition(',')[0]}, all that it held; then an empty one")


@contextmanager
def _disk_full(field: Field) -> Iterator[None]:
    field.disk.fill()
    try:
        yield
    finally:
        field.disk.free()
    field.done.append(f"No room: {field.disk.title}")


@contextmanager
def _slow_clients(field: Field) -> Iterator[None]:
    slow, row = field.slow, rows_to_send(1)[0]
    with SlowClients(
        field.case.serving.port,
        row,
        half_open=slow.half_open,
        trickling=slow.trickling,
        trickle_s=slow.trickle_s,
    ) as clients:
        yield
    field.slow_ids = clients.ids
    ended = ", ".join(f"{how} ({number})" for how, number in sorted(clients.ended.items())) or "none"
    field.done.append(f"{slow.half_open} half-open, {slow.trickling} trickling, at most {clients.open} open at once")
    field.done.append(f"their requests ended: {ended}")


@contextmanager
def _spool_removed(field: Field) -> Iterator[None]:
    inode, until = field.spool.stat().st_ino, time.monotonic() + _REMOVE_S
    while _inode(field.spool) == inode:  # files come while it is emptied
        if time.monotonic() > until:
            raise RuntimeError("the spool's folder cannot be removed")
        shutil.rmtree(field.spool, ignore_errors=True)
    field.removed_at = time.time()
    field.done.append("Removed with all that was in it")
    yield


FAULTS = {
    "flushers": Fault("Flushers killed", _flushers_killed),
    "service": Fault("The whole service killed, and deployed again", _service_killed, cuts=True),
    "database": Fault("The database removed", _database_removed, loses="the database"),
    "disk": Fault("The spool's disk full", _disk_full, refuses=True),
    "slow": Fault("Slow and half-open clients", _slow_clients, limits_p99=True),
    "spool": Fault("The spool's folder removed", _spool_removed, loses="the spool", refuses=True),
}
"""In the order in which they come: what may harm the service most comes last."""


@contextmanager
def running(
    folder: Path, bundle: Bundle, store: Stoppable, times: TrialTimes, *, workers: int, slow: Slow, disk_mb: int
) -> Iterator[Field]:
    """A service with a disk of its own for its spool, as long as the block.

    Raises:
        NoriaError: it does not start.
    """
    case = use_case(host=HOST, port=free_port(), workers=workers)
    room = folder / "disk"
    variables = {"NORIA_HOME": str(folder / ".noria"), "NORIA_PREDICTIONS_URL": store.url}
    variables["NORIA_SPOOL_DIR"] = str(room / "spool")
    with (
        environment(**variables),
        small_disk(room, disk_mb, lambda: faults.workers(Workspace(case.name))) as disk,
    ):
        workspace = Workspace(case.name)
        bento = build_bento(bundle, workspace)
        field = Field(case, variables, workspace, bento, bundle, store, disk, times, slow)
        try:
            field.deploy()
            yield field
        finally:
            with suppress(NoriaError):
                stop(workspace)


def saturation(field: Field) -> float:
    """Requests per second that are answered when everybody asks as fast as they can."""
    with Load(field.case.serving.port, rows_to_send(_ROWS), _CLIENTS) as load:
        time.sleep(field.times.saturation)
    return len(load.told.ids) / field.times.saturation


def attempt(key: str, field: Field, rate: float) -> Trial:
    """Load, make one fault and end it, and count.

    Raises:
        RuntimeError: the fault could not be made.
        NoriaError: the service does not start again after it was killed.
    """
    with environment(**field.variables):
        return _attempt(key, FAULTS[key], field, rate)


def _attempt(key: str, fault: Fault, field: Field, rate: float) -> Trial:
    times = field.times
    field.done, field.slow_ids, field.removed_at = [], [], 0.0
    if read_state(field.workspace) is None:  # the last fault has ended it
        field.deploy()
    with Load(field.case.serving.port, rows_to_send(_ROWS), _CLIENTS, rate) as load:
        time.sleep(times.usual)
        begun = time.time()
        with fault.lasts(field):
            time.sleep(times.fault)
        ended = time.time()
        time.sleep(times.after)
        over = time.time()
    is_flushed = _wait_until(lambda: bool(flusher_processes(field.spool)), times.flush)
    is_flushed = wait_until_flushed(field.spool, times.flush) and is_flushed
    if not is_flushed:
        _restart(field)
    counted = _counted(fault, field, load.told)
    seen = _seen(load.told, begun, ended, over)
    goals = _goals(fault, {**counted, **seen, "is_flushed": is_flushed})
    done = "; ".join(field.done)
    return Trial(key=key, title=fault.title, done=done, is_flushed=is_flushed, goals=goals, **seen, **counted)


def service_processes(workspace: Workspace) -> list[ProcessIdentity]:
    """Server, workers and flusher of a workspace's service."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("NORIA_SERVICE_DIR") == str(workspace.service):
                found.append(identity(process.pid))
    return found


def _restart(field: Field) -> None:
    stop(field.workspace)
    field.deploy()
    wait_until_flushed(field.spool, field.times.flush)


def _counted(fault: Fault, field: Field, told: Told) -> dict[str, int]:
    """What was answered, against what is kept."""
    kept = held(field.store.url)
    removed = set(held(field.store.removed_url)) if fault.loses == "the database" else set()
    answered = {*told.ids, *field.slow_ids}
    lost = answered - set(kept)
    lay_there = lost & removed if fault.loses == "the database" else lost
    by_nature = {one for one in lay_there if (made_at(one) or math.inf) <= field.removed_at}
    return {
        "answered": len(answered),
        "missing": len(lost - by_nature) + len(told.ids) + len(field.slow_ids) - len(answered),
        "by_nature": len(by_nature),
        "twice": sum(number > 1 for number in kept.values()),
    }


def _seen(told: Told, begun: float, ended: float, over: float) -> dict[str, Any]:
    """What clients saw, before, during and after the fault."""

    def is_during(at: float) -> bool:
        return begun <= at <= ended + AFTER_FAULT_S

    timed = list(zip(told.at, told.seconds, strict=True))
    usual = [took for at, took in timed if at < begun]
    during = [took for at, took in timed if begun <= at <= ended]
    moments = [begun, *sorted(at for at in told.at if at > begun), over]
    cut = sum(map(is_during, told.cut))
    return {
        "usual_p99_ms": _p99_ms(usual),
        "p99_ms": _p99_ms(during),
        "gap_s": max(later - earlier for earlier, later in pairwise(moments)),
        "refused": _statuses(one for one in told.refused if is_during(one[0])),
        "refused_otherwise": _statuses(one for one in told.refused if not is_during(one[0])),
        "cut": cut,
        "cut_otherwise": len(told.cut) - cut,
        "last_answers": sum(at > over - 1 for at in told.at),
    }


def _p99_ms(seconds: list[float]) -> float | None:
    return quantile(sorted(seconds), 0.99) * 1000 if seconds else None


def _statuses(refused: Iterator[tuple[float, int, str]]) -> dict[str, int]:
    return {str(status): number for status, number in sorted(Counter(one[1] for one in refused).items())}


def _goals(fault: Fault, found: dict[str, Any]) -> dict[str, bool]:
    others = set(found["refused"]) - ({"503"} if fault.refuses else set())
    met = {
        "every answer is in the store": found["missing"] == 0,
        "none is there twice": found["twice"] == 0,
        "no refusal" + (" but 503, while it lasts" if fault.refuses else ""): not (
            others or found["refused_otherwise"]
        ),
        "no connection breaks" + (" but while it lasts" if fault.cuts else ""): (
            found["cut_otherwise"] == 0 and (fault.cuts or found["cut"] == 0)
        ),
        "it answers and stores afterwards, without help": found["last_answers"] > 0 and found["is_flushed"],
    }
    if fault.limits_p99:
        met[f"others' p99 is at most {MOST_P99:.0f} times the usual"] = found["p99_ms"] is not None and found[
            "p99_ms"
        ] <= MOST_P99 * (found["usual_p99_ms"] or 0.0)
    return met


def _kill(who: ProcessIdentity) -> bool:
    try:
        os.kill(who.pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _wait_until(done: Callable[[], bool], limit_s: float) -> bool:
    """Wait until something is so, for a limited time; returns whether it is."""
    until = time.monotonic() + limit_s
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(_POLL_S)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None
