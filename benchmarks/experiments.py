"""How often a comparison of two variants names the wrong winner, and how long it takes.

`python benchmarks/experiments.py`. Two variants answer 400 cases a day for 30 days; labels come in that order and are
looked at each day. Noria's test is compared with a z-test at the end of the 30 days, as it is meant to be used, and
with the same z-test looked at each day.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import circumstances, machine, now, versions
from noria.metrics.sequential import auc_differences, closed_blocks, log_e_process, mean_differences, planned_cases

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_RESULTS = Path(__file__).resolve().parent / "results"
_DAYS, _A_DAY = 30, 400
_NEEDED = float(np.log(2 / 0.05))
_Z = 1.96


@dataclass(frozen=True)
class Case:
    """What is compared, and by how much the second variant is better."""

    name: str
    metric: str
    difference: float
    share: float = 0.5
    """Share of the cases that the second variant answers."""


CASES = [
    Case("no difference", "accuracy", 0.0),
    Case("no difference, canary of 10 %", "accuracy", 0.0, 0.1),
    Case("no difference", "worth", 0.0),
    Case("no difference", "ROC AUC", 0.0),
    Case("2 points", "accuracy", 0.02),
    Case("4 points", "accuracy", 0.04),
    Case("4 points, canary of 10 %", "accuracy", 0.04, 0.1),
    Case("15 % more", "worth", 0.15),
    Case("3 points", "ROC AUC", 0.03),
]
_WAYS = ("Noria, each day", "z-test, once at the end", "z-test, each day")


def main(
    streams: Annotated[int, typer.Option(help="Simulated experiments per case.")] = 400,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = _RESULTS,
) -> None:
    """Simulate, print, and keep the result in experiments.{json,md}."""
    document: dict[str, Any] = {"at": now(), "machine": machine(), "versions": versions("numpy"), "streams": streams}
    document["cases"] = [asdict(case) | measure(case, streams) for case in CASES]
    output.mkdir(parents=True, exist_ok=True)
    (output / "experiments.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (output / "experiments.md").write_text(report(document), encoding="utf-8")
    Console(highlight=False, soft_wrap=True).print(report(document), markup=False)


def measure(case: Case, streams: int) -> dict[str, Any]:
    """How often each way names a winner, the wrong one, and after how many days."""
    random = np.random.default_rng(7)
    winners = np.zeros((streams, len(_WAYS)), dtype=int)  # 0: none
    days = np.full((streams, len(_WAYS)), np.nan)
    for stream in range(streams):
        second = random.random(_DAYS * _A_DAY) < case.share
        evidence = _SIMULATED[case.metric](random, second, case.difference)
        for way, by_day in enumerate((evidence[0], np.r_[np.zeros(_DAYS - 1), evidence[1][-1]], evidence[1])):
            decided = np.flatnonzero(by_day)
            if decided.size:
                winners[stream, way], days[stream, way] = by_day[decided[0]], decided[0] + 1
    right = np.sign(case.difference)
    found = {
        way: {
            "wrong": float(((winners[:, place] != 0) & (winners[:, place] != right)).mean()),
            "right": float(((winners[:, place] == right) & (right != 0)).mean()),
            "days": float(np.nanmedian(days[:, place])) if np.isfinite(days[:, place]).any() else None,
        }
        for place, way in enumerate(_WAYS)
    }
    planned = planned_cases(case.difference, 0.4, share=case.share) if case.metric == "accuracy" and right else None
    return {"ways": found, "planned_cases": planned}


def _accuracy(random: np.random.Generator, second: Bools, difference: float) -> tuple[Floats, Floats]:
    values = (random.random(len(second)) < np.where(second, 0.8 + difference / 2, 0.8 - difference / 2)).astype(float)
    return _means(values, second, bound=1.0)


def _worth(random: np.random.Generator, second: Bools, difference: float) -> tuple[Floats, Floats]:
    """A warning that is right brings in 10, one in vain costs 2; one case in five is warned of."""
    precision = 0.35 * np.where(second, 1 + difference, 1.0)
    warned, right = random.random(len(second)) < 0.2, random.random(len(second)) < precision
    return _means(np.where(warned, np.where(right, 10.0, -2.0), 0.0), second, bound=12.0)


def _ranking(random: np.random.Generator, second: Bools, difference: float) -> tuple[Floats, Floats]:
    """AUC of 0.8 less or more half the difference, one case in five positive."""
    positive = random.random(len(second)) < 0.2
    gaps = {each: _gap_of_auc(0.8 + sign * difference / 2) for each, sign in ((True, 1), (False, -1))}
    score = random.normal(size=len(second)) + positive * np.where(second, gaps[True], gaps[False])
    groups = 2 * second.astype(np.int64) + positive
    ours = _by_evidence(auc_differences(positive, score, second), closed_blocks(groups, 4), 1.0)
    z = np.zeros(_DAYS)
    for day in range(_DAYS):
        rows = slice(0, (day + 1) * _A_DAY)
        (mean_1, var_1), (mean_2, var_2) = (
            _auc(positive[rows][its], score[rows][its]) for its in (~second[rows], second[rows])
        )
        z[day] = (mean_2 - mean_1) / np.sqrt(var_1 + var_2)
    return ours, np.where(np.abs(z) > _Z, np.sign(z), 0)


_SIMULATED: dict[str, Callable[[np.random.Generator, Bools, float], tuple[Floats, Floats]]] = {
    "accuracy": _accuracy,
    "worth": _worth,
    "ROC AUC": _ranking,
}


def _means(values: Floats, second: Bools, bound: float) -> tuple[Floats, Floats]:
    """(days,) the winner by evidence, and by the z-test of each day: 1 the second, -1 the first, 0 none."""
    ours = _by_evidence(mean_differences(values, second), closed_blocks(second.astype(np.int64), 2), bound)
    at = np.arange(1, _DAYS + 1) * _A_DAY - 1
    parts = []
    for its in (~second, second):
        rows = its.cumsum()[at]
        mean = (values * its).cumsum()[at] / rows
        parts.append((mean, ((values**2 * its).cumsum()[at] / rows - mean**2) / rows))
    z = (parts[1][0] - parts[0][0]) / np.sqrt(parts[0][1] + parts[1][1])
    return ours, np.where(np.abs(z) > _Z, np.sign(z), 0)


def _by_evidence(differences: Floats, blocks: NDArray[np.int64], bound: float) -> Floats:
    """(days,) what `noria.metrics.sequential.compare` decides with the blocks that are complete on each day."""
    up, down = (log_e_process(differences, 0.0, low=-bound, high=bound, side=side) for side in ("greater", "less"))
    complete = np.array([blocks[: (day + 1) * _A_DAY].max() + 1 for day in range(_DAYS)])
    last = np.maximum(complete - 1, 0)
    won = np.where(up[last] >= _NEEDED, 1.0, np.where(down[last] >= _NEEDED, -1.0, 0.0))
    return np.where(complete > 0, won, 0.0)


def _auc(positive: Bools, score: Floats) -> tuple[float, float]:
    """ROC AUC and its variance (J. A. Hanley and B. J. McNeil, 1982)."""
    ranks = np.empty(len(score))
    ranks[np.argsort(score)] = np.arange(1, len(score) + 1)
    hits, misses = positive.sum(), (~positive).sum()
    area = float((ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * misses))
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (hits - 1) * (one - area**2) + (misses - 1) * (two - area**2)
    return area, float(spread / (hits * misses))


def _gap_of_auc(area: float) -> float:
    from statistics import NormalDist

    return float(np.sqrt(2) * NormalDist().inv_cdf(area))


def report(document: dict[str, Any]) -> str:
    """The result as Markdown."""
    nothing = [case for case in document["cases"] if not case["difference"]]
    worst = max(case["ways"][_WAYS[0]]["wrong"] for case in nothing)
    daily = max(case["ways"][_WAYS[2]]["wrong"] for case in nothing)
    lines = [
        "# Comparing two variants while looking each day",
        "",
        circumstances(document),
        "",
        f"{document['streams']:,} simulated experiments per line, each of {_A_DAY} cases a day for {_DAYS} days. Where "
        "there is no difference, any winner is wrong, else the worse variant is. In brackets the median day of the "
        "decision.",
        "",
        f"Goal: at most 5 % wrong winners with daily looks: **{'met' if worst <= 0.05 else 'missed'}** "
        f"({worst:.1%} at most; the z-test looked at each day: {daily:.0%}).",
        "",
        f"| metric | difference | {' | '.join(_WAYS)} | cases planned for 80 % |",
        f"| --- | --- |{' ---: |' * len(_WAYS)} ---: |",
    ]
    for case in document["cases"]:
        cells = []
        for way in _WAYS:
            its = case["ways"][way]
            if not case["difference"]:
                cells.append(f"{its['wrong']:.1%} wrong")
                continue
            day = "" if its["days"] is None else f" (day {its['days']:.0f})"
            cells.append(f"{its['right']:.0%} found{day}, {its['wrong']:.1%} wrong")
        planned = "" if case["planned_cases"] is None else f"{case['planned_cases']:,}"
        lines.append(f"| {case['metric']} | {case['name']} | {' | '.join(cells)} | {planned} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    typer.run(main)
