"""From what was measured on one machine to more rows and more cores, on paper."""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

COLUMNS, BINS, DEPTH = 20, 256, 6
_HISTOGRAM_BYTES = COLUMNS * BINS * 16
"""Two float64 sums for each bin of each column, of one node of a tree."""
_BYTES_PER_S, _LATENCY_S = 1.25e9, 1e-4
"""A network of 10 Gbit/s between machines of one data centre."""
EFFICIENCY = 0.7
"""What is assumed to be left of a core's work when many share it."""
PLANS = ((10**8, 64), (10**9, 1_024), (10**9, 4_096))
"""Rows, and cores of a cluster."""


class Stage(NamedTuple):
    """One stage, as it was measured at the largest size."""

    rows: int
    seconds: float
    cores: int


def projected(stage: Stage, rows: int, cores: int, *, rounds: int = 0) -> float:
    """Seconds for these rows on these cores.

    The work of a row is taken to be what it was, divided among the cores with `EFFICIENCY`. For `rounds` of boosting
    the workers' histograms are added up once for each level of each tree (T. Chen and C. Guestrin, XGBoost, KDD 2016):
    a ring sends each of them about twice, and knocks once at every worker.
    """
    work = stage.seconds * stage.cores / stage.rows * rows / (cores * EFFICIENCY)
    sent = 2 * _HISTOGRAM_BYTES * (2**DEPTH - 1) / _BYTES_PER_S
    return work + rounds * (sent + DEPTH * 2 * math.log2(max(cores, 2)) * _LATENCY_S)


def table(stages: Mapping[str, Stage], memory_bytes_per_row: float, *, rounds: int) -> Iterator[str]:
    """The lines of a table, one for each plan."""
    yield f"| rows | cores | {' | '.join(f'{name}, min' for name in stages)} | memory of the command's machine, GB |"
    yield "|---:|---:" + "|---:" * (len(stages) + 1) + "|"
    for rows, cores in PLANS:
        took = [projected(each, rows, cores, rounds=rounds * (name == "train")) for name, each in stages.items()]
        cells = " | ".join(f"{seconds / 60:,.1f}" for seconds in took)
        yield f"| {rows:,} | {cores:,} | {cells} | {memory_bytes_per_row * rows / 1e9:,.0f} |"
