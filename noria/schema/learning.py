"""Learning the input columns from the training rows."""

from typing import Any

import numpy as np
import pandas as pd

from noria.config import UseCase
from noria.config.rule_syntax import rule_columns
from noria.engines import engine_of
from noria.schema.column import Column
from noria.schema.column_types import ColumnType, classify_column
from noria.system import progress
from noria.system.errors import NoriaError
from noria.tabular.names import did_you_mean


def learn_columns(train: pd.DataFrame, use_case: UseCase, *, warn: bool) -> list[Column]:
    """The input columns in the order of the table; see `InputSchema.fit`."""
    ruled = rule_columns(use_case.rules)
    history = use_case.history_spec()
    counted = [] if history is None else history.inputs
    learned: list[Column] = []
    left_out: dict[str, str] = {}
    columns = {str(name): train[name] for name in train.columns if name not in use_case.not_features}
    for name, found in zip(columns, _learn_all(columns, {*ruled, *counted}, use_case), strict=True):
        if isinstance(found, Column):
            learned.append(found)
        elif found:
            left_out[name] = found
    _require_ruled(ruled, learned, train, use_case)
    if not learned:
        raise NoriaError(
            "no column is left that a model could learn from",
            code="schema.inputs_missing",
            where="data",
            fix="bring more columns",
        )
    if warn:
        for name, reason in left_out.items():
            progress.warn(f"column `{name}` is no feature: {reason}")
    return learned


def _learn_all(columns: "dict[str, pd.Series[Any]]", kept: set[str], use_case: UseCase) -> list[Column | str]:
    pieces = [(name, series, name in kept) for name, series in columns.items()]
    return engine_of(use_case.engine).map(learn_column, pieces, use_case=use_case)


def learn_column(name: str, series: "pd.Series[Any]", keep: bool, *, use_case: UseCase) -> Column | str:
    """The column, or why it is none (empty: as the use case wants it); one to keep is a column whatever it holds.

    Raises:
        NoriaError: a value cannot be read as the kind that the column has.
    """
    found, values = classify_column(name, series, use_case, keep=keep)
    if found.unreadable:
        raise _unreadable(name, found)
    if found.unusable:
        is_clock = found.unusable == "calendar" and name == use_case.data.time
        return "" if is_clock else found.reason
    if found.kind == "category":
        ranked = sorted(values.counts, key=lambda text: (-values.counts[text], text))
        missing = 1 - sum(values.counts.values()) / values.rows if values.rows else 1.0
        most = use_case.features.max_categories
        return Column(name=name, kind="category", reading=values.reading, categories=ranked[:most], missing=missing)
    is_missing = np.isnan(values.numbers)
    if is_missing.all():
        return Column(name=name, kind=found.kind, reading=values.reading, missing=1.0)
    low, high = float(np.nanmin(values.numbers)), float(np.nanmax(values.numbers))
    missing = float(is_missing.mean())
    return Column(name=name, kind=found.kind, reading=values.reading, minimum=low, maximum=high, missing=missing)


def _unreadable(name: str, found: ColumnType) -> NoriaError:
    return NoriaError(
        f"column `{name}` is to be read as {found.kind}, but {found.unreadable}",
        code="schema.column_unreadable",
        where=f"column {name}",
        fix=f"declare data.expectations.columns.{name}.type, so that such rows are quarantined, or list the column "
        "in features.categorical or features.exclude",
    )


def _require_ruled(ruled: dict[str, str], learned: list[Column], train: pd.DataFrame, use_case: UseCase) -> None:
    names = [column.name for column in learned]
    for name, rule in ruled.items():
        if name in names:
            continue
        if name in train.columns:
            what = f"a rule uses `{name}`, which no model may see"
            fix = "use other columns; the target, the identifier, the group and excluded columns are no inputs"
        else:
            what, fix = f"a rule uses `{name}`, which is not a column", did_you_mean(name, names)
        raise NoriaError(what, code="rules.column_unknown", where=rule, fix=fix)
