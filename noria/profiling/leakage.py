"""Columns that know the answer: what predicts the target almost perfectly alone is probably known too late.

The test is that of Kaufman, Rosset & Perlich, "Leakage in Data Mining" (KDD 2011): exploration for single features
of surprising strength, here by a small cross-validated tree; and exact arithmetic (casual + registered = total).
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from noria.profiling.scaffold.column_summary import ColumnSummary
from noria.profiling.scaffold.task_inference import InferredTarget
from noria.system import progress
from noria.tabular.values import LARGEST

Numbers = npt.NDArray[np.float64]
Truth = npt.NDArray[np.intp] | Numbers
_ROWS = 10_000
_EXACT_ROWS = 2_000
_SUSPECT_AUC = 0.99
_SUSPECT_R2 = 0.98
_FOLDS = 3


@dataclass(frozen=True)
class LeakageScan:
    """How well each column alone predicts the target, and which do so too well."""

    alone: dict[str, float]
    """Column → cross-validated ROC AUC (classes) or R² (numbers), the strongest first."""
    suspects: dict[str, str]
    """Suspected column → why."""


def scan_leakage(frame: pd.DataFrame, target: InferredTarget, columns: list[ColumnSummary]) -> LeakageScan:
    """Judge every column alone, on at most 10,000 rows drawn with a fixed seed.

    Args:
        frame: rows whose target is present and, for classes, one of `target.classes`.
        target: what is predicted.
        columns: the columns to judge.
    """
    rows = frame if len(frame) <= _ROWS else frame.sample(_ROWS, random_state=0)
    truth = _truth(rows[target.name], target)
    if truth is None:
        return LeakageScan({}, {})
    scores = {}
    for place, fact in enumerate(columns, start=1):
        progress.tick(f"looking at column {place} of {len(columns)}")
        if not fact.constant:
            scores[fact.name] = _alone(rows[fact.name], fact, truth, target)
    alone = dict(sorted(scores.items(), key=lambda item: -item[1]))
    suspects = {name: _why(score, target) for name, score in alone.items() if score >= _limit(target)}
    if target.task == "regression":
        suspects = _exact(rows, target.name, columns) | suspects
    return LeakageScan(alone, suspects)


def _limit(target: InferredTarget) -> float:
    return _SUSPECT_R2 if target.task == "regression" else _SUSPECT_AUC


def _why(score: float, target: InferredTarget) -> str:
    measure = "R²" if target.task == "regression" else "AUC"
    return f"alone predicts `{target.name}` almost perfectly ({measure} {score:.3f})"


def _truth(values: pd.Series, target: InferredTarget) -> Truth | None:
    if target.task == "regression":
        numbers = values.to_numpy(dtype="float64")
        return numbers if len(numbers) >= 30 and np.isfinite(numbers).all() else None
    codes = pd.factorize(values.astype(str))[0]
    return codes if np.bincount(codes).min() >= 2 * _FOLDS else None


def _alone(values: pd.Series, fact: ColumnSummary, truth: Truth, target: InferredTarget) -> float:
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, TargetEncoder
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    regression = target.task == "regression"
    leaf = max(2, len(truth) // 500)
    tree = (DecisionTreeRegressor if regression else DecisionTreeClassifier)(
        max_depth=8 if regression else 4, min_samples_leaf=leaf, random_state=0
    )
    kind = "continuous" if regression else "auto"
    as_text = fact.kind in {"text", "other", "boolean"}
    inputs = _texts(values) if as_text else as_numbers(values)
    encode = TargetEncoder(cv=_FOLDS, random_state=0, target_type=kind) if as_text else FunctionTransformer()
    scoring = "r2" if regression else ("roc_auc" if target.task == "binary" else "roc_auc_ovr")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = cross_val_score(make_pipeline(encode, tree), inputs, truth, cv=_folds(regression), scoring=scoring)
    found = float(np.nan_to_num(scores.mean(), nan=0.0))
    # a tree of steps misses the far ends that a straight line reaches
    return max(found, _line(as_numbers(values).ravel(), truth)) if regression and not as_text else found


def _line(numbers: Numbers, truth: Truth) -> float:
    """R² of a straight line, if no more than half of the numbers are missing."""
    known = np.isfinite(numbers)
    if known.mean() < 0.5 or numbers[known].std() == 0 or truth[known].std() == 0:
        return 0.0
    return float(np.corrcoef(numbers[known], truth[known])[0, 1] ** 2)


def _folds(regression: bool) -> object:
    from sklearn.model_selection import KFold, StratifiedKFold

    # shuffled: a table sorted by its target would otherwise be judged on values never seen
    return (KFold if regression else StratifiedKFold)(_FOLDS, shuffle=True, random_state=0)


def _texts(values: pd.Series) -> npt.NDArray[np.object_]:
    return values.astype(object).where(values.notna(), "(missing)").astype(str).to_numpy(dtype=object).reshape(-1, 1)


def as_numbers(values: pd.Series) -> Numbers:
    """Numbers, or dates as seconds, as one float column (n, 1); missing and infinite values are NaN."""
    if pd.api.types.is_datetime64_any_dtype(values):
        seconds: Numbers = (values - values.min()).dt.total_seconds().to_numpy(dtype="float64")
        return seconds.reshape(-1, 1)
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    finite: Numbers = np.where(np.abs(numbers) <= LARGEST, numbers, np.nan).reshape(-1, 1)
    return finite


def _exact(rows: pd.DataFrame, target: str, columns: list[ColumnSummary]) -> dict[str, str]:
    """Pairs of columns whose sum, difference or product is the target in every row."""
    numeric = [fact.name for fact in columns if fact.kind in {"number", "integer"} and not fact.constant]
    some = rows.iloc[:_EXACT_ROWS]
    truth = some[target].to_numpy(dtype="float64")
    table = {name: as_numbers(some[name]).ravel() for name in numeric}
    found: dict[str, str] = {}
    for first, a in table.items():
        for second, b in table.items():
            for sign, apply in _ARITHMETIC.items():
                if (first < second or sign == "-") and first != second and _same(apply(a, b), truth):
                    why = f"`{first}` {sign} `{second}` = `{target}`"
                    found |= {first: why, second: why}
    return found


_ARITHMETIC: dict[str, Callable[[Numbers, Numbers], Numbers]] = {
    "+": np.add,
    "-": np.subtract,
    "×": np.multiply,
}


def _same(made: Numbers, truth: Numbers) -> bool:
    known = np.isfinite(made)
    if known.sum() < max(20, len(truth) // 2):
        return False
    # the first rows tell almost every wrong pair
    if not np.allclose(made[known][:20], truth[known][:20], rtol=1e-9, atol=1e-9):
        return False
    return bool(np.allclose(made[known], truth[known], rtol=1e-9, atol=1e-9))
