"""What the trials tell: a table with one line per fault, their goals, and the files of results."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.endured.trials import AFTER_FAULT_S, SHARE_OF_SATURATION, Trial, TrialTimes
from benchmarks.machine import machine, now, versions

_FILE = "endurance_faults"


@dataclass(frozen=True)
class Tried:
    """All trials of one run."""

    store: str
    workers: int
    times: TrialTimes
    saturation: float
    """Requests per second."""
    trials: Sequence[Trial]

    @property
    def missed(self) -> list[str]:
        """The goals that were missed, each with its fault."""
        return [f"{trial.title}: {goal}" for trial in self.trials for goal, met in trial.goals.items() if not met]


def table(tried: Tried) -> list[list[str]]:
    """The lines of the table, its head first."""
    head = ["fault", "answered", "refused", "cut", "lost", "lost with what was removed", "twice"]
    head += ["longest time without an answer", "p99 before", "p99 meanwhile"]
    return [head, *map(_line, tried.trials)]


def write(tried: Tried, folder: Path) -> Path:
    """The results as Markdown and JSON; returns the path of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    here, times = machine(), tried.times
    head, *lines = table(tried)
    text = ["# Endurance, one fault at a time: `python benchmarks/endurance.py --part faults`", ""]
    text += [f"{now()}, {here['processor']}, {here['cores']} cores, {here['memory']}.", ""]
    text += [
        f"{tried.workers} workers, {tried.store}; saturation {tried.saturation:,.0f} requests per second, load "
        f"{SHARE_OF_SATURATION:.0%} of it: {times.usual:.0f} s before each fault, {times.fault:.0f} s while it lasts, "
        f"{times.after:.0f} s after it.",
        "",
    ]
    text += [_row(head), _row(["---"] * len(head)), *map(_row, lines), ""]
    text += [
        "*Lost*: answered, and in no store. What was answered before a database or a spool was removed, and lay there, "
        "is lost with it, and counted apart. *Refused* and *cut* count from the fault until "
        f"{AFTER_FAULT_S:.0f} s after it.",
        "",
    ]
    for trial in tried.trials:
        text += [f"## {trial.title}", "", f"{trial.done}.", ""]
        text += [f"- {'met' if met else '**missed**'}: {goal}" for goal, met in trial.goals.items()] + [""]
    path = folder / f"{_FILE}.md"
    path.write_text("\n".join(text).rstrip() + "\n", encoding="utf-8")
    content = {"date": now(), "machine": here, "versions": versions("bentoml", "onnxruntime"), **asdict(tried)}
    (folder / f"{_FILE}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def _line(trial: Trial) -> list[str]:
    refused = ", ".join(f"{status}: {number:,}" for status, number in trial.refused.items()) or "0"
    return [
        trial.title,
        f"{trial.answered:,}",
        refused,
        f"{trial.cut:,}",
        f"{trial.missing:,}",
        f"{trial.by_nature:,}",
        f"{trial.twice:,}",
        f"{trial.gap_s:.1f} s",
        _ms(trial.usual_p99_ms),
        _ms(trial.p99_ms),
    ]


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} ms"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
