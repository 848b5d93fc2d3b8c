"""The measurements as tables, ratios and goals, for the screen and for `benchmarks/results`."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.spooled.found import Case, Measured, Results
from benchmarks.spooled.ways import NOTHING, SPOOL, WAYS, Way

GOAL = 3
"""So many times better than the best alternative that promises as much."""
HEAD = ("way", "entries/s", "CPU µs", "loop µs", "p50 ms", "p99 ms")
_FOLLOWS = 0.98


@dataclass(frozen=True)
class Measure:
    """Something in which one way is better than another."""

    title: str
    paced: bool
    value: Callable[[Results, Case, Way], float | None]
    more_is_better: bool = False

    def times(self, found: Results, case: Case, way: Way) -> float | None:
        """How many times the spool is as good as this way; None: one of them was not measured, or costs nothing."""
        spool, other = self.value(found, case, SPOOL), self.value(found, case, way)
        if spool is None or other is None or min(spool, other) <= 0:
            return None
        return spool / other if self.more_is_better else other / spool


@dataclass(frozen=True)
class Goal:
    """The spool beside the alternative that comes closest to it, or is the farthest ahead."""

    case: Case
    measure: Measure
    times: dict[Way, float]
    """Alternative → how many times the spool is as good."""

    @property
    def met(self) -> bool | None:
        """Is the spool far enough ahead of every one? None: not measured."""
        return min(self.times.values()) >= GOAL if self.times else None

    @property
    def said(self) -> str:
        """The goal as a sentence."""
        alone = {way: times for way, times in self.times.items() if not way.shares}
        title = f"{self.case.title}: {self.measure.title}"
        if self.met is None or not alone:
            return f"{title}: not measured"
        outcome = "met" if self.met else "NOT MET"
        return f"{title}: {_best(self.times)}, goal at least {GOAL}: {outcome}; without shared commits {_best(alone)}"


def median(found: Results, case: Case, way: Way, name: str) -> float | None:
    """The median over the rounds of one figure."""
    return _median([getattr(one, name) for one in _of(found, case, way)])


def _added(name: str) -> Callable[[Results, Case, Way], float | None]:
    """A figure without that of the load alone in the same round."""

    def value(found: Results, case: Case, way: Way) -> float | None:
        alone = {one.round: getattr(one, name) for one in _of(found, case, NOTHING)}
        pairs = [(getattr(one, name), alone.get(one.round)) for one in _of(found, case, way)]
        return _median([figure - base for figure, base in pairs if base is not None])

    return value


def _plain(name: str) -> Callable[[Results, Case, Way], float | None]:
    return lambda found, case, way: median(found, case, way, name)


MEASURES = (
    Measure("CPU per entry", True, _added("cpu_us")),
    Measure("time on the event loop", True, _added("loop_us")),
    Measure("p99", True, _plain("p99_ms")),
    Measure("entries per second", False, _plain("entries_per_s"), more_is_better=True),
    Measure("CPU per entry", False, _added("cpu_us")),
)


def cases(found: Results) -> list[Case]:
    """The cases that were measured, in their order."""
    return list(dict.fromkeys(one.case for one in found.measured))


def table(found: Results, case: Case) -> list[list[str]]:
    """The lines of a case without their head: one per way, medians of the rounds."""
    cpu, loop = _added("cpu_us"), _added("loop_us")
    lines = []
    for way in _measured(found, case):
        is_base = way is NOTHING
        figures = [
            (median(found, case, way, "entries_per_s"), 0),
            (median(found, case, way, "cpu_us") if is_base else cpu(found, case, way), 1),
            (median(found, case, way, "loop_us") if is_base else loop(found, case, way), 1),
            (median(found, case, way, "p50_ms"), 3),
            (median(found, case, way, "p99_ms"), 3),
        ]
        if not case.paced:
            figures[2] = (None, 0)
        lines.append([way.title + ("" if way.promises or is_base else " *"), *(_number(*figure) for figure in figures)])
    return lines


def ratios(found: Results, case: Case) -> list[list[str]]:
    """How many times the spool is as good as each alternative, in each measure of this case."""
    measures = [measure for measure in MEASURES if measure.paced == case.paced]
    return [
        [way.title + ("" if way.promises else " *"), *(_number(one.times(found, case, way), 2) for one in measures)]
        for way in _measured(found, case)
        if way not in {NOTHING, SPOOL}
    ]


def goals(found: Results) -> Iterator[Goal]:
    """One per case and measure."""
    for case in cases(found):
        for measure in MEASURES:
            if measure.paced == case.paced:
                times = {
                    way: ratio
                    for way in _measured(found, case)
                    if way.promises and way is not SPOOL and (ratio := measure.times(found, case, way)) is not None
                }
                yield Goal(case, measure, times)


def remarks(found: Results) -> Iterator[str]:
    """What a reader must know besides."""
    if found.missing:
        yield found.missing
    for case in cases(found):
        for way in _measured(found, case) if case.paced else ():
            rate = median(found, case, way, "entries_per_s") or 0.0
            if rate < _FOLLOWS * case.rate:
                yield f"{case.title}: {way.title} cannot follow: {rate:,.0f} per second"
    for rows, rate in found.to_store.items():
        size = "1 row" if rows == 1 else f"{rows} rows"
        yield f"from the spool to a prediction store in SQLite, requests of {size}: {rate:,.0f} rows/s"


def page(found: Results) -> str:
    """The results as Markdown."""
    facts = " · ".join(f"{name}: {value}" for name, value in [*found.machine.items(), *found.versions.items()])
    all_goals = list(goals(found))
    met = sum(goal.met is True for goal in all_goals)
    lines = [
        "# The spool beside plain ways to keep answers: `python benchmarks/spool.py`",
        "",
        f"{found.date} · {facts} · to sync a page: {found.sync_ms:.2f} ms · stolen: {100 * found.stolen:.1f} %",
        "",
        f"{found.workers} worker processes at once keep answers to requests of 12 numbers and 8 texts per row; medians "
        f"of {found.rounds} interleaved rounds of {found.seconds:g} s after a warm-up. All pack an entry with the same "
        "library, nobody reads meanwhile, and afterwards everything that might be sent was found. `strict`: an answer "
        "is synced before it is sent. `interval`: it is with the system before it is sent, and synced 100 ms later; "
        "SQLite (synchronous=NORMAL) has a thread for that too. SQLite is one file in WAL mode for all workers, where "
        "nothing else is said. Ways with * promise less: a killed process loses what is not committed, or a power cut "
        "more than 100 ms; they are beside the goal.",
        "",
        "At a pace requests fall due each millisecond, and their time runs from then. CPU (all threads of the "
        "workers) and loop (while the event loop works or is held up) are per entry, those of the load alone taken "
        f"off; its own are in the first line. As fast as it goes: {found.clients} clients per worker, each of which "
        "asks again when it is answered. Everything is asked for on asyncio's own event loop; the service answers long "
        "requests, of 100 rows too, in threads, where they hold up nobody on the loop.",
        "",
    ]
    for case in cases(found):
        measures = [f"× {measure.title}" for measure in MEASURES if measure.paced == case.paced]
        lines += [f"## {case.title}", "", *_drawn(list(HEAD), table(found, case)), ""]
        lines += ["How many times the spool is as good:", "", *_drawn(["than", *measures], ratios(found, case)), ""]
    lines += [
        f"## Goals: {met} of {len(all_goals)} met",
        "",
        f"The spool is to be at least {GOAL} times as good as the best way that promises as much. Most plainly a "
        "worker commits each request for itself; how the spool stands beside those ways alone is said besides.",
        "",
    ]
    lines += [f"- {goal.said}" for goal in all_goals]
    lines += ["", *(f"- {remark}" for remark in remarks(found)), ""]
    return "\n".join(lines)


def write(found: Results, folder: Path) -> Path:
    """Write the page and the raw figures; returns the page."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spool.json").write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
    path = folder / "spool.md"
    path.write_text(page(found), encoding="utf-8")
    return path


def _best(times: dict[Way, float]) -> str:
    way = min(times, key=lambda one: times[one])
    return f"{times[way]:.2f} ({way.title})"


def _of(found: Results, case: Case, way: Way) -> list[Measured]:
    return [one for one in found.measured if one.case == case and one.way == way.key]


def _measured(found: Results, case: Case) -> list[Way]:
    return [way for way in WAYS if _of(found, case, way)]


def _median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _drawn(head: list[str], lines: list[list[str]]) -> list[str]:
    rule = ["---", *["---:"] * (len(head) - 1)]
    return ["| " + " | ".join(line) + " |" for line in [head, rule, *lines]]
