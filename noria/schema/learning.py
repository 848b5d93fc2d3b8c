"""Learning the input columns from the training rows."""

from typing import Any

import numpy as np
import pandas as pd

from noria.config import UseCase
from noria.config.rule_syntax import rule_columns
from noria.schema.column import Column, Kind
from noria.schema.row_check import read_dates, read_numbers, read_texts, seconds
from noria.system import progress
from noria.system.errors import NoriaError
from noria.tabular.names import did_you_mean
from noria.tabular.values import LARGEST

_FREE_TEXT = 0.5
_OF_OBJECTS: dict[str, Kind] = {
    "decimal": "number",
    "integer": "number",
    "floating": "number",
    "mixed-integer-float": "number",
    "datetime": "datetime",
    "datetime64": "datetime",
    "date": "datetime",
}


def learn_columns(train: pd.DataFrame, use_case: UseCase, *, warn: bool) -> list[Column]:
    """The input columns in the order of the table; see `InputSchema.fit`."""
    ruled = rule_columns(use_case.rules)
    learned: list[Column] = []
    left_out: dict[str, str] = {}
    columns = {str(name): train[name] for name in train.columns if name not in use_case.not_features}
    for name, found in zip(columns, _learn_all(columns, set(ruled), use_case), strict=True):
        if isinstance(found, Column):
            learned.append(found)
        elif found:
            left_out[name] = found
    _require_ruled(ruled, learned, train, use_case)
    if not learned:
        raise NoriaError("no column is left that a model could learn from", where="data", fix="bring more columns")
    if warn:
        for name, reason in left_out.items():
            progress.warn(f"column `{name}` is no feature: {reason}")
    return learned


def kind_of(name: str, series: "pd.Series[Any]", use_case: UseCase) -> Kind:
    """How a column's values are read: as `features` says, else as its declared type, else as its values tell."""
    if name in use_case.features.numeric:
        return "number"
    if name in use_case.features.categorical:
        return "category"
    expectation = use_case.data.expectations.columns.get(name)
    declared = expectation.type if expectation else None
    if declared == "datetime" or name == use_case.data.time or pd.api.types.is_datetime64_any_dtype(series.dtype):
        return "datetime"
    if declared is not None:
        return "number" if declared in {"number", "integer"} else "category"
    return _kind_of_values(series)


def _kind_of_values(series: "pd.Series[Any]") -> Kind:
    if pd.api.types.is_object_dtype(series.dtype):
        return _OF_OBJECTS.get(pd.api.types.infer_dtype(series, skipna=True), "category")
    is_number = pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_bool_dtype(series.dtype)
    return "number" if is_number else "category"


def _learn_all(columns: "dict[str, pd.Series[Any]]", kept: set[str], use_case: UseCase) -> list[Column | str]:
    if use_case.engine.name == "local":
        return [learn_column(name, series, use_case, name in kept) for name, series in columns.items()]
    from noria.engines.ray.preparation import learned

    return learned(columns, kept, use_case)


def learn_column(name: str, series: "pd.Series[Any]", use_case: UseCase, keep: bool) -> Column | str:
    """The column, or why it is none (empty: as the use case wants it); one to keep is a column whatever it holds.

    Raises:
        NoriaError: a value cannot be read as the kind that the column has.
    """
    kind = kind_of(name, series, use_case)
    if kind == "number":
        return _learn_number(name, series, keep=keep)
    if kind == "category":
        return _learn_category(name, series, use_case, keep=keep)
    if not (use_case.features.calendar or keep):
        return ""
    return _learn_dates(name, series, keep=keep)


def _learn_number(name: str, series: "pd.Series[Any]", *, keep: bool) -> Column | str:
    values, faults = read_numbers(series)
    beyond = np.abs(values) > LARGEST
    if beyond.any():
        faults = {**faults, int(beyond.argmax()): "an infinite value, or one too large to compute with"}
    if faults:
        raise _unreadable(name, "number", faults)
    return _ranged(name, "number", values, keep=keep)


def _learn_dates(name: str, series: "pd.Series[Any]", *, keep: bool) -> Column | str:
    moments, faults = read_dates(series)
    if faults:
        raise _unreadable(name, "datetime", faults)
    return _ranged(name, "datetime", seconds(moments), keep=keep)


def _ranged(name: str, kind: Kind, values: "np.typing.NDArray[np.float64]", *, keep: bool) -> Column | str:
    missing = np.isnan(values)
    share = float(missing.mean()) if len(values) else 1.0
    if missing.all():
        return Column(name=name, kind=kind, missing=share) if keep else "every value is missing"
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if low == high and not missing.any() and not keep:
        return f"every value is {low:g}" if kind == "number" else "every date is the same"
    return Column(name=name, kind=kind, minimum=low, maximum=high, missing=share)


def _learn_category(name: str, series: "pd.Series[Any]", use_case: UseCase, *, keep: bool) -> Column | str:
    codes, texts, faults = read_texts(series)
    if faults:
        return f"its values are not single values ({next(iter(faults.values()))})"
    counts = np.bincount(codes, minlength=len(texts))
    present: dict[str, int] = {}
    for text, count in zip(texts, counts, strict=True):
        if text is not None:
            present[text] = present.get(text, 0) + int(count)
    total, rows, most = sum(present.values()), len(series), use_case.features.max_categories
    wanted = keep or name in use_case.features.categorical
    if not wanted and not present:
        return "every value is missing"
    if not wanted and len(present) == 1 and total == rows:
        return f"every value is {next(iter(present))!r}"
    if not wanted and len(present) > max(most, _FREE_TEXT * total):
        return f"free text or an identifier ({len(present)} different values in {total} rows)"
    ranked = sorted(present, key=lambda text: (-present[text], text))
    missing = 1 - total / rows if rows else 1.0
    return Column(name=name, kind="category", categories=ranked[:most], missing=missing)


def _unreadable(name: str, kind: str, faults: dict[int, str]) -> NoriaError:
    return NoriaError(
        f"column `{name}` is to be read as {kind}, but {len(faults)} training row(s) cannot be; first: "
        f"{next(iter(faults.values()))}",
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
        raise NoriaError(what, where=rule, fix=fix)
