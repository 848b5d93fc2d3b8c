"""Target leakage: columns that predict the target so well alone that they are probably known too late.

The test is that of Kaufman, Rosset & Perlich, "Leakage in Data Mining" (KDD 2011): exploration for single features
of surprising strength, here by a small cross-validated tree; and exact arithmetic (casual + registered = total).

A column is suspected if, on rows that the tree was not fitted on, it alone

- reaches a ROC AUC of 0.975 or removes 85 % of the uncertainty about the class (classes),
- or reaches an R² of 0.98 (numbers),

or if it gives the target together with another column by a sum, a difference or a product. A column that tells nearly
as much is questioned: an AUC of 0.95, 60 % of the uncertainty, or an R² of 0.9. On the tables that Noria is tried with,
the strongest honest column reaches an AUC of 0.87 and an R² of 0.74.
"""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from noria.schema.column import Kind
from noria.schema.column_types import as_categories, as_numbers
from noria.system import progress

Numbers = npt.NDArray[np.float64]
Truth = npt.NDArray[np.intp] | Numbers
_ROWS = 10_000
_EXACT_ROWS = 2_000
_FEWEST_NUMBERS = 30
_NAMED = 8
_FOLDS = 3
_LEAST_PROBABILITY = 0.01


class _Limits(NamedTuple):
    """From where on a single column tells too much."""

    auc: float
    certainty: float
    """Share of the uncertainty about the class that it removes."""
    r2: float


_SUSPECT, _QUESTION = _Limits(0.975, 0.85, 0.98), _Limits(0.95, 0.6, 0.9)


@dataclass(frozen=True)
class LeakageScan:
    """How well each column alone predicts the target, and which do so too well."""

    alone: dict[str, float]
    """Column → cross-validated ROC AUC (classes) or R² (numbers), the strongest first."""
    suspects: dict[str, str]
    """Suspected column → why."""
    questioned: dict[str, str] = field(default_factory=dict)
    """Column that tells nearly as much → how much."""

    def warning(self, unavailable: Sequence[str]) -> str:
        """What a person must be asked, with the evidence and the line of YAML to write; empty: nothing.

        Args:
            unavailable: what `data.unavailable_at_prediction` names already.
        """
        found = self.suspects | self.questioned
        if not found:
            return ""
        named = "; ".join(f"`{name}`: {why}" for name, why in list(found.items())[:_NAMED])
        more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        names = dict.fromkeys([*unavailable, *found])
        line = ", ".join(name if name.isidentifier() else json.dumps(name, ensure_ascii=False) for name in names)
        are = "Is it" if len(found) == 1 else "Are they"
        return (
            f"Suspected of leakage: {named}{more}. {are} known when the prediction is needed? If not, write "
            f"`data.unavailable_at_prediction: [{line}]` and train again."
        )


def scan_leakage(
    frame: pd.DataFrame,
    target: str,
    task: Literal["binary", "multiclass", "regression"],
    columns: Mapping[str, Kind],
) -> LeakageScan:
    """Score every column alone, on at most 10,000 rows drawn with a fixed seed.

    Args:
        frame: rows whose target is present: numbers for regression, classes otherwise. Classes with too few rows for
            cross-validation are left out.
        target: the column to predict.
        task: what it makes of the target.
        columns: the columns to score, and how their values are read; constant ones tell nothing and stay out.
    """
    rows = frame if len(frame) <= _ROWS else frame.sample(_ROWS, random_state=0)
    if task != "regression":
        rows = _with_common_classes(rows, target)
    truth = _truth(rows[target], task)
    if truth is None:
        return LeakageScan({}, {})
    scores, suspects, questioned = {}, {}, {}
    for place, (name, kind) in enumerate(columns.items(), start=1):
        progress.tick(f"looking at column {place} of {len(columns)}")
        scores[name], certainty = _score_alone(rows[name], kind, truth, task)
        if strength := _strength(scores[name], certainty, task, _SUSPECT):
            suspects[name] = f"alone predicts `{target}` almost perfectly ({strength})"
        elif strength := _strength(scores[name], certainty, task, _QUESTION):
            questioned[name] = f"alone tells nearly everything about `{target}` ({strength})"
    alone = dict(sorted(scores.items(), key=lambda item: -item[1]))
    suspects = {name: suspects[name] for name in alone if name in suspects}
    if task == "regression":
        suspects = _exact(rows, target, [name for name, kind in columns.items() if kind == "number"]) | suspects
    return LeakageScan(
        alone, suspects, {name: questioned[name] for name in alone if name in questioned and name not in suspects}
    )


def _strength(score: float, certainty: float, task: str, least: _Limits) -> str:
    """How much a column alone tells, in words; empty: less than these limits."""
    if task == "regression":
        return f"R² {score:.3f}" if score >= least.r2 else ""
    if score >= least.auc:
        return f"AUC {score:.3f}"
    return f"removes {certainty:.0%} of the uncertainty" if certainty >= least.certainty else ""


def _with_common_classes(rows: pd.DataFrame, target: str) -> pd.DataFrame:
    counts = rows[target].astype(str).value_counts()
    return rows[rows[target].astype(str).isin(counts.index[counts >= 2 * _FOLDS])]


def _truth(values: pd.Series, task: str) -> Truth | None:
    if task == "regression":
        numbers = values.to_numpy(dtype="float64")
        return numbers if len(numbers) >= _FEWEST_NUMBERS and np.isfinite(numbers).all() else None
    codes, classes = pd.factorize(values.astype(str))
    return codes if len(classes) >= 2 else None


def _score_alone(values: pd.Series, kind: Kind, truth: Truth, task: str) -> tuple[float, float]:
    """Cross-validated ROC AUC or R², and for classes the share of the uncertainty that is removed."""
    from sklearn.model_selection import KFold, StratifiedKFold, cross_validate
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, TargetEncoder
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    regression, as_text = task == "regression", kind == "category"
    leaf = max(2, len(truth) // 500)
    tree = (DecisionTreeRegressor if regression else DecisionTreeClassifier)(
        max_depth=8 if regression else 4, min_samples_leaf=leaf, random_state=0
    )
    numbers = None if as_text else _numbers(values, kind)
    inputs: npt.NDArray[Any] = _texts(values) if numbers is None else numbers.reshape(-1, 1)
    target_type = "continuous" if regression else "auto"
    encode = TargetEncoder(cv=_FOLDS, random_state=0, target_type=target_type) if as_text else FunctionTransformer()
    several = not regression and truth.max() > 1
    scoring: dict[str, Any] = {"score": "r2" if regression else ("roc_auc_ovr" if several else "roc_auc")}
    if not regression:
        scoring["certainty"] = _certainty
    # shuffled: a table sorted by its target would otherwise be tested on values never seen
    folds = (KFold if regression else StratifiedKFold)(_FOLDS, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = cross_validate(make_pipeline(encode, tree), inputs, truth, cv=folds, scoring=scoring)
    score = float(np.nan_to_num(found["test_score"].mean(), nan=0.0))
    if not regression:
        return score, float(np.nan_to_num(found["test_certainty"].mean(), nan=0.0))
    # a tree of steps misses the far ends that a straight line reaches
    return (score if numbers is None else max(score, _line(numbers, truth))), 0.0


def _certainty(model: Any, inputs: Any, truth: npt.NDArray[np.intp]) -> float:
    """Share of the entropy of the classes that the model's probabilities remove (McFadden 1974)."""
    shares = np.bincount(truth) / len(truth)
    entropy = -(shares[shares > 0] * np.log(shares[shares > 0])).sum()
    of_truth = model.predict_proba(inputs)[np.arange(len(truth)), np.searchsorted(model.classes_, truth)]
    # one surprise in a leaf without any would otherwise outweigh all that is right
    loss = -np.log(np.maximum(of_truth, _LEAST_PROBABILITY)).mean()
    return float(1 - loss / entropy)


def _line(numbers: Numbers, truth: Truth) -> float:
    """R² of a straight line, if no more than half of the numbers are missing."""
    known = np.isfinite(numbers)
    if known.mean() < 0.5 or numbers[known].std() == 0 or truth[known].std() == 0:
        return 0.0
    return float(np.corrcoef(numbers[known], truth[known])[0, 1] ** 2)


def _texts(values: pd.Series) -> npt.NDArray[np.object_]:
    return as_categories(values).fillna("(missing)").to_numpy(dtype=object).reshape(-1, 1)


def _numbers(values: pd.Series, kind: Kind) -> Numbers:
    numbers = as_numbers(values, kind)
    # a tree computes in single precision, in which seconds since 1970 are minutes apart
    return numbers - np.nanmin(numbers) if kind == "datetime" and not np.isnan(numbers).all() else numbers


def _exact(rows: pd.DataFrame, target: str, numeric: list[str]) -> dict[str, str]:
    """Pairs of columns whose sum, difference or product is the target in every row."""
    some = rows.iloc[:_EXACT_ROWS]
    truth = some[target].to_numpy(dtype="float64")
    table = {name: as_numbers(some[name], "number") for name in numeric}
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
