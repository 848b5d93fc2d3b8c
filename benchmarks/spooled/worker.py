"""One worker process: keeps answers as fast as it can, or at a pace, and says what that took."""

import asyncio
import resource
import selectors
import sys
import time
import uuid
from collections import deque
from pathlib import Path

import msgspec

from benchmarks.spooled.ways import WAYS, Durability, Keeping
from noria.predictions.spool.events import PredictionEvent

NUMBERS, TEXTS = 12, 8
_PREPARED = 64
_TICK_S = 0.001
_MOST = 256
_clock = time.perf_counter


class TimedSelector(selectors.SelectSelector):
    """Tells for how long the event loop had nothing to do; epoll would round the pace to milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.idle_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait, and count it."""
        began = _clock()
        try:
            return super().select(timeout)
        finally:
            self.idle_s += _clock() - began


def request(rows: int) -> PredictionEvent:
    """An answer to a request of so many rows."""
    names = [f"number_{place}" for place in range(NUMBERS)] + [f"text_{place}" for place in range(TEXTS)]
    return PredictionEvent(
        at=time.time(),
        request_id=uuid.uuid4().hex,
        model="benchmark",
        version="1",
        variant="champion",
        policy="1",
        latency_ms=1.0,
        names=names,
        features=[[1.5] * NUMBERS + ["some text"] * TEXTS for _ in range(rows)],
        ids=[uuid.uuid4().hex for _ in range(rows)],
        entities=["case"] * rows,
        predictions=["Yes"] * rows,
        probabilities=[0.75] * rows,
        decisions=["act"] * rows,
        warnings=[""] * rows,
    )


class Load:
    """Requests that want their answers kept."""

    def __init__(self, keeping: Keeping, rows: int) -> None:
        self._keeping = keeping
        self._entries = deque(request(rows) for _ in range(_PREPARED))
        self._in_flight = 0
        self.took: list[float] = []
        """Seconds until each answer might be sent."""
        self.refused = 0

    async def saturate(self, clients: int, seconds: float) -> None:
        """So many clients, each of which asks again when it is answered."""
        until = _clock() + seconds
        await asyncio.gather(*(self._client(until) for _ in range(clients)))

    async def pace(self, rate: float, seconds: float) -> None:
        """So many requests per second, in steps of a millisecond; those that find 256 before them are refused."""
        began, asked = _clock(), 0
        tasks: set[asyncio.Task[None]] = set()
        for tick in range(1, round(seconds / _TICK_S)):
            due = began + tick * _TICK_S
            if (early := due - _clock()) > 0:
                await asyncio.sleep(early)
            elif self._in_flight:  # late: let those that wait have a turn
                await asyncio.sleep(0)
            for _ in range(int(tick * _TICK_S * rate) - asked):
                asked += 1
                if self._in_flight >= _MOST:
                    self.refused += 1
                    continue
                self._in_flight += 1
                task = asyncio.create_task(self._one(due))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)

    async def _client(self, until: float) -> None:
        while (began := _clock()) < until:
            await self._keeping.keep(self._next())
            self.took.append(_clock() - began)
            await asyncio.sleep(0)

    async def _one(self, due: float) -> None:
        await self._keeping.keep(self._next())
        self._in_flight -= 1
        self.took.append(_clock() - due)

    def _next(self) -> PredictionEvent:
        self._entries.rotate()
        return self._entries[0]


class Plan(msgspec.Struct, frozen=True):
    """What a worker is to do."""

    way: str
    folder: str
    durability: Durability
    rows: int
    """Of each request."""
    rate: float
    """Requests per second; 0: as many as it answers."""
    clients: int
    warm_s: float
    seconds: float


class Found(msgspec.Struct, frozen=True):
    """What it found."""

    warm: int
    """Entries before anything was measured."""
    refused: int
    seconds: float
    cpu_s: float
    busy_s: float
    """While the event loop had something to do, or was held up."""
    took: list[float]
    """Per entry: seconds until its answer might be sent."""


async def _measured(plan: Plan, idle: TimedSelector) -> Found:
    way = next(way for way in WAYS if way.key == plan.way)
    keeping = way.opened(Path(plan.folder), plan.durability)
    load = Load(keeping, plan.rows)
    print("ready", flush=True)
    sys.stdin.readline()
    await _run(load, plan, plan.warm_s)
    warm, load.took, load.refused = len(load.took), [], 0
    began, cpu, waited = _clock(), _cpu_s(), idle.idle_s
    await _run(load, plan, plan.seconds)
    passed, cpu, waited = _clock() - began, _cpu_s() - cpu, idle.idle_s - waited
    keeping.close()
    return Found(warm, load.refused, passed, cpu, passed - waited, load.took)


async def _run(load: Load, plan: Plan, seconds: float) -> None:
    if plan.rate:
        await load.pace(plan.rate, seconds)
    else:
        await load.saturate(plan.clients, seconds)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure what the one argument says; the figures go to standard output."""
    selector, plan = TimedSelector(), msgspec.json.decode(sys.argv[1], type=Plan)
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        found = runner.run(_measured(plan, selector))
    print(msgspec.json.encode(found).decode(), flush=True)


if __name__ == "__main__":
    main()
