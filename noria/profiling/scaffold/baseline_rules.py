"""A first rule baseline: a tree of a few leaves, written as a person would."""

import keyword
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from noria.profiling.leakage import Numbers
from noria.profiling.scaffold.column_summary import ColumnSummary
from noria.profiling.scaffold.task_inference import InferredTarget
from noria.schema.column_types import as_numbers

_ROWS = 20_000
_FEW_CATEGORIES = 31
_SMALLEST_LEAF = 0.05
_RESERVED = {"is_missing"}


@dataclass(frozen=True)
class SuggestedRules:
    """Ordered conditions with their answers, and the answer for all other rows."""

    conditions: list[tuple[str, Any]]
    otherwise: Any


def suggest_rules(train: pd.DataFrame, target: InferredTarget, columns: list[ColumnSummary]) -> SuggestedRules:
    """Read conditions off a small tree (CART; Breiman et al., 1984) that is grown on the training rows.

    Categories are ordered by the share of the class, or the mean, that they go with (Fisher, 1958), so that the tree
    can split them in two groups. Only columns that a short condition can name are used.

    Args:
        train: the training rows, with a target in every row; classes are text.
        target: what is predicted.
        columns: the columns that a model may see.
    """
    rows = train if len(train) <= _ROWS else train.sample(_ROWS, random_state=0)
    usable = [fact for fact in columns if _can_be_used(fact)]
    inputs = [_Input.fit(rows[fact.name], fact, _as_number(rows[target.name], target)) for fact in usable]
    if not inputs:
        return SuggestedRules([], _answer(rows[target.name], target))
    with np.errstate(over="ignore", invalid="ignore"):  # in a sum by which scikit-learn looks for infinite values
        leaves = _grow(np.column_stack([item.values for item in inputs]), rows[target.name], target)
    return _written(leaves, inputs, rows[target.name], target)


def as_section(suggestion: SuggestedRules) -> dict[str, Any]:
    """The suggestion as the `rules` section of a use case."""
    conditions = [{"when": when, "then": then} for when, then in suggestion.conditions]
    return {"source": "mined", "conditions": conditions, "otherwise": suggestion.otherwise}


def _can_be_used(fact: ColumnSummary) -> bool:
    if "`" in fact.name or fact.training.unusable:
        return False
    if fact.type in {"text", "boolean"}:
        return fact.distinct <= _FEW_CATEGORIES
    return fact.type in {"number", "integer"}


@dataclass(frozen=True)
class _Input:
    """A column as numbers that a tree can split."""

    fact: ColumnSummary
    values: Numbers
    """Numbers, or the rank of each category; missing values take a value in the middle."""
    ordered: list[str]
    """Categories by rank; none for numbers."""

    @classmethod
    def fit(cls, values: pd.Series, fact: ColumnSummary, truth: Numbers) -> "_Input":
        if fact.type in {"number", "integer"}:
            numbers = as_numbers(values, "number")
            numbers[np.isnan(numbers)] = np.nanmedian(numbers)
            return cls(fact, numbers, [])
        texts = values.astype(object).where(values.notna(), None).map(str, na_action="ignore")
        means = pd.Series(truth, index=values.index).groupby(texts).mean().sort_values()
        ranks = texts.map({category: float(rank) for rank, category in enumerate(means.index)})
        middle = float(len(means) // 2)
        ranked: Numbers = np.asarray(ranks.astype("float64").fillna(middle), dtype=np.float64)
        return cls(fact, ranked, [str(name) for name in means.index])


def _as_number(values: pd.Series, target: InferredTarget) -> Numbers:
    if target.task == "regression":
        return values.to_numpy(dtype="float64")
    chosen = target.positive if target.task == "binary" else target.classes[0]
    is_chosen: Numbers = np.asarray(values == str(chosen), dtype="float64")
    return is_chosen


Path = tuple[tuple[int, float, float], ...]


def _grow(inputs: Numbers, truth: pd.Series, target: InferredTarget) -> list[tuple[Path, npt.NDArray[np.bool_]]]:
    """Leaves as (conditions on columns, mask of their rows); a condition is (column, above, up to)."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    leaf_rows = max(1, int(_SMALLEST_LEAF * len(truth)))
    leaves = 3 if target.task != "multiclass" else min(6, len(target.classes) + 1)
    if target.task == "regression":
        tree = DecisionTreeRegressor(max_leaf_nodes=leaves, min_samples_leaf=leaf_rows, random_state=0)
        tree.fit(inputs, truth.to_numpy(dtype="float64"))
    else:
        tree = DecisionTreeClassifier(
            max_leaf_nodes=leaves,
            min_samples_leaf=min(leaf_rows, int(truth.value_counts().min())),
            class_weight="balanced" if target.task == "binary" else None,
            random_state=0,
        )
        tree.fit(inputs, truth.astype(str))
    reached = tree.apply(inputs)
    return [(path, reached == node) for node, path in _paths(tree.tree_)]


def _paths(tree: Any, node: int = 0, path: Path = ()) -> list[tuple[int, Path]]:
    if tree.children_left[node] == -1:
        return [(node, path)]
    column, threshold = int(tree.feature[node]), float(tree.threshold[node])
    below = _paths(tree, tree.children_left[node], (*path, (column, -np.inf, threshold)))
    return below + _paths(tree, tree.children_right[node], (*path, (column, threshold, np.inf)))


def _written(
    leaves: list[tuple[Path, npt.NDArray[np.bool_]]], inputs: list[_Input], truth: pd.Series, target: InferredTarget
) -> SuggestedRules:
    answers = [_answer(truth[rows], target, whole=truth) for _, rows in leaves]
    rest = answers[int(np.argmax([rows.sum() for _, rows in leaves]))]
    if target.task == "binary":
        rest = next(value for value in target.classes if value != target.positive)
    conditions = [
        (_condition(path, inputs), answer) for (path, _), answer in zip(leaves, answers, strict=True) if answer != rest
    ]
    return SuggestedRules(conditions, rest)


def _answer(values: pd.Series, target: InferredTarget, whole: pd.Series | None = None) -> Hashable:
    """Binary: the class that is over-represented; multiclass: the most frequent; numbers: the median, rounded."""
    if target.task == "regression":
        return _rounded(float(values.astype("float64").median()))
    counts = values.value_counts()
    share = counts / whole.value_counts() if target.task == "binary" and whole is not None else counts
    labels: dict[Hashable, Hashable] = {str(label): label for label in target.classes}
    return labels[share.idxmax()]


def _rounded(value: float) -> float:
    short = float(f"{value:.3g}")
    return int(short) if short.is_integer() else short


def _condition(path: Path, inputs: list[_Input]) -> str:
    bounds: dict[int, tuple[float, float]] = {}
    for column, above, up_to in path:
        low, high = bounds.get(column, (-np.inf, np.inf))
        bounds[column] = (max(low, above), min(high, up_to))
    return " and ".join(_bound(inputs[column], low, high) for column, (low, high) in bounds.items())


def _bound(item: _Input, low: float, high: float) -> str:
    name = _name(item.fact.name)
    if item.ordered:
        kept = sorted(category for rank, category in enumerate(item.ordered) if low < rank <= high)
        others = sorted(set(item.ordered) - set(kept))
        return _among(name, others, "!=", "not in") if len(others) < len(kept) else _among(name, kept, "==", "in")
    if not np.isfinite(low):
        return f"{name} <= {_short(item.values, high)}"
    above = _short(item.values, low)
    return f"{above} < {name} <= {_short(item.values, high)}" if np.isfinite(high) else f"{name} > {above}"


def _among(name: str, categories: list[str], one: str, several: str) -> str:
    listed = [_quoted(category) for category in categories]
    return f"{name} {one} {listed[0]}" if len(listed) == 1 else f"{name} {several} [{', '.join(listed)}]"


def _name(column: str) -> str:
    plain = column.isascii() and column.isidentifier() and not keyword.iskeyword(column)
    return column if plain and column not in _RESERVED else f"`{column}`"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _short(values: Numbers, threshold: float) -> str:
    """The shortest decimal that parts the values as `threshold` does."""
    low, high = values[values <= threshold].max(), values[values > threshold].min()
    for digits in range(1, 16):
        for short in (float(f"{threshold:.{digits}g}"), float(f"{low:.{digits}g}")):
            if low <= short < high:
                return str(int(short)) if short.is_integer() and abs(short) < 1e15 else repr(short)
    return repr(threshold)
