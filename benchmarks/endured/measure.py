"""One run: deploy, find the saturation, load with faults, compare what was answered with what is kept."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.endured.faults import Event, Killer, Memory, Plan, Watch, growth
from benchmarks.endured.load import HOST, Load, Told
from benchmarks.endured.stores import Stoppable, held
from benchmarks.served.case import rows_to_send, use_case
from benchmarks.served.place import free_port
from noria.bundle import Bundle, revise_bundle
from noria.deployment import Deployment, start_or_roll, stop
from noria.predictions.spool.backlog import wait_until_flushed
from noria.system.errors import NoriaError
from noria.system.workspace import Workspace
from service.bento_build import build_bento

SHARE_OF_SATURATION = 0.8
AFTER_KILL_S = 3.0
"""A connection that breaks so soon after a kill was cut by it."""
_ROWS = 500
_CLIENTS = 16
_LOOK_S = 0.2


@dataclass(frozen=True)
class Times:
    """How long everything takes, in seconds."""

    load: float
    saturation: float
    kill_every: float
    outage: float
    flush: float
    """How long the store may take, after the load, until it has everything."""

    @property
    def stopped(self) -> float:
        """When the store stops: in the first half, so that the new model finds it at work."""
        return self.load * 0.45 - self.outage


@dataclass(frozen=True)
class Endured:
    """What came of it."""

    store: str
    times: Times
    workers: int
    saturation: float
    """Requests per second that it answers when everybody asks as fast as they can."""
    rate: float
    """Requests per second that were sent."""
    answered: int
    versions: dict[str, int]
    """Version → answers."""
    cut: int
    """Connections that broke within some seconds after a kill."""
    cut_otherwise: int
    """Connections that broke at another time."""
    refused: dict[str, int]
    """Status → how often."""
    broken: list[str]
    """Answers of 500 and above."""
    missing: int
    """Answered, but not in the store."""
    twice: int
    """In the store more than once."""
    unanswered: int
    """In the store, but the answer was cut off on its way."""
    flush_s: float
    p50_ms: float
    p99_ms: float
    growth: dict[str, float | None]
    """worker and keeper → growth of memory, as a share."""
    events: list[Event]
    memory: list[Memory]
    """What each process held, every second."""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def endure(
    folder: Path, bundle: Bundle, store: Stoppable, times: Times, *, workers: int, say: Callable[[str], None]
) -> Endured:
    """Run it all.

    Raises:
        RuntimeError: a fault could not be made, or the store did not get everything.
        NoriaError: the service does not start, or does not take over the new model.
    """
    case = use_case(host=HOST, port=free_port(), workers=workers)
    with environment(NORIA_HOME=str(folder / ".noria"), NORIA_PREDICTIONS_URL=store.url):
        workspace = Workspace(case.name)
        bento = build_bento(bundle, workspace)
        newer = revise_bundle(bundle, folder / "newer", version="2")
        try:
            deployment = start_or_roll(case, workspace, bento, bundle)
            with Load(case.serving.port, rows_to_send(_ROWS), _CLIENTS) as before:
                time.sleep(times.saturation)
            saturation = len(before.told.ids) / times.saturation
            rate = SHARE_OF_SATURATION * saturation
            say(f"saturation: {saturation:,.0f} requests per second; load: {rate:,.0f}")

            def roll() -> str:
                return start_or_roll(case, workspace, bento, newer).version

            loaded = _loaded(deployment, workspace, store, times, rate=rate, roll=roll)
        finally:
            with suppress(NoriaError):
                stop(workspace)
    before.told.merge(loaded.told)
    judged = _judged(before.told, loaded, held(store.url), times)
    return Endured(store=store.title, times=times, workers=workers, saturation=saturation, rate=rate, **judged)


@dataclass(frozen=True)
class _Loaded:
    """What was seen while the load went on."""

    told: Told
    plan: Plan
    watch: Watch
    flush_s: float


def _loaded(
    deployment: Deployment,
    workspace: Workspace,
    store: Stoppable,
    times: Times,
    *,
    rate: float,
    roll: Callable[[], str],
) -> _Loaded:
    began, killer = time.monotonic(), Killer(workspace)
    kills = int((times.load - AFTER_KILL_S) / times.kill_every)
    steps: list[tuple[float, str, Callable[[], object]]] = [
        (number * times.kill_every, "killed worker", killer.kill) for number in range(1, kills + 1)
    ]
    steps += [(times.stopped, "store stopped", store.stop)]
    steps += [(times.stopped + times.outage, "store started", store.start)]
    steps += [(times.load * 0.55, "new model: version", roll)]
    spool = deployment.settings.spool
    plan, watch = Plan(steps, began), Watch(workspace, spool, began)
    plan.start()
    watch.start()
    try:
        with Load(deployment.settings.port, rows_to_send(_ROWS), _CLIENTS, rate) as load:
            while time.monotonic() - began < times.load and plan.failure is None:
                time.sleep(_LOOK_S)
    finally:
        plan.end()
        watch.end()
    if plan.failure is not None:
        raise RuntimeError(f"a fault could not be made: {plan.failure}") from plan.failure
    ended = time.monotonic()
    if not wait_until_flushed(spool, times.flush):
        raise RuntimeError(f"{times.flush:.0f} s after the load, some answers still wait for the store")
    return _Loaded(load.told, plan, watch, time.monotonic() - ended)


def _judged(every: Told, loaded: _Loaded, kept: Counter[str], times: Times) -> dict[str, Any]:
    watch, events = loaded.watch, loaded.plan.events
    began = time.time() - time.monotonic() + watch.began
    kills = [began + event.at for event in events if event.what.startswith("killed")]
    cut = [at for at in every.cut if any(0 <= at - kill < AFTER_KILL_S for kill in kills)]
    answered, waited = set(every.ids), sorted(loaded.told.seconds)
    return {
        "answered": len(every.ids),
        "versions": every.versions,
        "cut": len(cut),
        "cut_otherwise": len(every.cut) - len(cut),
        "refused": {str(status): number for status, number in Counter(one[1] for one in every.refused).items()},
        "broken": [f"{status}: {said}" for _, status, said in every.broken],
        "missing": len(answered - set(kept)) + len(every.ids) - len(answered),
        "twice": sum(number > 1 for number in kept.values()),
        "unanswered": len(set(kept) - answered),
        "flush_s": loaded.flush_s,
        "p50_ms": quantile(waited, 0.5) * 1000,
        "p99_ms": quantile(waited, 0.99) * 1000,
        "growth": {role: growth(watch.seen, role, times.load, times.stopped) for role in ("worker", "keeper")},
        "events": events,
        "memory": watch.seen,
    }


def quantile(ordered: list[float], share: float) -> float:
    """The value below which this share of the sorted values lies; not a number without values."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Set variables of the environment while the block runs."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
