"""How many labels a good model needs, chosen by Noria or at random: `python benchmarks/labels.py`.

The labels of a table are hidden. Each way begins without any, asks for ten, fits a model, asks for some more, and so
on. Noria's choice is that of `run.py label`, its random share included.
"""

import json
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import threadpoolctl  # type: ignore[import-untyped]
import typer
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.labelled.curves import at_random, by_noria, curve, full_area, goal_of, labels_needed, sizes
from benchmarks.labelled.picture import draw
from benchmarks.labelled.report import report
from benchmarks.labelled.tables import TABLES
from benchmarks.machine import machine, now, versions

_ROOT = Path(__file__).resolve().parent.parent
_RESULTS = _ROOT / "benchmarks" / "results"
_SEEDS = {"churn": 20, "flights": 6, "spam": 20}
_WAYS = {"Noria": by_noria, "random": at_random}


@dataclass(frozen=True)
class Found:
    """The curves of one table."""

    model: str
    pool: int
    test: int
    full: float
    goal: float
    counts: list[int]
    areas: dict[str, list[list[float]]]
    """Way → one curve per seed."""
    needed: dict[str, float | None]
    """Way → labels at which its mean curve reaches the goal; None: it does not."""


def main(
    table: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(TABLES)}; default: all.")] = None,
    data: Annotated[Path, typer.Option(help="Folder of the tables.")] = _ROOT / "data",
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = _RESULTS,
) -> None:
    """Measure, print, and keep the result in labels.{json,md,png}; results of other tables stay."""
    screen = Console(highlight=False, soft_wrap=True)
    kept = output / "labels.json"
    document: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {"tables": {}}
    document |= {"at": now(), "machine": machine(), "versions": versions("scikit-learn", "xgboost", "numpy")}
    output.mkdir(parents=True, exist_ok=True)
    for name in table or list(TABLES):
        began = time.monotonic()
        found = measure(name, data)
        screen.print(f"{name}: {found.needed}, {time.monotonic() - began:.0f} s", markup=False)
        document["tables"][name] = asdict(found) | {"seconds": round(time.monotonic() - began)}
        kept.write_text(json.dumps(document) + "\n", encoding="utf-8")
    draw(document["tables"], output / "labels.png")
    text = report(document)
    (output / "labels.md").write_text(text, encoding="utf-8")
    screen.print(text, markup=False)


def measure(name: str, folder: Path) -> Found:
    """All curves of one table, on one thread."""
    with warnings.catch_warnings(), threadpoolctl.threadpool_limits(1):
        warnings.simplefilter("ignore")  # a fit on ten labels may stop short; its curve shows it
        labels = TABLES[name](folder)
        full = full_area(labels)
        goal, counts = goal_of(full), sizes(labels.most)
        areas = {way: [curve(labels, choose, seed) for seed in range(_SEEDS[name])] for way, choose in _WAYS.items()}
    needed = {way: labels_needed(counts, found, goal) for way, found in areas.items()}
    return Found(
        labels.model,
        len(labels.pool),
        len(labels.test),
        full,
        goal,
        counts,
        areas,
        {way: float(value) if np.isfinite(value) else None for way, value in needed.items()},
    )


if __name__ == "__main__":
    typer.run(main)
