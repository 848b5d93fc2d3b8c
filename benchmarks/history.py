"""What features of earlier cases bring, and what they cost: `python benchmarks/history.py`.

The flights of 2013, as `configs/flight_delays.yaml` has them. Models learn from January and February and answer the 44
weeks after, never retrained, with and without the features. Then the features are computed case by case, as a worker of
the service does it.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import typer
from rich.console import Console
from sklearn.metrics import roc_auc_score

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import machine, now, versions
from noria.config import UseCase, load_use_case
from noria.data.sources import read_table
from noria.data.validation import validate
from noria.history import HistoryState, add_history
from noria.history.seed import newest_cases, pack_seed
from noria.models.fitted_model import fit
from noria.schema import InputSchema

_ROOT = Path(__file__).resolve().parent.parent
_RESULTS = _ROOT / "benchmarks" / "results"
_UNTIL = pd.Timestamp("2013-03-01", tz="UTC")
_ASKED = 2_000
GOALS = {"roc_auc": 0.691, "worth": 601.0, "ms": 5.0}
"""At least the AUC and the worth of 1,000 flights of another team's XGBoost that was never retrained; at most so many
milliseconds for the features of one flight, of the 100 that the use case allows for a whole answer."""


@dataclass(frozen=True)
class Measured:
    """One model on the 44 weeks."""

    model: str
    history: bool
    roc_auc: float
    worth: float
    """Of 1,000 flights."""


def main() -> None:
    """Measure, print, and keep the result in benchmarks/results/history.{json,md}."""
    use_case = _whole_year()
    source = read_table(use_case.data, use_case.reading)
    use_case = use_case.with_readings(source.readings)
    frame = validate(source.frame, use_case).frame
    began = time.perf_counter()
    table = add_history(frame, use_case)
    seconds = time.perf_counter() - began
    found = [_measured(kind, with_it, table, use_case) for kind in ("linear", "xgboost") for with_it in (False, True)]
    served = _served(table[table["scheduled"] < _UNTIL], table[table["scheduled"] >= _UNTIL], use_case)
    document = {
        "at": now(),
        "machine": machine(),
        "versions": versions("numpy", "pandas", "scikit-learn", "xgboost"),
        "rows": len(table),
        "table_s": round(seconds, 2),
        "models": [asdict(each) for each in found],
        "served": served,
    }
    text = _report(document, found, served)
    (_RESULTS / "history.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (_RESULTS / "history.md").write_text(text, encoding="utf-8")
    Console(highlight=False, soft_wrap=True).print(text, markup=False)


def _whole_year() -> UseCase:
    raw = load_use_case(_ROOT / "configs" / "flight_delays.yaml").model_dump(mode="json")
    raw["data"]["until"] = None
    return UseCase.model_validate(raw)


def _measured(kind: str, with_it: bool, table: pd.DataFrame, use_case: UseCase) -> Measured:
    if not with_it:
        table = table.drop(columns=[feature.name for feature in use_case.features.history])
        raw = use_case.model_dump(mode="json")
        raw["features"]["history"] = []
        use_case = UseCase.model_validate(raw)
    early = table["scheduled"] < _UNTIL
    params = use_case.models.candidates["xgboost"].params if kind == "xgboost" else {}
    model = fit(kind, params, table[early].reset_index(drop=True), use_case, warn=False)
    later = table[~early]
    scores = model.scores(later)
    late = (later["late"] == "yes").to_numpy()
    warned = scores >= 2 / 12
    worth = 1_000 * float(np.mean(np.where(warned, np.where(late, 10, -2), 0)))
    return Measured(kind, with_it, round(float(roc_auc_score(late, scores)), 4), round(worth, 1))


def _served(learned: pd.DataFrame, later: pd.DataFrame, use_case: UseCase) -> dict[str, float]:
    """The features of one flight after the other, in milliseconds of processor time: other work does not count."""
    schema = InputSchema.fit(learned, use_case, warn=False)
    ids: list[str | None] = learned["flight_id"].astype(str).tolist()
    seed = pack_seed(*newest_cases(learned, schema, ids))
    began = time.thread_time()
    state = HistoryState(schema, seed)
    loaded = time.thread_time() - began
    names = state.spec.inputs
    asked = later.head(_ASKED)
    shown = asked[names].assign(scheduled=asked["scheduled"].map(lambda moment: moment.isoformat()))
    spent: dict[str, list[float]] = {"asked": [], "added": []}
    for id, row in zip(asked["flight_id"], shown.itertuples(index=False, name=None), strict=True):
        start = time.thread_time()
        state.complete(names, [row], [id])
        middle = time.thread_time()
        state.add_rows(names, [row], [id], [id])
        spent["asked"].append(middle - start)
        spent["added"].append(time.thread_time() - middle)
    quantiles = {
        f"{name}_{q}": float(np.quantile(times, q / 100)) * 1e3 for name, times in spent.items() for q in (50, 99)
    }
    figures = {"seed_kb": len(seed) / 1e3, "cases": float(len(state)), "load_ms": loaded * 1e3}
    return {name: round(value, 3) for name, value in (figures | quantiles).items()}


def _report(document: dict[str, object], found: list[Measured], served: dict[str, float]) -> str:
    lines = ["# Features of earlier cases", "", f"`python benchmarks/history.py`, {document['at']}", ""]
    lines += [f"- {name}: {value}" for name, value in dict(document["machine"]).items()]  # type: ignore[call-overload]
    lines += [
        "",
        "Flights out of New York: learned from January and February, answered for the 44 weeks after, never retrained.",
        "",
        "| model | features of earlier cases | ROC AUC | worth of 1,000 flights |",
        "|---|---|---:|---:|",
    ]
    for each in found:
        lines.append(f"| {each.model} | {'yes' if each.history else 'no'} | {each.roc_auc:.3f} | {each.worth:.0f} |")
    lines += [
        "",
        f"- the whole table, {document['rows']:,} rows and 6 features: {document['table_s']} s",
        f"- the cases in the bundle: {served['seed_kb']:,.0f} kB, loaded in {served['load_ms']:.0f} ms",
        f"- the features of one flight: median {served['asked_50']:.2f} ms, 99 % within {served['asked_99']:.2f} ms",
        f"- counting it for later ones: median {served['added_50']:.2f} ms, 99 % within {served['added_99']:.2f} ms",
        "",
        "All but the first are processor time.",
        "",
    ]
    best = max((each for each in found if each.history), key=lambda each: each.roc_auc)
    values = {"roc_auc": best.roc_auc, "worth": max(each.worth for each in found if each.history)}
    for name, value in values.items():
        lines.append(f"- {name}: {value}, goal at least {GOALS[name]}: {'met' if value >= GOALS[name] else 'MISSED'}")
    met = "met" if served["asked_99"] <= GOALS["ms"] else "MISSED"
    lines.append(f"- 99 % of flights: {served['asked_99']} ms, goal at most {GOALS['ms']} ms: {met}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    typer.run(main)
