"""The declared expectations as a pandera schema, and its findings as reasons per row."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from noria.config import UseCase
from noria.config.column_reading import ColumnReading
from noria.config.data import ColumnExpectation
from noria.system.errors import NoriaError
from noria.tabular.inference import is_text, learn_reading
from noria.tabular.types import convert, is_number
from noria.tabular.values import LARGEST
from noria.tabular.with_columns import with_columns

if TYPE_CHECKING:
    from pandera.pandas import Check

_UNREADABLE = {
    "number": "is not a number",
    "integer": "is not a whole number",
    "text": "is not text",
    "boolean": "is neither true nor false",
    "date": "is not a date",
}
_LONGEST_VALUE = 60
# failures tell their value, except these, where it says nothing
_WITHOUT_VALUE = ("is missing", "is infinite")
_TOO_LARGE = "is too large"


def typed(frame: pd.DataFrame, use_case: UseCase) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read each column as its declared type.

    Returns:
        The table with the converted columns, and the values that could not be read, which are missing in it, as
        findings (columns `row`, `column`, `check`, `value`).
    """
    converted, findings = {}, [_findings(frame, "", pd.Series(False, index=frame.index), "")]
    for column, reading in _declared(frame, use_case).items():
        converted[column], unreadable = convert(frame[column], reading)
        findings.append(_findings(frame, column, unreadable, _UNREADABLE[str(reading.type)]))
    return with_columns(frame, converted), pd.concat(findings, ignore_index=True)


def broken(frame: pd.DataFrame, use_case: UseCase) -> pd.DataFrame:
    """Check every value against the expectations, and what Noria always asks of the roles of columns.

    Args:
        frame: n typed rows with an index from 0.

    Returns:
        One line per broken expectation of a row: `row` (position), `column`, `check` (what is wrong), `value`.
    """
    import pandera.pandas as pa

    checks = {str(column): _checks(str(column), frame, use_case) for column in frame.columns}
    schema = pa.DataFrameSchema(
        {column: pa.Column(None, found, nullable=True) for column, found in checks.items() if found}
    )
    try:
        schema.validate(frame, lazy=True, inplace=True)
    except pa.errors.SchemaErrors as error:
        cases: pd.DataFrame = error.failure_cases.rename(columns={"index": "row", "failure_case": "value"})
        return cases[["row", "column", "check", "value"]].astype({"row": "int64"})
    return pd.DataFrame({"row": pd.Series(dtype="int64"), "column": [], "check": [], "value": []})


def reasons(findings: pd.DataFrame) -> pd.Series:
    """One sentence per row that breaks something, indexed by the row's position."""
    shown = findings["value"].astype("str").str.removesuffix(".0").str.slice(0, _LONGEST_VALUE)
    text = findings["column"].astype("str") + " " + findings["check"].astype("str")
    text = text.where(findings["check"].isin(_WITHOUT_VALUE), text + ": " + shown)
    return text.groupby(findings["row"]).agg("; ".join)


def _declared(frame: pd.DataFrame, use_case: UseCase) -> dict[str, ColumnReading]:
    """Column → how it must be read: as declared or learned, or as its role or limits imply."""
    data, readings = use_case.data, {}
    for column in map(str, frame.columns):
        reading = use_case.reading(column)
        if reading.type is not None:
            readings[column] = reading
    for column, expectation in data.expectations.columns.items():
        limits = expectation.min is not None or expectation.max is not None
        if limits and column not in readings and not is_number(frame[column]):
            readings[column] = ColumnReading(type="number")
        if limits and readings.get(column, ColumnReading()).type not in {None, "number", "integer"}:
            raise NoriaError(
                f"`min` and `max` are for numbers, but `{column}` is read as {readings[column].type}",
                code="data.limits_not_numeric",
                where=f"data.expectations.columns.{column}",
                fix="remove the limits, or declare `type: number`",
            )
    time = data.time if use_case.split.method == "time" else None
    if time is not None and not is_number(frame[time]) and readings.get(time, ColumnReading()).type != "date":
        readings[time] = ColumnReading(type="date")
    if use_case.problem.task == "regression":
        readings.setdefault(data.target, ColumnReading(type="number"))
    return {
        column: learn_reading(frame[column], reading, raw=False).reading if is_text(frame[column]) else reading
        for column, reading in readings.items()
    }


def _findings(frame: pd.DataFrame, column: str, bad: "pd.Series[bool]", check: str) -> pd.DataFrame:
    rows = np.flatnonzero(bad.to_numpy())
    values: object = frame[column].iloc[rows].astype(object).to_numpy() if len(rows) else []
    return pd.DataFrame({"row": rows, "column": column, "check": check, "value": values}).astype({"value": object})


def _checks(column: str, frame: pd.DataFrame, use_case: UseCase) -> "list[Check]":
    from pandera.pandas import Check

    expectation = use_case.data.expectations.columns.get(column, ColumnExpectation())
    values: pd.Series = frame[column]
    found: list[Check] = []
    if column in _required(use_case):
        found.append(Check(_present, error="is missing", ignore_na=False))
    if pd.api.types.is_float_dtype(values) and column not in _unused(use_case):
        found.append(Check(_finite, error="is infinite"))
        found.append(Check(_computable, error=_TOO_LARGE))
    if expectation.min is not None:
        found.append(Check.ge(expectation.min, error=f"is below {expectation.min:g}"))
    if expectation.max is not None:
        found.append(Check.le(expectation.max, error=f"is above {expectation.max:g}"))
    if expectation.allowed is not None:
        found.append(Check.isin(_comparable(expectation.allowed, values), error="is not allowed"))
    if expectation.unique or column == use_case.data.id:
        found.append(Check(_first, error="occurs twice"))
    return found


def _required(use_case: UseCase) -> set[str | None]:
    time = use_case.data.time if use_case.split.method == "time" else None
    return {use_case.data.target, use_case.data.id, use_case.split.group, time} - {None}


def _unused(use_case: UseCase) -> set[str]:
    return {*use_case.data.unavailable_at_prediction, *use_case.features.exclude}


def _present(values: pd.Series) -> "pd.Series[bool]":
    return values.notna()


def _finite(values: pd.Series) -> "pd.Series[bool]":
    return ~values.isin([np.inf, -np.inf])


def _computable(values: pd.Series) -> "pd.Series[bool]":
    return (values.abs() <= LARGEST) | ~_finite(values) | values.isna()


def _first(values: pd.Series) -> "pd.Series[bool]":
    return ~values.duplicated(keep="first")


def _comparable(allowed: list[Any], values: pd.Series) -> list[Any]:
    """The allowed values in the column's own type: YAML may have read `1` where the column holds text."""
    if isinstance(values.dtype, pd.StringDtype):
        return [str(value) for value in allowed]
    if pd.api.types.is_bool_dtype(values):
        return [
            value
            for value in convert(pd.Series(allowed, dtype=object), ColumnReading(type="boolean"))[0]
            if value is not None
        ]
    return list(allowed)
