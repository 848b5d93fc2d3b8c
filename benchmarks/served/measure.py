"""One server in one round: start it, see that it answers right, load it in every way, stop it."""

import json
import math
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from benchmarks.machine import Stolen
from benchmarks.served.found import ONE, Kept, Load, Scenario, Start
from benchmarks.served.place import Place
from benchmarks.served.protocols import write_bodies
from benchmarks.served.running import Running, running
from benchmarks.served.servers import HOST, Server
from benchmarks.served.service import kept, running_service
from noria.system.workspace import PROJECT

_TOLERANCE = 1e-6
_CHECKED = 100
_SETTLED_WITHIN_S = 120.0
_GENERATED_WITHIN_S = 200.0
_TOLD = 500
_TRIES, _STOLEN = 3, 0.05


@dataclass
class Measurements:
    """What has been found so far."""

    loads: list[Load] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)

    def add(self, other: "Measurements") -> None:
        """Take in what another server or round gave."""
        self.loads += other.loads
        self.starts += other.starts
        self.kept += other.kept


def measure(
    server: Server,
    place: Place,
    rows: list[dict[str, Any]],
    number: int,
    *,
    seconds: float,
    pace: float | None = None,
) -> Measurements:
    """Measure one server in round `number`; one that fails is told of as such.

    `pace` is how many requests per second an empty endpoint gets where a server with a model gets half of what it can
    answer; None: it is not asked at a pace.
    """
    found, cold = Measurements(), None
    open_server = running_service if server.role == "noria" else running
    try:
        with open_server(server, place, rows[0]) as server_now:
            cold = server_now.cold_start_s
            if server.predicts:
                _check(server_now, place, rows[:_CHECKED])
            answered = 1 + _CHECKED
            for scenario in server.scenarios:
                plan = _plan(server_now, place, rows, scenario, seconds)
                plan["rate"] = None
                if scenario.paced:
                    plan["rate"] = pace if server.role == "empty" else half_rate(found)
                    if plan["rate"] is None:
                        continue
                load, all_answered = _least_disturbed(server_now, plan, scenario, number)
                answered += all_answered * scenario.rows
                found.loads.append(load)
            if server.role == "noria":
                store, waited = kept(answered, _SETTLED_WITHIN_S)
                found.kept.append(Kept(round=number, answered=answered, kept=store, after_s=waited))
    except (RuntimeError, OSError, ValueError, KeyError) as error:
        found.starts.append(Start(server=server.key, round=number, cold_start_s=cold, error=_short(error)))
    else:
        found.starts.append(Start(server=server.key, round=number, cold_start_s=cold))
    return found


def half_rate(found: Measurements) -> float | None:
    """Half of the requests per second that were answered with one row and 32 clients; None: that was not measured."""
    rates = [load.requests_per_s for load in found.loads if load.scenario == ONE]
    return rates[0] / 2 if rates else None


def in_process(place: Place) -> dict[str, float]:
    """Rows per second of prediction in bulk, in a process of its own."""
    rates: dict[str, float] = json.loads(_run("benchmarks.served.inprocess", str(place.bundle.folder)))
    return rates


def _check(server: Running, place: Place, rows: list[dict[str, Any]]) -> None:
    """Every server must give the bundle's probabilities: else it answers another question.

    Raises:
        RuntimeError: it gives others.
    """
    expected = place.bundle.scores(pd.DataFrame(rows))
    given = server.server.protocol.probabilities(server.ask(rows))
    pairs = zip(given, expected, strict=True)
    differ = [(one, other) for one, other in pairs if not math.isclose(one, other, rel_tol=0, abs_tol=_TOLERANCE)]
    if differ:
        raise RuntimeError(f"{len(differ)} of {len(rows)} probabilities are not the model's, such as {differ[0]}")


def _plan(
    server: Running, place: Place, rows: list[dict[str, Any]], scenario: Scenario, seconds: float
) -> dict[str, Any]:
    protocol = server.server.protocol
    bodies = place.folder / f"{server.server.key}-{scenario.rows}.jsonl"
    if not bodies.exists():
        write_bodies(protocol, rows, scenario.rows, bodies)
    return {
        "host": HOST,
        "port": server.port,
        "path": protocol.path,
        "bodies": str(bodies),
        "clients": scenario.clients,
        "warm_s": min(1.0, seconds / 2),
        "seconds": seconds,
    }


def _least_disturbed(server: Running, plan: dict[str, Any], scenario: Scenario, number: int) -> tuple[Load, int]:
    """A load, and once or twice more if the machine's host took processors away; and all that was answered."""
    tries = []
    while len(tries) < _TRIES and not (tries and tries[-1][0].stolen <= _STOLEN):
        tries.append(_load(server, plan, scenario, number))
    return min((load for load, _ in tries), key=lambda load: load.stolen), sum(answered for _, answered in tries)


def _load(server: Running, plan: dict[str, Any], scenario: Scenario, number: int) -> tuple[Load, int]:
    """What was found, and how many requests were answered, those before the clock started included."""
    path = server.server.key, scenario.title
    before, taken = server.family.cpu_seconds(), Stolen()
    told = json.loads(_run("benchmarks.served.generate", json.dumps(plan)))
    stolen = taken.share()
    settle_s = server.family.settle(_SETTLED_WITHIN_S)
    cpu = server.family.cpu_seconds() - before
    if not told["requests"]:
        raise RuntimeError(f"{path[1]}: no answer within the time; {told['failure'] or 'the server is too slow'}")
    load = Load(
        server=path[0],
        round=number,
        scenario=scenario,
        requests_per_s=told["requests"] / told["seconds"],
        p50_ms=told["p50_ms"],
        p99_ms=told["p99_ms"],
        cpu_ms=cpu / told["answered"] * 1000,
        failed=told["failed"],
        failure=told["failure"],
        settle_s=settle_s,
        generator_busy=told["generator_busy"],
        stolen=stolen,
    )
    return load, told["answered"]


def _short(error: Exception) -> str:
    said = " | ".join(line.strip() for line in str(error).splitlines() if line.strip()) or type(error).__name__
    return said if len(said) <= _TOLD else f"{said[: _TOLD // 2]} … {said[-_TOLD // 2 :]}"


def _run(module: str, argument: str) -> str:
    """What a module prints that runs in a process of its own.

    Raises:
        RuntimeError: it fails.
    """
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", module, argument],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=_GENERATED_WITHIN_S,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{module} failed: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout
