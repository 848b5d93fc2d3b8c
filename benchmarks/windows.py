"""Does `data.window: auto` pay? `python benchmarks/windows.py`.

At each of several moments the backtest of a training chooses a window on the rows whose labels are known by then. The
model learned with it and the one learned on all rows are judged on the 30 days that follow, which neither the choice
nor the models have seen. Both are XGBoost with its default parameters.
"""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import circumstances, machine, now, versions
from noria.config import UseCase, load_use_case
from noria.config.data import WindowConfig
from noria.data.validation import validate
from noria.data.window import within_window
from noria.history import add_history
from noria.labelled_cases import read_training_table
from noria.metrics.metrics import compute_metrics, greater_is_better
from noria.models.candidates import default_params
from noria.models.fitted_model import FittedModel, fit
from noria.training.windows import choose_training_window
from noria.training.windows.plan import times_of

_ROOT = Path(__file__).resolve().parent.parent
_JUDGED_DAYS = 30
_KIND = "xgboost"
_FIXED = (WindowConfig(days=120), WindowConfig(half_life_days=60))
CASES = {
    "bike_demand": ("2011-10-01", "2012-01-01", "2012-03-01", "2012-05-01", "2012-07-01", "2012-09-01", "2012-11-01"),
    "flight_delays": ("2013-05-01", "2013-07-01", "2013-09-01", "2013-11-01"),
}


def main(
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = _ROOT / "benchmarks" / "results",
) -> None:
    """Measure, print, and keep the result in windows.{json,md}."""
    screen = Console(highlight=False, soft_wrap=True)
    document: dict[str, Any] = {
        "at": now(),
        "machine": machine(),
        "versions": versions("numpy", "xgboost", "pandas"),
        "cases": {name: _measure(name, moments, screen) for name, moments in CASES.items()},
    }
    (output / "windows.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (output / "windows.md").write_text(report(document), encoding="utf-8")
    screen.print(report(document), markup=False)


def _measure(name: str, moments: tuple[str, ...], screen: Console) -> dict[str, Any]:
    use_case = load_use_case(_ROOT / "configs" / f"{name}.yaml")
    data = use_case.data.model_copy(update={"since": None, "until": None, "window": "auto"})
    table = read_training_table(data, None, use_case.reading)
    use_case = use_case.model_copy(update={"data": data}).with_readings(table.readings)
    rows = add_history(validate(table.frame, use_case).frame, use_case)
    found = []
    for moment in moments:
        found.append(_at(pd.Timestamp(moment), rows, use_case))
        screen.print(f"{name} {moment}: {found[-1]['reason']}", markup=False)
    return {"metric": use_case.evaluation.metric, "unit": use_case.problem.unit, "moments": found}


def _at(moment: pd.Timestamp, rows: pd.DataFrame, use_case: UseCase) -> dict[str, Any]:
    times = times_of(rows, use_case)
    begin = int(moment.value // 1_000)
    until = begin + _JUDGED_DAYS * 86_400_000_000
    train = rows[times.known <= begin].reset_index(drop=True)
    asked = rows[(times.asked >= begin) & (times.asked < until)].reset_index(drop=True)
    start = time.perf_counter()
    choice = choose_training_window(train, use_case)
    chose = time.perf_counter() - start
    growing = use_case.with_window(None)
    start = time.perf_counter()
    plain = _model(train, growing)
    fitted = time.perf_counter() - start
    return {
        "moment": f"{moment:%Y-%m-%d}",
        "rows": len(train),
        "judged": len(asked),
        "window": "all rows" if choice.window is None else str(choice.window),
        "reason": choice.reason,
        "fits": choice.fits,
        "cost": choice.cost,
        "share": choice.share,
        "seconds_in_fits": chose / fitted,
        "all_rows": _quality(plain, asked, growing),
        "fixed": {str(each): _quality(_windowed(train, each, use_case), asked, growing) for each in _FIXED},
        "chosen": _quality(_windowed(train, choice.window, use_case), asked, growing),
    }


def _windowed(train: pd.DataFrame, window: WindowConfig | None, use_case: UseCase) -> FittedModel:
    return _model(within_window(train, window, use_case.data.time), use_case.with_window(window))


def _model(train: pd.DataFrame, use_case: UseCase) -> FittedModel:
    return fit(_KIND, default_params(_KIND, use_case), train, use_case, warn=False)


def _quality(fitted: FittedModel, asked: pd.DataFrame, use_case: UseCase) -> dict[str, float]:
    truth = asked[use_case.data.target].to_numpy()
    found = compute_metrics(use_case, truth, fitted.scores(asked), classes=fitted.classes or None)
    return {name: found[name] for name in {use_case.evaluation.metric, "worth"}}


_ABOUT = (
    "`python benchmarks/windows.py`: at each moment the backtest of a training chooses a window on the rows whose "
    "labels are known by then. The models learned with it, on all rows and with fixed windows "
    f"({_KIND}, default parameters) are judged on the {_JUDGED_DAYS} days that follow, which neither the choice nor "
    "the models have seen. Each cell: the metric, and the worth of 1,000 decisions. Cost: of the backtest, as a share "
    "of what a training fits (rows × trees); time: of the backtest, in fits of one model on all rows. The census table "
    "has no date below the year, so `auto` refuses it; [retraining.md](retraining.md) has it with periods."
)


def report(document: dict[str, Any]) -> str:
    """The result as Markdown."""
    lines = [
        "# Does `data.window: auto` pay?",
        "",
        circumstances(document),
        "",
        _ABOUT,
        "",
    ]
    for name, case in document["cases"].items():
        lines += [*_case(name, case), ""]
    return "\n".join(lines)


def _case(name: str, case: dict[str, Any]) -> list[str]:
    metric, moments = case["metric"], case["moments"]
    sign = 1 if greater_is_better(metric) else -1
    fixed = list(moments[0]["fixed"])
    lines = [
        f"## {name}",
        f"| on | rows | all rows | {' | '.join(fixed)} | chosen | the chosen window | cost | time |",
        f"| --- |{' ---: |' * (3 + len(fixed))} --- | ---: | ---: |",
    ]
    for one in moments:
        each = [one["all_rows"], *one["fixed"].values(), one["chosen"]]
        cells = " | ".join(f"{found[metric]:.4g}, {found['worth']:,.0f}" for found in each)
        lines.append(
            f"| {one['moment']} | {one['rows']:,} | {cells} | {one['window']} | {one['cost']:.0%} | "
            f"{one['seconds_in_fits']:.1f} |"
        )
    gains = np.array([sign * (one["chosen"][metric] - one["all_rows"][metric]) for one in moments])
    worths = np.array([one["chosen"]["worth"] - one["all_rows"]["worth"] for one in moments])
    other = sum(one["window"] != "all rows" for one in moments)
    if not other:
        return [*lines, "", f"It **changes nothing** here: all rows are kept at each of {len(moments)} moments."]
    verdict = "**pays**" if gains.mean() > 0 else "**does not pay**"
    return [
        *lines,
        "",
        f"It {verdict} here: {metric} better by {gains.mean():.3g} and worth per 1,000 higher by {worths.mean():,.0f} "
        f"than with all rows, in the mean of {len(moments)} moments. Another window than all rows was chosen at "
        f"{other}; it was better at {int((gains > 0).sum())} and worse at {int((gains < 0).sum())} of them.",
    ]


if __name__ == "__main__":
    typer.run(main)
