"""Quality where labels come for acted cases only: `python benchmarks/partial_labels.py`.

People of Massachusetts, 2016 to 2018, and a model that says who is employed; who is said to be, is acted on. In windows
of 5,000 people the labels of those acted on are known, and of some others, drawn at random. What is estimated from
these is compared with what all labels of the window say.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from numpy.typing import NDArray
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import circumstances, machine, now, versions
from noria.metrics import weighted_statistics
from noria.metrics.bootstrap import Statistic
from noria.monitoring.partial_labels import weigh_labels

_ROOT = Path(__file__).resolve().parent.parent
_RESULTS = _ROOT / "benchmarks" / "results"
_TABLE = _ROOT / "data" / "yardstick" / "census_employment_ma.parquet"
_ROWS = 5_000
_DRAWS = (50, 100, 200, 400)
_METRICS = ("ROC AUC", "Brier")
_OLD = datetime(2020, 1, 1, tzinfo=UTC)


def main(output: Annotated[Path, typer.Option(help="Folder of the results.")] = _RESULTS) -> None:
    """Measure, print, and keep the result in partial_labels.{json,md}."""
    table = pd.read_parquet(_TABLE)
    later = table[table["part"] == "analysis"].reset_index(drop=True)
    windows = [later.iloc[start : start + _ROWS] for start in range(0, len(later) - _ROWS + 1, _ROWS)]
    document: dict[str, Any] = {"at": now(), "machine": machine(), "versions": versions("numpy"), "draws": {}}
    for draws in _DRAWS:
        document["draws"][str(draws)] = _summary([_window(each, draws, seed) for seed, each in enumerate(windows)])
    document["windows"] = len(windows)
    output.mkdir(parents=True, exist_ok=True)
    (output / "partial_labels.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (output / "partial_labels.md").write_text(report(document), encoding="utf-8")
    Console(highlight=False, soft_wrap=True).print(report(document), markup=False)


def _window(rows: pd.DataFrame, draws: int, seed: int) -> dict[str, Any]:
    """Errors of one window, by metric and way, whether the intervals held, and the effective labels."""
    scores, truth = rows["predicted_probability"].to_numpy(dtype=np.float64), rows["employed"].to_numpy() == 1
    acted = rows["prediction"].to_numpy() == 1
    drawn = np.random.default_rng(seed).choice(np.flatnonzero(~acted), draws, replace=False)
    is_drawn = np.isin(np.arange(len(rows)), drawn)
    cases = pd.DataFrame(
        {
            "prediction_id": [str(place) for place in range(len(rows))],
            "event_at": pd.to_datetime([_OLD] * len(rows)),
            "decision": np.where(acted, "act", "leave"),
            "score": scores,
            "is_labelled": acted | is_drawn,
            "selected_by": np.where(is_drawn, "random", None),
        }
    )
    labelled = cases.assign(truth=truth)[cases["is_labelled"]].reset_index(drop=True)
    found = weigh_labels(cases, labelled, ["act"], _OLD)
    real = _statistics(truth, scores)
    weighed = _statistics(found.labelled["truth"].to_numpy(), found.labelled["score"].to_numpy())
    of_acted, of_drawn = _statistics(truth[acted], scores[acted]), _statistics(truth[is_drawn], scores[is_drawn])
    errors, held = {}, {}
    for name in _METRICS:
        value = _plain(real[name], len(rows))
        low, high = found.weights.interval(weighed[name], 0.95, 500, seed)
        errors[name] = {
            "acted on": _plain(of_acted[name], int(acted.sum())) - value,
            "drawn": _plain(of_drawn[name], draws) - value,
            "together": _plain(weighed[name], len(found.labelled)) - value,
            "weighed": found.weights.value(weighed[name]) - value,
        }
        held[name] = bool(low <= value <= high)
    return {"errors": errors, "held": held, "effective": found.weights.effective}


def _statistics(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> dict[str, Statistic]:
    found = weighted_statistics.binary(truth, scores)
    return {"ROC AUC": found["roc_auc"], "Brier": found["brier"]}


def _plain(statistic: Statistic, rows: int) -> float:
    return float(statistic(np.ones((1, rows)))[0])


def _summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    errors = {
        name: {
            way: float(np.mean([abs(each["errors"][name][way]) for each in found])) for way in found[0]["errors"][name]
        }
        for name in _METRICS
    }
    held = {name: float(np.mean([each["held"][name] for each in found])) for name in _METRICS}
    return {"errors": errors, "held": held, "effective": float(np.mean([each["effective"] for each in found]))}


def report(document: dict[str, Any]) -> str:
    """The result as Markdown."""
    lines = [
        "# Labels for some decisions only",
        "",
        circumstances(document),
        "",
        f"Mean absolute error against what all labels of a window say, over {document['windows']} windows of "
        f"{_ROWS:,} people of the census table. The labels of those acted on are known, and of some others, drawn at "
        "random. *Together*: both kinds, unweighted. The last column says how often the 95 % interval of the weighed "
        "figure held. With 50 drawn it is too narrow: few of them are positive, and a bootstrap cannot know of others.",
        "",
        "| drawn | metric | acted on alone | drawn alone | together | weighed | effective labels | held |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for draws, found in document["draws"].items():
        for name in _METRICS:
            errors = found["errors"][name]
            cells = [f"{errors[way]:.4f}" for way in ("acted on", "drawn", "together", "weighed")]
            lines.append(
                f"| {draws} | {name} | {' | '.join(cells)} | {found['effective']:.0f} | {found['held'][name]:.0%} |"
            )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    typer.run(main)
