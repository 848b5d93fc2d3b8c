"""The goals, each a ratio of two medians, and whether they are met."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from benchmarks.served.found import HALF, MANY, ONE, Load, Results, Scenario
from benchmarks.served.inprocess import RAW
from benchmarks.served.servers import SERVERS

NORIA, MLFLOW, PLAIN_BENTOML, EMPTY_FASTAPI = "noria", "mlflow", "bentoml-pandas", "fastapi-empty"
EMPTY = [server.key for server in SERVERS if server.role == "empty"]
STEADY = [server.key for server in SERVERS if server.role == "steady"]
PEERS = [server.key for server in SERVERS if server.role == "peer"]


@dataclass(frozen=True)
class Goal:
    """One goal."""

    what: str
    bound: float
    ratio: float | None
    """None: a side of it was not measured."""
    sense: Literal["at least", "at most"] = "at least"

    @property
    def met(self) -> bool | None:
        """None: not measured."""
        if self.ratio is None:
            return None
        return self.ratio >= self.bound if self.sense == "at least" else self.ratio <= self.bound

    @property
    def said(self) -> str:
        """The goal as a sentence."""
        outcome = {True: "met", False: "NOT MET", None: "not measured"}[self.met]
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}, "
        return f"{self.what}: {ratio}goal {self.sense} {self.bound:g}: {outcome}"


def goals(found: Results) -> list[Goal]:
    """All of them, in the order of the table."""
    one, many = rates(found, ONE), rates(found, MANY)
    raw = _median([rates[RAW] for rates in found.in_process])
    half = [load for load in found.loads if load.server == NORIA and load.scenario == HALF]
    cold = {key: cold_start(found, key) for key in (NORIA, PLAIN_BENTOML)}
    return [
        Goal("1 row, 32 clients: Noria against mlflow", 40, _ratio(one.get(NORIA), one.get(MLFLOW))),
        Goal("1 row, 32 clients: Noria against the best peer", 5, _ratio(one.get(NORIA), _best(one))),
        Goal(
            "1 row, 32 clients: Noria against an empty FastAPI endpoint",
            0.6,
            _ratio(one.get(NORIA), one.get(EMPTY_FASTAPI)),
        ),
        Goal("100 rows, 32 clients: Noria against mlflow", 10, _ratio(many.get(NORIA), many.get(MLFLOW))),
        Goal("100 rows, 32 clients: Noria against the best peer", 1.5, _ratio(many.get(NORIA), _best(many))),
        Goal(
            f"100 rows, 32 clients: Noria against bulk prediction in process ({RAW})", 0.4, _ratio(many.get(NORIA), raw)
        ),
        Goal(
            "half of saturation: Noria's p99 against its p50",
            3,
            _ratio(_of(half, lambda load: load.p99_ms), _of(half, lambda load: load.p50_ms)),
            "at most",
        ),
        Goal(
            "cold start to the first answer: Noria against plain BentoML",
            0.5,
            _ratio(cold[NORIA], cold[PLAIN_BENTOML]),
            "at most",
        ),
    ]


def tails(found: Results, servers: list[str]) -> dict[str, float]:
    """Server → its p99 to its p50 at the pace that it was asked at."""
    ratios = {}
    for key in servers:
        paced = [load for load in found.loads if load.server == key and load.scenario == HALF]
        ratio = _ratio(_of(paced, lambda load: load.p99_ms), _of(paced, lambda load: load.p50_ms))
        if ratio is not None:
            ratios[key] = ratio
    return ratios


def rates(found: Results, scenario: Scenario) -> dict[str, float]:
    """Server → median of its rows per second."""
    each: dict[str, list[float]] = {}
    for load in found.loads:
        if load.scenario == scenario:
            each.setdefault(load.server, []).append(load.rows_per_s)
    return {server: statistics.median(values) for server, values in each.items()}


def cold_start(found: Results, server: str) -> float | None:
    """Median of a server's seconds to its first answer."""
    return _median([start.cold_start_s for start in found.starts if start.server == server])


def _best(rates: dict[str, float]) -> float | None:
    """The fastest of the other servers that predict with the usual pipeline."""
    return max((rate for server, rate in rates.items() if server in PEERS), default=None)


def _of(loads: list[Load], value: Callable[[Load], float | None]) -> float | None:
    return _median([value(load) for load in loads])


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _ratio(value: float | None, to: float | None) -> float | None:
    return value / to if value is not None and to else None
