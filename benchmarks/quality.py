"""How good Noria's answers are beside boosting at its defaults: `python benchmarks/quality.py`.

Every table is divided once, by time where it has one. Noria gets the earlier rows as anybody would give them: `new` as
it stands, `train`, and `predict` on the outer test rows, in processes of their own. The boosting of scikit-learn and of
XGBoost learns from the same rows. `--beside FOLDER` runs another checkout of Noria, such as the version before.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import typer
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.machine import circumstances, machine, now, versions

_ROOT = Path(__file__).resolve().parent.parent
_RESULTS = _ROOT / "benchmarks" / "results"
_TEST_SHARE = 0.25
_RESAMPLED = 1_000
_SEED = 7
Task = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True)
class Table:
    """A table of the benchmark."""

    file: str
    target: str
    task: Task
    time: str = ""
    """Where given, the latest rows are the outer test rows."""
    drop: tuple[str, ...] = ()
    """Columns that are known only after the decision."""

    @property
    def name(self) -> str:
        """The name of its file."""
        return Path(self.file).stem


TABLES = [
    Table("telco_churn.csv", "churn", "binary"),
    Table("bike_sharing.csv", "cnt", "regression", time="dteday", drop=("casual", "registered")),
    Table("yardstick/adult.parquet", "income", "binary"),
    Table("yardstick/ames.parquet", "Sale_Price", "regression"),
    Table("yardstick/attrition.parquet", "Attrition", "binary"),
    Table("yardstick/deliveries.parquet", "time_to_delivery", "regression"),
    Table("yardstick/diamonds.parquet", "price", "regression"),
    Table(
        "yardstick/hotel_rates.parquet",
        "avg_price_per_room",
        "regression",
        time="arrival_date",
        drop=("arrival_date_num",),
    ),
    Table("yardstick/hpc_data.parquet", "class", "multiclass"),
    Table("yardstick/mlc_churn.parquet", "churn", "binary"),
]
METRICS = {"binary": "ROC AUC", "multiclass": "accuracy", "regression": "MAE"}


@dataclass(frozen=True)
class Measured:
    """How one way answered the outer test rows of one table."""

    value: float
    """Its metric."""
    seconds: float
    """From the rows to the answers."""
    low: float = 0.0
    """Lower end of the 95 % interval of Noria's lead over it, by a paired bootstrap; below 0 Noria may be worse."""
    high: float = 0.0
    """Upper end."""


def main(
    table: Annotated[list[str] | None, typer.Option(help="One table; give it once per table.")] = None,
    beside: Annotated[Path | None, typer.Option(help="Folder of another checkout of Noria.")] = None,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = _RESULTS,
) -> None:
    """Measure, print, and keep the result in quality.{json,md}; results of other tables stay."""
    screen = Console(highlight=False, soft_wrap=True)
    chosen = [each for each in TABLES if table is None or each.name in table]
    kept = output / "quality.json"
    document: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {"tables": {}}
    document |= {
        "at": now(),
        "machine": machine(),
        "versions": versions("scikit-learn", "xgboost", "pandas"),
    }
    for each in chosen:
        found = measure(each, beside, screen)
        document["tables"][each.name] = {
            "task": each.task,
            "by_time": bool(each.time),
            "ways": {way: asdict(one) for way, one in found.items()},
        }
        output.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        (output / "quality.md").write_text(report(document), encoding="utf-8")
    screen.print(report(document), markup=False)


def measure(table: Table, beside: Path | None, screen: Console) -> dict[str, Measured]:
    """Every way on one table, with Noria's lead over each."""
    train, test = outer_split(table)
    ways: dict[str, Callable[[], np.ndarray]] = {
        "Noria": lambda: by_noria(_ROOT, table, train, test),
        "HistGradientBoosting": lambda: by_boosting(table, train, test, "sklearn"),
        "XGBoost": lambda: by_boosting(table, train, test, "xgboost"),
    }
    if beside is not None:
        ways["Noria before"] = lambda: by_noria(beside, table, train, test)
    answers, found = {}, {}
    for way, answer in ways.items():
        began = time.monotonic()
        answers[way] = answer()
        value = metric(table, test, answers[way])
        low, high = lead(table, test, answers["Noria"], answers[way])
        found[way] = Measured(value, time.monotonic() - began, low, high)
        screen.print(f"{table.name}: {way} {METRICS[table.task]} {value:.4f}, {found[way].seconds:.0f} s", markup=False)
    return found


def outer_split(table: Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows to learn from and the outer test rows."""
    path = _ROOT / "data" / table.file
    frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    frame = frame.drop(columns=list(table.drop))
    rows = round(len(frame) * _TEST_SHARE)
    if table.time:
        frame = frame.sort_values(table.time, kind="stable").reset_index(drop=True)
        start = int(frame[table.time].searchsorted(frame[table.time].iloc[-rows], side="left"))
        return frame.iloc[:start], frame.iloc[start:].reset_index(drop=True)
    order = np.random.default_rng(_SEED).permutation(len(frame))
    return frame.iloc[np.sort(order[rows:])], frame.iloc[np.sort(order[:rows])].reset_index(drop=True)


def by_noria(root: Path, table: Table, train: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
    """The scores of `new`, `train` and `predict`, as they stand."""
    with tempfile.TemporaryDirectory(prefix="noria-quality-") as folder:
        place = Path(folder)
        train.to_parquet(place / f"{table.name}.parquet", index=False)
        asked = test.drop(columns=table.target)
        asked.to_parquet(place / "asked.parquet", index=False)
        environment = {**os.environ, "NORIA_HOME": str(place / "home"), "ZENML_CONFIG_PATH": str(place / "zenml")}
        config = str(place / f"{table.name}.yaml")

        def run(*arguments: str) -> None:
            done = subprocess.run(  # noqa: S603 - our own command
                [sys.executable, "run.py", *arguments],
                cwd=root,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise RuntimeError(f"{table.name}, {arguments[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")

        run("new", "--data", str(place / f"{table.name}.parquet"), "--target", table.target, "--output", config)
        run("train", "--config", config)
        out = place / "answers.parquet"
        run("predict", "--config", config, "--input", str(place / "asked.parquet"), "--output", str(out))
        answers = pd.read_parquet(out)
    if len(answers) != len(test):
        raise RuntimeError(f"{table.name}: {len(test) - len(answers)} of {len(test)} rows were not answered")
    if table.task == "binary":
        return np.asarray(answers["probability"], dtype=np.float64)
    kind = np.float64 if table.task == "regression" else str
    return np.asarray(answers["prediction"], dtype=kind)


def by_boosting(table: Table, train: pd.DataFrame, test: pd.DataFrame, library: str) -> np.ndarray:
    """The scores of a library's boosting at its defaults; text as categories, dates as seconds."""
    known = train[train[table.target].notna()]
    inputs, asked = _plain(known, test, table)
    truth = known[table.target]
    codes, classes = (truth, None) if table.task == "regression" else pd.factorize(truth.astype(str), sort=True)
    model: Any
    if library == "sklearn":
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        maker = HistGradientBoostingRegressor if classes is None else HistGradientBoostingClassifier
        model = maker(categorical_features="from_dtype", random_state=_SEED)
    else:
        from xgboost import XGBClassifier, XGBRegressor

        maker = XGBRegressor if classes is None else XGBClassifier
        model = maker(enable_categorical=True, random_state=_SEED)
    model.fit(inputs, codes)
    if classes is None:
        return np.asarray(model.predict(asked), dtype=np.float64)
    if table.task == "binary":
        return np.asarray(model.predict_proba(asked)[:, 1], dtype=np.float64)
    return np.asarray(classes)[np.asarray(model.predict(asked), dtype=int)].astype(str)


def _plain(train: pd.DataFrame, test: pd.DataFrame, table: Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    inputs, asked = {}, {}
    for name in train.columns.drop(table.target):
        values, others = train[name], test[name]
        if pd.api.types.is_datetime64_any_dtype(values) or name == table.time:
            inputs[name], asked[name] = (pd.to_datetime(one).astype("int64") / 1e9 for one in (values, others))
        elif pd.api.types.is_numeric_dtype(values):
            inputs[name], asked[name] = values.astype("float64"), others.astype("float64")
        else:
            kinds = sorted(values.dropna().astype(str).unique()[:250])  # as many as scikit-learn's boosting takes
            inputs[name], asked[name] = (
                pd.Series(pd.Categorical(one.astype("str").where(one.astype("str").isin(kinds)), kinds), one.index)
                for one in (values, others)
            )
    return pd.DataFrame(inputs), pd.DataFrame(asked)


def metric(table: Table, test: pd.DataFrame, answers: np.ndarray) -> float:
    """The table's metric; the positive class of a binary target is the one that `new` acts on."""
    from sklearn.metrics import mean_absolute_error, roc_auc_score

    truth = test[table.target]
    if table.task == "regression":
        return float(mean_absolute_error(truth, answers))
    texts = truth.astype(str).to_numpy()
    if table.task == "multiclass":
        return float((texts == answers).mean())
    area = float(roc_auc_score(texts == max(texts), answers))
    return max(area, 1 - area)  # whichever class the score is of


def lead(table: Table, test: pd.DataFrame, ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """95 % interval of how much better Noria is, by resampling the outer test rows (Efron and Tibshirani 1993)."""
    random, differences = np.random.default_rng(_SEED), []
    sign = -1 if table.task == "regression" else 1
    for _ in range(_RESAMPLED):
        rows = random.integers(0, len(test), len(test))
        some = test.iloc[rows]
        if table.task != "regression" and some[table.target].nunique() < test[table.target].nunique():
            continue
        differences.append(sign * (metric(table, some, ours[rows]) - metric(table, some, theirs[rows])))
    low, high = np.quantile(differences, [0.025, 0.975])
    return float(low), float(high)


def report(document: dict[str, Any]) -> str:
    """The result as Markdown."""
    lines = [
        "# How good the answers are",
        "",
        circumstances(document),
        "",
        "`new` as it stands, `train` and `predict`, on the same outer test rows (the latest quarter where the split is "
        "by time, else a random one) as boosting at its defaults. In brackets the 95 % interval of Noria's lead, by a "
        "paired bootstrap of the outer test rows: above 0 Noria is better, below 0 it is worse.",
        "",
    ]
    tables = document["tables"]
    ways = list(dict.fromkeys(way for found in tables.values() for way in found["ways"]))
    lines += [f"| table | metric | {' | '.join(ways)} |", f"| --- | --- |{' ---: |' * len(ways)}"]
    for name, found in tables.items():
        cells = [_cell(way, found["ways"].get(way)) for way in ways]
        by_time = ", by time" if found["by_time"] else ""
        lines.append(f"| {name}{by_time} | {METRICS[found['task']]} | {' | '.join(cells)} |")
    lines += ["", "| seconds | " + " | ".join(ways) + " |", f"| --- |{' ---: |' * len(ways)}"]
    for name, found in tables.items():
        times = [f"{found['ways'][way]['seconds']:.0f}" if way in found["ways"] else "" for way in ways]
        lines.append(f"| {name} | {' | '.join(times)} |")
    return "\n".join(lines) + "\n"


def _cell(way: str, one: dict[str, float] | None) -> str:
    if one is None:
        return ""
    value = f"{one['value']:.4g}"
    return value if way == "Noria" else f"{value} ({one['low']:+.3g} to {one['high']:+.3g})"


if __name__ == "__main__":
    typer.run(main)
