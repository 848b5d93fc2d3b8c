"""One measurement in a process of its own: `python -m benchmarks.monitored.measure WAY FOLDER`, its result as JSON.

Everything is imported and run once on a small window before the clock starts.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pandas as pd

from benchmarks.monitored.rows import NOW, use_case
from noria.bundle import Bundle
from noria.monitoring import monitor, read_window
from noria.monitoring.drift import measure_drift
from noria.monitoring.logged_predictions import comparison_tables, totals_basis
from noria.monitoring.window_totals import count_rows
from noria.predictions import PredictionStore
from noria.predictions.scan import ScanQuery, drawn_first
from noria.system.workspace import Workspace

SMALL = "25000"
"""Folder of the window that is used to warm up."""
_LIMIT = 0.1
Verdicts = dict[str, tuple[float, bool]]


def columns(folder: Path) -> Verdicts:
    """Noria, from the store to a verdict for each column."""
    bundle, store = _opened(folder)
    since, small = NOW - timedelta(days=30), 100
    query = ScanQuery(since=since, until=NOW, version="1", answer="probability", young_since=since, draw=small)
    totals = count_rows(store.scan(query), totals_basis(bundle, (), use_case().evaluation.slices))
    sample = store.rows_of(drawn_first(totals.drawn, small))
    reference, current, compared = comparison_tables(bundle, sample)
    counted = {**totals.columns, str(compared.prediction): totals.answer}
    found = measure_drift(reference, current, compared, totals=counted)
    store.close()
    moves = [*found.inputs, *([found.predictions] if found.predictions else [])]
    names = {str(compared.prediction): "probability"}
    return {names.get(each.name, each.name): (each.distance, each.moved) for each in moves}


def check(folder: Path) -> Verdicts:
    """Noria, from the store to the verdict: the whole check with its pages."""
    bundle, store = _opened(folder)
    case = use_case()
    window = read_window(store, case, "1", NOW, bundle=bundle)
    verdict = monitor(bundle, window, case, Workspace(case.name), NOW)
    store.close()
    drift = verdict.drift
    return {} if drift is None else {each.name: (each.distance, each.moved) for each in drift.inputs}


def evidently(folder: Path, reference_rows: int | None = None) -> Callable[[], Verdicts]:
    """Evidently's DataDriftPreset as it is by default, on the same rows in memory; reading them is not measured.

    With `reference_rows` so many are drawn from the reference, as if it had not been a sample.
    """
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    bundle = Bundle.open(folder.parent / "bundle")
    kinds = {column.name: column.kind for column in bundle.manifest.schema_.columns}
    numbers = [*(name for name, kind in kinds.items() if kind == "number"), "probability"]
    categories = [name for name, kind in kinds.items() if kind == "category"]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=categories)
    learned = bundle.reference()
    if reference_rows is not None:
        learned = learned.sample(reference_rows, replace=True, random_state=0)
    given = pd.read_parquet(folder / "rows.parquet"), learned
    current, reference = (_spelled(table[[*numbers, *categories]], categories) for table in given)

    def compare() -> Verdicts:
        now, then = (Dataset.from_pandas(table, data_definition=definition) for table in (current, reference))
        found = json.loads(Report([DataDriftPreset()]).run(now, then).json())["metrics"]
        drifts = [each for each in found if each["config"]["type"].endswith(":ValueDrift")]
        return {each["config"]["column"]: (each["value"], each["value"] >= _LIMIT) for each in drifts}

    return compare


def main(way: str, folder: Path) -> None:
    """Measure and print seconds, processor seconds, memory and verdicts."""
    ways: dict[str, Callable[[Path], Callable[[], Verdicts]]] = {
        "columns": lambda at: partial(columns, at),
        "check": lambda at: partial(check, at),
        "evidently": evidently,
        "evidently_large": lambda at: evidently(at, int(at.name)),
    }
    prepare = ways[way]
    prepare(folder.parent / SMALL)()
    run = prepare(folder)
    started, processor = time.perf_counter(), time.process_time()
    verdicts = run()
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - started,
                "processor_seconds": time.process_time() - processor,
                "peak_mb": _peak_mb(),
                "verdicts": verdicts,
            }
        )
    )


def _opened(folder: Path) -> tuple[Bundle, PredictionStore]:
    return Bundle.open(folder.parent / "bundle"), PredictionStore(f"sqlite:///{folder / 'predictions.db'}")


def _spelled(table: pd.DataFrame, categories: list[str]) -> pd.DataFrame:
    """A missing category as one of its own, as Noria compares it."""
    texts = {name: table[name].astype(object).where(table[name].notna(), "(missing)") for name in categories}
    return table.assign(**texts)


def _peak_mb() -> float:
    """By the kernel's mark, because `getrusage` begins with what the parent had; of Linux only."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1_024


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
