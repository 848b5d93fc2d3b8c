"""The sections of a use case as a mapping, ready for the template."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from noria.config.column_reading import ISO, ColumnReading
from noria.config.data import SourceConfig
from noria.profiling.scaffold.column_summary import ColumnSummary
from noria.profiling.scaffold.table_summary import TableSummary
from noria.profiling.scaffold.task_inference import InferredTarget
from noria.system.workspace import PROJECT

Draft = dict[str, Any]
_FIRST_PORT = 3000
_MANY_ROWS = 100_000
_SLICE_CATEGORIES = 8
_YEAR_DAYS = 300
_YEAR_SHARE = 0.1


def problem(target: InferredTarget) -> Draft:
    """`problem`, with placeholders that only the user can fill."""
    shared: Draft = {
        "question": f"What will `{target.name}` be?",
        "decided_by": "The people who act on the answer",
        "case": "case",
        "task": target.task,
    }
    if target.task == "binary":
        shared["question"] = f"For which cases will `{target.name}` be {target.positive}?"
        shared |= {"positive": target.positive}
    return {
        **shared,
        "unit": "points",
        "worth": _worth(target),
        "latency_budget_ms": 100,
        "size_budget_mb": 100,
        "needed": "When a new case comes in",
        "label_delay_days": 30,
        "readable": "preferred",
        "business_figure": f"What `{target.name}` stands for in the business",
    }


def _worth(target: InferredTarget) -> Draft:
    if target.task == "regression":
        return {"right": 0, "tolerance": 0, "too_high_per_unit": 1, "too_low_per_unit": 1}
    if target.task == "multiclass":
        return {"right": 1, "wrong": -1}
    # acting on everybody then brings in about nothing, so that any gain comes from telling cases apart
    gain = max(1, round((1 - target.share) / target.share))
    return {"true_positive": gain, "false_positive": -1, "false_negative": 0, "true_negative": 0}


def data(source: SourceConfig, seen: TableSummary, readings: dict[str, ColumnReading]) -> Draft:
    """`data`: source, roles, how columns are read where this is not plain, and the types seen as expectations."""
    target, roles = seen.target, seen.roles
    written = source.model_dump(exclude_defaults=True)
    return {
        "sources": [written],
        "target": target.name,
        **({"id": roles.id} if roles.id else {}),
        **({"time": roles.time} if roles.time else {}),
        "unavailable_at_prediction": list(seen.leakage.suspects),
        "columns": _columns(source, readings),
        "expectations": {
            "max_quarantined": max_quarantined(seen.lost / seen.rows),
            "columns": _expected(seen),
        },
    }


def _columns(source: SourceConfig, readings: dict[str, ColumnReading]) -> dict[str, Draft]:
    """The rules of columns whose values do not speak for themselves."""
    found = {}
    for name, reading in readings.items():
        plain = ColumnReading(type=reading.type)
        written = reading.model_copy(
            update={
                "whole_numbers": None,
                "format": None if reading.format == ISO else reading.format,
                "timezone": "offset" if reading.timezone == "offset" else None,
                "decimal": None if reading.decimal == source.decimal else reading.decimal,
            }
        )
        if written != plain:
            found[name] = written.model_dump(exclude_none=True)
    return found


def max_quarantined(lost: float) -> float:
    """At least 5 %, and a quarter more than what the table itself loses (both as shares, 0 to 1)."""
    return 0.05 if lost <= 0.04 else min(1.0, math.ceil(lost * 125) / 100)


def _expected(seen: TableSummary) -> dict[str, Draft]:
    target, roles = seen.target, seen.roles
    columns = {target.name: _expected_target(seen.facts[target.name], target)}
    skipped = {*roles.exclude, *seen.leakage.suspects, target.name}
    for fact in seen.facts.values():
        if fact.name not in skipped and fact.type is not None:
            full = {"max_missing": 0} if fact.name in {roles.id, roles.time} and fact.missing == 0 else {}
            columns[fact.name] = {"type": fact.type, **full}
    return columns


def _expected_target(fact: ColumnSummary, target: InferredTarget) -> Draft:
    whole = target.task != "regression" and all(type(value) is int for value in target.classes)
    expected: Draft = {"type": "integer" if whole else fact.type}
    if target.task != "regression":
        expected["allowed"] = sorted(target.classes, key=str) if fact.type == "text" else list(target.classes)
    if fact.missing == 0:
        expected["max_missing"] = 0
    return expected


def features(seen: TableSummary) -> Draft:
    """`features`: what to leave out, and which parts of dates to use."""
    dates = any(fact.type == "datetime" for fact in seen.features)
    parts = calendar(seen.times) if seen.times is not None else (["month", "weekday"] if dates else [])
    return {
        "categorical": [name for name in seen.roles.categorical if name not in seen.leakage.suspects],
        "exclude": list(seen.roles.exclude),
        "calendar": parts,
    }


def calendar(times: pd.Series) -> list[str]:
    """The parts of a date that a table of this length can teach: months need a year, weekdays two weeks.

    The year is one where several have their share of the rows: it tells the level that the newest rows have reached.
    """
    days = (times.max() - times.min()).total_seconds() / 86_400
    shares = times.dt.year.value_counts(normalize=True)
    parts = ["year"] if days >= _YEAR_DAYS and (shares >= _YEAR_SHARE).sum() > 1 else []
    parts += ["month"] if days >= _YEAR_DAYS else []
    parts += ["weekday"] if days >= 14 else []
    return parts + (["hour"] if times.dt.hour.nunique() > 1 else [])


def evaluation(seen: TableSummary) -> Draft:
    """`evaluation`: a metric that fits the task and the mix of the target, and slices worth a look."""
    metric, margin = _metric(seen.target, seen.truth)
    small = {f.name for f in seen.features if 2 <= f.distinct <= _SLICE_CATEGORIES and f.type != "datetime"}
    slices = [name for name in seen.leakage.alone if name in small]
    return {"metric": metric, "margin": margin, "slices": slices[:4]}


def _metric(target: InferredTarget, values: pd.Series) -> tuple[str, float]:
    if target.task == "binary":
        rare = min(target.share, 1 - target.share) < 0.05
        return ("average_precision", 0.01) if rare else ("roc_auc", 0.005)
    if target.task == "multiclass":
        counts = values.value_counts()
        even = counts.min() >= 0.5 * len(values) / len(counts)
        return ("accuracy", 0.005) if even else ("f1_macro", 0.01)
    return "mae", rounded(0.01 * _typical_error(values))


def metric_drop(target: InferredTarget, values: pd.Series) -> float:
    """How much worse the metric may get before it means retraining, in the metric's units."""
    return rounded(0.2 * _typical_error(values)) if target.task == "regression" else 0.05


def _typical_error(values: pd.Series) -> float:
    """Mean absolute error of always saying the median."""
    numbers = values.to_numpy(dtype="float64")
    return float(np.abs(numbers - np.median(numbers)).mean())


def rounded(value: float) -> float:
    """Two significant digits; whole numbers without a fraction."""
    short = float(f"{value:.2g}")
    return int(short) if short.is_integer() else short


def decision(target: InferredTarget) -> Draft:
    """`decision`, with the keys that apply to the task."""
    if target.task == "binary":
        return {"threshold": "best_worth", "review_margin": 0.02}
    return {"review_below": round(1 / len(target.classes), 2)} if target.task == "multiclass" else {}


def models(rows: int, folds: int) -> Draft:
    """`models`: all kinds compete; fewer trials on long tables."""
    return {
        "candidates": {name: {} for name in ("dummy", "linear", "tree", "forest", "xgboost")},
        "trials": 15 if rows <= _MANY_ROWS else 5,
        "folds": folds,
    }


def existing_ports(output: Path | None = None) -> dict[str, int]:
    """Use case → its port, of those in `configs/` and beside the file that is to be written."""
    found: dict[str, int] = {}
    folders = [PROJECT / "configs"] + ([output.absolute().parent] if output is not None else [])
    for path in (path for folder in folders for path in sorted(folder.glob("*.yaml"))):
        name, port = _name_and_port(path)
        found.setdefault(name, port)
    return found


def _name_and_port(path: Path) -> tuple[str, int]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        return str(raw["name"]), int((raw.get("serving") or {}).get("port", _FIRST_PORT))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, yaml.YAMLError):
        return path.stem, 0


def free_port(used: Sequence[int]) -> int:
    """The first port from 3000 on that no use case of the project names."""
    return next(port for port in range(_FIRST_PORT, 65_535) if port not in used)


def free_name(name: str, used: Sequence[str]) -> str:
    """`name`, numbered if a use case of the project has it already."""
    if name not in used:
        return name
    return next(made for i in range(2, 1000) if (made := f"{name[:59]}_{i}") not in used)
