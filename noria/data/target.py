"""What must be true of the target before anything is learned."""

import pandas as pd

from noria.config import UseCase
from noria.config.problem import BinaryProblem, MulticlassProblem
from noria.system.errors import NoriaError
from noria.tabular.names import did_you_mean
from noria.tabular.types import convert_to, is_number

_MOST_UNREADABLE = 0.5


def require_usable(target: pd.Series, use_case: UseCase) -> None:
    """Check the raw target, before rows are quarantined.

    Raises:
        NoriaError: it has no values at all, or regression is asked of text.
    """
    name = use_case.data.target
    if target.isna().all():
        fix = "name another column, or bring rows whose answer is known"
        raise NoriaError(
            f"the target `{name}` has no values at all", code="data.target_empty", where="data.target", fix=fix
        )
    if use_case.problem.task != "regression":
        return
    unreadable = convert_to(target, "number")[1]
    if unreadable.mean() > _MOST_UNREADABLE or pd.api.types.is_bool_dtype(target):
        example = target[target.notna()].iloc[0]
        fix = "use `task: binary` or `task: multiclass`, or name another target"
        raise NoriaError(
            f"the target `{name}` is not a number, for example {example!r}",
            code="data.target_not_numeric",
            where="data.target",
            fix=fix,
        )


def require_learnable(target: pd.Series, use_case: UseCase) -> None:
    """Check the target of the rows that are kept.

    Raises:
        NoriaError: it is constant, has the wrong number of classes, lacks the positive one, has a class with too few
            rows, or the worth names an unknown class.
    """
    name, seen = use_case.data.target, target.astype(str).value_counts()
    if len(seen) == 1:
        raise NoriaError(
            f"the target `{name}` is always {seen.index[0]!r}: there is nothing to learn",
            code="data.target_constant",
            where="data.target",
            fix="bring rows with other outcomes, or name another target",
        )
    if isinstance(use_case.problem, MulticlassProblem):
        _require_known_classes(list(use_case.problem.worth.wrong_when_true), [str(label) for label in seen.index])
    if isinstance(use_case.problem, BinaryProblem):
        _require_two_classes(seen, name, use_case.problem)
    if use_case.problem.task != "regression" and use_case.split.method == "stratified":
        _require_common_classes(seen, use_case)


def target_labels(target: pd.Series, use_case: UseCase) -> pd.Series:
    """The target as a model learns it: labels are text (`1`, not `1.0`), the target of a regression is a number."""
    if use_case.problem.task == "regression":
        return target
    if is_number(target) and not isinstance(getattr(use_case.problem, "positive", None), float):
        target = convert_to(target, "integer")[0] if (target % 1 == 0).all() else target
    return target.astype("str")


def _require_two_classes(seen: "pd.Series[int]", name: str, problem: BinaryProblem) -> None:
    classes = [str(label) for label in seen.index]
    if len(classes) != 2:
        shown = ", ".join(repr(label) for label in classes[:6]) + (", …" if len(classes) > 6 else "")
        fix = f"use `task: multiclass`, or list the two in data.expectations.columns.{name}.allowed"
        raise NoriaError(
            f"a binary target has two values, but `{name}` has {len(classes)}: {shown}",
            code="data.target_not_binary",
            where="data.target",
            fix=fix,
        )
    if str(problem.positive) not in classes:
        fix = did_you_mean(str(problem.positive), classes).replace("the columns are", "the values are")
        if isinstance(problem.positive, bool):
            fix += ' (YAML reads Yes, No, On and Off as true or false: write `positive: "Yes"` in quotation marks)'
        raise NoriaError(
            f"`{name}` is never {str(problem.positive)!r}",
            code="data.positive_class_missing",
            where="problem.positive",
            fix=fix,
        )


def _require_known_classes(named: list[str], classes: list[str]) -> None:
    for label in named:
        if label not in classes:
            fix = did_you_mean(label, classes).replace("the columns are", "the classes are")
            raise NoriaError(
                f"`{label}` is not a class of the target",
                code="data.class_unknown",
                where="problem.worth.wrong_when_true",
                fix=fix,
            )


def _require_common_classes(seen: "pd.Series[int]", use_case: UseCase) -> None:
    needed = use_case.models.folds + 1
    rare = seen[seen < needed]
    if len(rare):
        name = use_case.data.target
        raise NoriaError(
            f"class {rare.index[0]!r} of `{name}` has {rare.iloc[0]} row(s); "
            f"{use_case.models.folds} folds and a test need at least {needed}",
            code="data.class_too_rare",
            where="data.target",
            fix="bring more rows of that class, lower models.folds, or leave the class out "
            f"with data.expectations.columns.{name}.allowed",
        )
