"""Which task a target poses: binary, multiclass or regression."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from noria.profiling.scaffold import name_hints
from noria.profiling.scaffold.column_summary import ColumnSummary
from noria.system.errors import NoriaError

Task = Literal["binary", "multiclass", "regression"]
_YES = {"yes", "y", "true", "t", "1", "1.0", "positive", "pos", "ja", "oui", "si", "sí"}
_FEW_NUMBERS = 10
_ROWS_PER_NUMBER = 10
_MOST_CLASSES = 100
_ROWS_PER_CLASS = 3


@dataclass(frozen=True)
class InferredTarget:
    """The target and the task it makes."""

    name: str
    task: Task
    why: str
    """Why this task, in a few words."""
    classes: list[Hashable] = field(default_factory=list)
    """Classes to learn, the most frequent first; none for regression."""
    too_rare: list[Hashable] = field(default_factory=list)
    """Classes with too few rows to learn from."""
    positive: Hashable = None
    """Binary: the class that is acted on."""
    share: float = 0.0
    """Binary: share of the positive class (0 to 1)."""


def infer_task(values: pd.Series, fact: ColumnSummary) -> InferredTarget:
    """Tell binary, multiclass and regression targets apart.

    Two values are binary. Text is a class. Whole numbers are classes if there are at most ten of them, each often,
    and the name does not speak of an amount; other numbers are regression.

    Raises:
        NoriaError: the target is constant, empty, a date, or text with too many different values to be classes.
    """
    present = values.dropna()
    if present.empty or (fact.distinct <= 1 and fact.type is not None):
        what = "no value at all" if present.empty else f"one value only, {_label(present.iloc[0])!r}"
        raise _unfit(fact.name, f"has {what}", "choose a target that varies", code="profiling.target_constant")
    if fact.type in {"datetime", None}:
        raise _unfit(
            fact.name,
            "holds neither numbers nor classes",
            "choose a target of numbers, texts or booleans",
            code="profiling.target_kind_unusable",
        )
    if fact.distinct > 2 and fact.type in {"number", "integer"}:
        classes, why = _number_is_class(present, fact)
        if not classes:
            return InferredTarget(fact.name, "regression", why)
    else:
        why = f"{fact.distinct} different values"
        _check_text(present, fact)
    return _classes(present, fact, why)


def _number_is_class(present: pd.Series, fact: ColumnSummary) -> tuple[bool, str]:
    if (present.astype("float64") % 1 != 0).any():
        return False, f"{fact.distinct} different numbers with fractions"
    if fact.distinct > _FEW_NUMBERS or len(present) < _ROWS_PER_NUMBER * fact.distinct:
        return False, f"{fact.distinct} different whole numbers"
    if name_hints.is_amount(fact.name) and not name_hints.is_class(fact.name):
        why = f"{fact.distinct} different whole numbers, taken for amounts by the name"
        return False, f"{why}; if they are classes, write multiclass"
    return True, f"{fact.distinct} different whole numbers, taken for classes; if they are amounts, write regression"


def _check_text(present: pd.Series, fact: ColumnSummary) -> None:
    if fact.distinct <= max(2, min(_MOST_CLASSES, len(present) // _ROWS_PER_CLASS)):
        return
    numbers = pd.to_numeric(present, errors="coerce")
    if numbers.notna().mean() > 0.5:
        junk = present[numbers.isna()]
        what = f"mixes numbers with text such as {str(junk.iloc[0])!r} ({len(junk)} rows)"
        raise _unfit(
            fact.name,
            what,
            "empty or remove those values, then the target can be predicted as a number",
            code="profiling.target_mixed",
        )
    raise _unfit(
        fact.name,
        f"has {fact.distinct} different texts, too many for classes",
        "choose a target with fewer classes",
        code="profiling.target_classes_too_many",
    )


def _classes(present: pd.Series, fact: ColumnSummary, why: str) -> InferredTarget:
    counts = present.value_counts()
    enough = counts[counts >= _ROWS_PER_CLASS]
    if len(enough) < 2:
        rare = ", ".join(repr(value) for value in counts[counts < _ROWS_PER_CLASS].index[:5])
        raise _unfit(
            fact.name,
            f"has fewer than {_ROWS_PER_CLASS} rows of {rare}",
            "bring more rows of it",
            code="profiling.target_class_too_rare",
        )
    classes = [_label(value) for value in enough.index]
    too_rare = list(counts.index[len(enough) :])
    if len(classes) > 2:
        return InferredTarget(fact.name, "multiclass", why, classes, too_rare)
    said_yes = [value for value in classes if str(value).strip().lower() in _YES]
    positive = said_yes[0] if len(said_yes) == 1 else classes[-1]
    share = float(enough.iloc[classes.index(positive)] / enough.sum())
    return InferredTarget(fact.name, "binary", why, classes, too_rare, positive, share)


def _label(value: Hashable) -> Hashable:
    """A plain Python value; whole numbers without a fraction, as missing values turn 0 and 1 into 0.0 and 1.0."""
    value = value.item() if isinstance(value, np.generic) else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _unfit(name: str, what: str, fix: str, *, code: str) -> NoriaError:
    return NoriaError(f"target `{name}` {what}", code=code, where=f"--target {name}", fix=fix)
