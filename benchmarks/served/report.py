"""The measurements as one table, for the screen and for `benchmarks/results`."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from benchmarks.served.found import ONE_ALONE, SCENARIOS, Load, Results
from benchmarks.served.goals import EMPTY, STEADY, cold_start, goals, tails
from benchmarks.served.servers import SERVERS

HEAD = ["load", "server", "requests/s", "rows/s", "p50 ms", "p99 ms", "CPU ms per request", "stolen %", "cold start s"]
_CROWDED = 0.9
TITLES = {server.key: server.title for server in SERVERS}


def table(found: Results) -> list[list[str]]:
    """The lines of the table without its head: one per load and server, medians of the rounds."""
    lines = []
    for scenario in SCENARIOS:
        for server in SERVERS:
            loads = [load for load in found.loads if load.server == server.key and load.scenario == scenario]
            if loads:
                cold = cold_start(found, server.key) if scenario == ONE_ALONE else None
                lines.append([scenario.title, server.title, *_figures(loads), _number(cold, 1)])
    return lines


def verdict(found: Results) -> list[str]:
    """The sentences that the table comes to: goals first, then what a reader must know."""
    said = [goal.said for goal in goals(found)]
    for servers, pace in ((EMPTY, "at the same pace"), (STEADY, "at half of its own saturation")):
        said += [f"{pace}, {TITLES[key]}: p99 {ratio:.1f} times p50" for key, ratio in tails(found, servers).items()]
    for kept in found.kept:
        said.append(
            f"round {kept.round}: {kept.kept:,} of {kept.answered:,} answers of Noria were in the prediction store "
            f"{kept.after_s:.1f} s after the last load"
        )
    for way in found.in_process[0] if found.in_process else []:
        rate = statistics.median(rates[way] for rates in found.in_process)
        said.append(f"in process, {way}: {rate:,.0f} rows/s")
    return said + warnings(found)


def warnings(found: Results) -> list[str]:
    """What was not measured, or not well."""
    said = [f"{TITLES[start.server]}, round {start.round}: {start.error}" for start in found.starts if start.error]
    for load in found.loads:
        where = f"{TITLES[load.server]}, {load.scenario.title}, round {load.round}"
        if load.failed:
            said.append(f"{where}: {load.failed} requests failed: {load.failure}")
        if load.generator_busy > _CROWDED:
            said.append(f"{where}: the load generator was {load.generator_busy:.0%} busy, so the server may do more")
    return said


def page(found: Results, picture: str) -> str:
    """The results as Markdown."""
    facts = " · ".join(f"{name}: {value}" for name, value in [*found.machine.items(), *found.versions.items()])
    rounds = max((start.round for start in found.starts), default=0)
    rule = ["---", "---", *["---:"] * (len(HEAD) - 2)]
    lines = [HEAD, rule, *table(found)]
    return "\n".join(
        [
            "# Serving one model: Noria beside others",
            "",
            f"{found.date} · {facts}",
            "",
            "One model (300 trees of depth 6, 12 numeric and 8 categorical columns, values missing), trained by Noria "
            f"on {found.training_rows:,} rows. Noria serves it with validation, prediction log and metrics; the others "
            "serve the same trees, and each gave the same probabilities to 1e-6 before it was measured. One worker "
            f"process each, never two servers at a time; medians of {rounds} interleaved rounds, {found.seconds:g} s "
            "for each load after a warm-up. CPU is that of all processes of a server until they rest again; stolen is "
            "the share of the processors that the host of a virtual machine gave to others meanwhile; above 5 % a load "
            "is repeated up to twice, and the least disturbed one counts. At half of saturation requests are due at a "
            "fixed pace, which for empty endpoints is Noria's, and their time runs from when they were due. An empty "
            "endpoint takes the same request and answers the same bytes to each; the goal is set against the one that "
            "takes typed rows, as Noria does. The raw app with steady work computes the same for each request, about "
            "as long as Noria's worker, and keeps nothing: what its p99 comes to at half of its own saturation is the "
            "machine's. The load comes from a process of its own with plain sockets, which goes before every server "
            "where the system allows it, as if it ran on another machine: see `benchmarks/served/generate.py`.",
            "",
            f"![Rows per second with 32 clients]({picture})",
            "",
            *("| " + " | ".join(line) + " |" for line in lines),
            "",
            *(f"- {sentence}" for sentence in verdict(found)),
            "",
        ]
    )


def write(found: Results, folder: Path, picture: str) -> Path:
    """Write the page and the raw figures; returns the page."""
    (folder / "serving.json").write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
    path = folder / "serving.md"
    path.write_text(page(found, picture), encoding="utf-8")
    return path


def median(loads: Sequence[Load], name: str) -> float | None:
    """The median over the rounds of one figure."""
    values = [value for load in loads if (value := getattr(load, name)) is not None]
    return statistics.median(values) if values else None


def _figures(loads: Sequence[Load]) -> list[str]:
    rows = median(loads, "rows_per_s")
    times = [_number(median(loads, name), 1) for name in ("p50_ms", "p99_ms")]
    stolen = 100 * (median(loads, "stolen") or 0.0)
    cpu = [_number(median(loads, "cpu_ms"), 2), _number(stolen, 1)]
    return [_number(median(loads, "requests_per_s"), 0), _number(rows, 0), *times, *cpu]


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"
