"""When does retraining pay? `python benchmarks/retraining.py --data FOLDER`.

For each period of a stream a model is learned on the labels known at its start, and scores all later rows. Every way to
retrain (never, by calendar, on an alarm, Noria's policy, the best moments in hindsight) is then a path through these
models, on the same cases. The policy is the same on all streams, and at each look it knows only the labels that have
come. FOLDER holds the tables as data/PROVENANCE.md names them; a table that is not there is left out, and that is said.
The scores are kept in a folder for the next run.
"""

import itertools
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import machine, now, versions
from benchmarks.retrained import cases
from benchmarks.retrained.cases import Case
from benchmarks.retrained.models import GROWING, RECIPES, scores
from benchmarks.retrained.picture import draw
from benchmarks.retrained.report import report
from benchmarks.retrained.stream import Stream, stream_of
from benchmarks.retrained.synthetic import KINDS, synthetic
from benchmarks.retrained.window_rules import RULES, Rule, false_choices
from benchmarks.retrained.worlds import MOST, Ground, totals, worlds

_ROOT = Path(__file__).resolve().parent.parent
_RESULTS = _ROOT / "benchmarks" / "results"
_CACHE = Path(tempfile.gettempdir()) / "noria-retraining"
_FLIGHTS = ("nyc_flights_2013.parquet", "nyc_weather_2013.parquet")
_SEEDS = 3
_LATER = (0, 4, 9, 13)
_PRICES = (0.25, 0.5, 1.0, 2.0, 4.0)
_SEEN = 12
"""Past periods on which a window is chosen, as many as a training looks at."""
_SHARE, _SAMPLES = 0.3, (1, 2)
_PART_OF_GAIN = 0.03
"""Price of the synthetic streams, as a part of what retraining each period gains on the slow move."""


@dataclass(frozen=True)
class Table:
    """A stream of the benchmark, and the stated price of a retraining."""

    name: str
    files: tuple[str, ...]
    read: Callable[..., Case]
    price: float
    unit: str


TABLES = (
    Table(
        "flight_delays",
        ("nyc_flights_2013.parquet", "nyc_weather_2013.parquet"),
        cases.flights,
        1_000,
        "units of worth",
    ),
    Table("bike_demand", ("bike_sharing.csv",), cases.bikes, 1_000, "EUR"),
    Table("census_employment", ("census_employment_ma.parquet",), cases.census, 100, "right answers"),
)


def main(
    data: Annotated[Path, typer.Option(help="Folder of the tables.")] = _ROOT / "data",
    cache: Annotated[Path, typer.Option(help="Folder that keeps scores for the next run.")] = _CACHE,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = _RESULTS,
) -> None:
    """Measure, print, and keep the result in retraining.{json,md,png}."""
    screen, began = Console(highlight=False, soft_wrap=True), time.monotonic()
    output.mkdir(parents=True, exist_ok=True)
    document: dict[str, Any] = {
        "at": now(),
        "machine": machine(),
        "versions": versions("numpy", "scikit-learn", "xgboost", "pandas"),
        "are_models_kept": any(cache.glob("*.npy")),
        "tables": {},
        "robust": {},
    }
    for table in TABLES:
        paths = [_found(data, name) for name in table.files]
        missing = [name for name, path in zip(table.files, paths, strict=True) if path is None]
        if missing:
            screen.print(f"{table.name} is left out: {', '.join(missing)} not in {data}", markup=False)
            continue
        case = table.read(*paths)
        document["tables"][table.name] = _measure(table, case, cache, output)
        if table.name == "flight_delays":
            document["robust"] |= _on_other_flights(table, case, cache)
        screen.print(f"{table.name}: {time.monotonic() - began:.0f} s", markup=False)
    document["robust"] |= _on_synthetic()
    document["false_choices"] = false_choices()
    document["seconds"] = time.monotonic() - began
    (output / "retraining.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (output / "retraining.md").write_text(report(document), encoding="utf-8")
    screen.print(report(document), markup=False)


def _found(data: Path, name: str) -> Path | None:
    return next((path for path in (data / name, data / "yardstick" / name) if path.exists()), None)


def _measure(table: Table, case: Case, cache: Path, output: Path) -> dict[str, Any]:
    found = scores(case, cache)
    stream = stream_of(case, found)
    ways = worlds(Ground(case, stream, found, table.price))
    if table.name == "flight_delays":
        draw(table.name, stream, ways, table.price, output / "retraining.png")
    return {
        "price": table.price,
        "unit": table.unit,
        "period": case.unit,
        "periods": stream.periods,
        "cases": int(stream.cases.sum()),
        "binary": case.binary,
        "worlds": [asdict(way) for way in ways],
        "windows": _windows(case, stream, cache),
    }


def _windows(case: Case, stream: Stream, cache: Path) -> dict[str, Any]:
    """Worth per 1,000 cases of retraining each period: by each window, and by those that rules choose."""
    by_period = {}
    at = np.arange(stream.periods)
    rows = [case.period == period for period in at]
    for recipe in RECIPES:
        one = scores(case, cache, recipe, ahead=None if recipe is GROWING else 1)
        by_period[recipe.name] = np.array(
            [case.worth(one[each, rows[each]].astype(float), case.truth[rows[each]]).sum() for each in at]
        )
    per_case = 1000 / float(stream.cases.sum())
    return {
        "worth": {name: float(worth.sum()) * per_case for name, worth in by_period.items()},
        "rules": {name: _by_rule(rule, by_period, stream, per_case) for name, rule in RULES.items()},
    }


def _by_rule(rule: Rule, by_period: dict[str, np.ndarray], stream: Stream, per_case: float) -> dict[str, Any]:
    """What a rule chooses for each period; it sees the newest periods with labels."""
    used = []
    for period in range(stream.periods):
        ended = max(period - 1, 0)  # labels of the period before may still be to come
        seen = slice(max(ended - _SEEN, 0), ended)
        cases = stream.cases[seen].astype(float)
        used.append(rule({name: worth[seen] / cases for name, worth in by_period.items()}, cases, GROWING.name))
    return {
        "worth": sum(float(by_period[name][period]) for period, name in enumerate(used)) * per_case,
        "periods": dict(Counter(used)),
        "changes": sum(one != other for one, other in itertools.pairwise(used)),
    }


def _on_other_flights(table: Table, case: Case, cache: Path) -> dict[str, Any]:
    stream = stream_of(case, scores(case, cache))
    some = {f"price × {part:g}": totals(stream, table.price * part, MOST) for part in _PRICES}
    some |= {
        f"in service from week {later + 1} on": totals(stream.since(later), table.price, MOST) for later in _LATER[1:]
    }
    for seed in _SAMPLES:
        part = cases.sampled(case, _SHARE, seed)
        sample = stream_of(part, scores(part, cache))
        some[f"{_SHARE:.0%} of the flights, sample {seed}"] = totals(sample, table.price * _SHARE, MOST)
    return {f"flight_delays, {name}": result for name, result in some.items()}


def _on_synthetic() -> dict[str, Any]:
    slow = [synthetic("a slow move", seed).worth for seed in range(_SEEDS)]
    price = _PART_OF_GAIN * float(np.mean([np.trace(each) - each[0].sum() for each in slow]))
    found = {}
    for kind in KINDS:
        each = [totals(synthetic(kind, seed), price) for seed in range(_SEEDS)]
        found[f"synthetic, {kind}"] = {name: float(np.mean([one[name] for one in each])) for name in each[0]}
    return found


if __name__ == "__main__":
    typer.run(main)
