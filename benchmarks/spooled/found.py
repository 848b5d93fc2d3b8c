"""What a run of the benchmark finds."""

from benchmarks.spooled.ways import Durability
from noria.config.section import Section

RATES = {1: 10_000, 100: 450}
"""Rows of a request → requests per second that the service reaches: `benchmarks/results/serving.md`."""


class Case(Section):
    """What the ways are compared in."""

    durability: Durability
    rows: int
    """Rows of each request."""
    paced: bool
    """At the rate that the service reaches, of all workers together, instead of as fast as it goes."""

    @property
    def rate(self) -> int:
        """Requests per second that the service reaches."""
        return RATES[self.rows]

    @property
    def title(self) -> str:
        """As the results have it."""
        rows = "1 row" if self.rows == 1 else f"{self.rows} rows"
        return f"{self.durability}, {rows}, {f'{self.rate:,} per second' if self.paced else 'as fast as it goes'}"


class Measured(Section):
    """One way in one round of one case."""

    way: str
    round: int
    case: Case
    entries_per_s: float
    cpu_us: float
    """Processor time of the workers per entry, in microseconds."""
    loop_us: float
    """Time per entry in which the event loop did something, or was held up."""
    p50_ms: float
    p99_ms: float
    """Until an answer may be sent; at a pace since it was due."""
    refused: int
    """Requests that found 256 before them."""


class Results(Section):
    """Everything that was measured, and where."""

    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    rounds: int
    seconds: float
    workers: int
    clients: int
    """Of each worker, where it goes as fast as it goes."""
    sync_ms: float
    stolen: float
    """Share of the processors that the host of a virtual machine gave to others meanwhile."""
    missing: str
    """What was not measured, and how it can be."""
    measured: list[Measured]
    to_store: dict[int, float]
    """Rows of a request → rows per second from a spool to SQLite."""
