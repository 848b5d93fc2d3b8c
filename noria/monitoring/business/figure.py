"""The business figure per day: from a column of labelled cases, or from a query."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from noria.bundle import Manifest
from noria.config import UseCase
from noria.config.column_reading import ColumnReading
from noria.config.problem import BusinessFigure
from noria.data.database import read_query
from noria.monitoring.data_checks import times_of
from noria.monitoring.label_join import read_label_column
from noria.monitoring.results import FigureByDay, FigureDay
from noria.predictions import inputs_of
from noria.predictions.database import shown_url
from noria.reporting import plural
from noria.system import progress
from noria.system.errors import NoriaError
from noria.tabular.names import did_you_mean
from noria.tabular.types import convert, convert_to, is_number
from noria.tabular.values import BOOLEANS, is_missing, text_of

if TYPE_CHECKING:
    from noria.monitoring.verdict import MonitoringVerdict

_KEY = "problem.business_figure"
_COLUMN_KEY = f"{_KEY}.column"
_QUERY_KEY = f"{_KEY}.query"
_QUERY_COLUMNS = 2
_SHOWN = 3


@dataclass(frozen=True)
class _Values:
    """The values that a figure is made of."""

    days: "pd.Series[Any]"
    """(n,) the day of each case: UTC, without a zone."""
    values: "pd.Series[Any]"
    """(n,) the values, with the same index."""
    origin: str
    share: float
    """Share of the cases that they are (0 to 1)."""


def measure_figure(
    use_case: UseCase,
    manifest: Manifest,
    labelled: pd.DataFrame,
    *,
    since: datetime,
    now: datetime,
    share: float = 1.0,
    store_url: str = "",
    labels: str = "",
    earlier: Sequence["MonitoringVerdict"] = (),
) -> FigureByDay | None:
    """The business figure of each day (UTC) since `since`.

    A column is looked for among the labels, the asked rows and the label file, in this order. A label file comes with
    some checks only; the others keep the values that earlier verdicts have.

    Args:
        use_case: `problem.business_figure` says what is measured.
        manifest: of the model that was asked.
        labelled: (n, …) its predictions with a label, with the columns of `PredictionStore.window`.
        since: from when `labelled` is complete (with a zone); a day that began before is left out.
        now: the time of the check (with a zone); later days are left out.
        share: share of the labelled predictions that `labelled` holds (0 to 1); sums are scaled by it.
        store_url: SQLAlchemy URL of the prediction store, for a query without a source.
        labels: the label file of this check; empty: there is none.
        earlier: the verdicts so far, oldest first.

    Returns:
        None if the use case gives the figure in words only. Without values, `note` says why.

    Raises:
        NoriaError: there is no such column, its values are no numbers, or the query does not only read, fails, or does
            not return a date and a number for each day. A database that cannot be reached is no error: `note` says so.
    """
    figure = use_case.problem.business_figure
    if figure.query is not None:
        return _from_query(use_case, figure.query, store_url, since, now)
    if figure.column is None:
        return None
    found = _values_of(use_case, manifest, labelled, share=share, labels=labels)
    if found is None:
        return _without_file(figure, earlier)
    numbers = _numbers(use_case, figure, found)
    table = pd.DataFrame({"day": found.days, "value": numbers}).dropna().groupby("day")["value"]
    made = table.sum() / found.share if figure.of == "sum" else table.mean()
    return FigureByDay(name=figure.name, origin=found.origin, days=_days(made, since, now))


def _values_of(
    use_case: UseCase, manifest: Manifest, labelled: pd.DataFrame, *, share: float, labels: str
) -> _Values | None:
    """None: only a label file could have the column, and there is none."""
    column = str(use_case.problem.business_figure.column)
    days = times_of(labelled).dt.tz_convert(None).dt.floor("D")
    if column == manifest.target:
        return _Values(days, labelled["label"], f"labels (`{column}`)", share)
    if column in manifest.schema_.names:
        inputs = inputs_of(labelled).reindex(columns=manifest.schema_.names)
        values = manifest.schema_.check(inputs).frame[column]
        return _Values(days, values, f"column `{column}` of the asked rows", share)
    if not labels:
        return None
    read = read_label_column(labels, use_case, manifest, column)
    if read is None:
        raise NoriaError(
            f"no column `{column}`, neither among what the model is asked with nor in the label file",
            code="monitoring.figure_column_missing",
            where=f"{labels} ({_COLUMN_KEY})",
            fix=did_you_mean(column, [manifest.target, *manifest.schema_.names]),
        )
    names, values, of_predictions = read
    keys = labelled["prediction_id" if of_predictions else "entity"]
    # of a case that was predicted more than once, the newest prediction counts
    day_of = pd.Series(days.to_numpy(), index=keys)
    day_of = day_of[~day_of.index.duplicated(keep="last")]
    return _Values(names.map(day_of), values, _of_file(column), share=1.0)


def _of_file(column: str) -> str:
    return f"column `{column}` of the label file"


def _without_file(figure: BusinessFigure, earlier: Sequence["MonitoringVerdict"]) -> FigureByDay:
    origin = _of_file(str(figure.column))
    if any(
        each.figure is not None and (each.figure.name, each.figure.origin) == (figure.name, origin) for each in earlier
    ):
        note = "This check had no label file; the values are those of earlier checks."
        return FigureByDay(name=figure.name, origin=origin, note=note)
    note = (
        f"There is no column `{figure.column}` in the asked rows; it is read from the label file, and no check has had "
        "one yet: `python run.py monitor --labels FILE`"
    )
    progress.warn(f"{_COLUMN_KEY}: {note}")
    return FigureByDay(name=figure.name, origin="", note=note)


def _numbers(use_case: UseCase, figure: BusinessFigure, found: _Values) -> "pd.Series[Any]":
    """(n,) float64; NaN where the value is missing."""
    if figure.of == "share":
        return _counted(use_case, figure, found)
    if is_number(found.values):
        return found.values.astype(np.float64)
    like = use_case.data.sources[0]
    declared = use_case.reading(str(figure.column))
    reading = declared.model_copy(update={"type": "number"}) if declared.type != "number" else declared
    typed, unreadable = convert(found.values, reading, decimal=like.decimal)
    if unreadable.any() or pd.api.types.is_datetime64_any_dtype(found.values):
        raise _no_numbers(figure, found.values[unreadable], "numbers", "use a column of numbers, or `of: share`")
    return typed.astype(np.float64)


def _counted(use_case: UseCase, figure: BusinessFigure, found: _Values) -> "pd.Series[Any]":
    missing = found.values.map(is_missing)
    wanted = figure.value
    if wanted is None and figure.column == use_case.data.target:
        wanted = getattr(use_case.problem, "positive", None)
    if wanted is not None:
        counted = found.values.map(lambda value: float(text_of(value) == text_of(wanted)))
        return counted.astype(np.float64).mask(missing)
    counts = found.values.map(lambda value: BOOLEANS.get(text_of(value).strip().lower()))
    wrong = counts.isna() & ~missing
    if wrong.any():
        raise _no_numbers(figure, found.values[wrong], "yes or no", "say which value counts, as `value`")
    return counts.astype(np.float64)


def _no_numbers(figure: BusinessFigure, wrong: "pd.Series[Any]", wanted: str, fix: str) -> NoriaError:
    shown = ", ".join(repr(text_of(value)) for value in wrong.iloc[:_SHOWN])
    return NoriaError(
        f"{len(wrong):,} values of column `{figure.column}` are not {wanted}: {shown}",
        code="monitoring.figure_values_invalid",
        where=_KEY,
        fix=fix,
    )


def _from_query(use_case: UseCase, query: str, store_url: str, since: datetime, now: datetime) -> FigureByDay:
    figure = use_case.problem.business_figure
    source = next((each for each in use_case.data.sources if each.name == figure.source), None)
    origin = "query of the prediction store" if source is None else f"query of `{source.name}`"
    try:
        if source is None:
            frame = _from_store(query, store_url)
        else:
            frame = read_query(str(source.url), query, where=_QUERY_KEY)
    except NoriaError as error:
        if error.code != "data.database_unreachable":
            raise
        note = f"The database could not be reached at this check: {error.what}"
        progress.warn(f"{_QUERY_KEY}: {note}")
        return FigureByDay(name=figure.name, origin=origin, note=note)
    return FigureByDay(name=figure.name, origin=origin, days=_days(_by_day(frame), since, now))


def _from_store(query: str, url: str) -> pd.DataFrame:
    try:
        return read_query(url, query, where=_QUERY_KEY)
    except NoriaError as error:  # named without the password that the URL may hold
        where = f"{shown_url(url)} ({_QUERY_KEY})"
        raise NoriaError(error.what, code=error.code, where=where, fix=error.fix) from error


def _by_day(frame: pd.DataFrame) -> "pd.Series[Any]":
    """Day (UTC, without a zone) → number, from the rows of a query."""
    if frame.shape[1] != _QUERY_COLUMNS:
        names = ", ".join(f"`{name}`" for name in frame.columns)
        raise _wrong_shape(f"it returns {plural(frame.shape[1], 'column')}: {names}")
    if not len(frame):
        return pd.Series(dtype=np.float64, index=pd.DatetimeIndex([]))
    moments, no_date = convert_to(frame.iloc[:, 0], "date")
    if no_date.any() or moments.isna().any():
        raise _wrong_shape(f"{_first(frame.iloc[:, 0], no_date | moments.isna())} is no date")
    numbers, no_number = convert(frame.iloc[:, 1], ColumnReading(type="number"))
    no_number |= np.isinf(numbers.astype(np.float64))
    if no_number.any():
        raise _wrong_shape(f"{_first(frame.iloc[:, 1], no_number)} is no number")
    days = pd.DatetimeIndex(moments)
    days = (days if days.tz is None else days.tz_convert(None)).floor("D")
    if days.has_duplicates:
        raise _wrong_shape(f"it returns {days[days.duplicated()][0]:%Y-%m-%d} more than once")
    return pd.Series(numbers.to_numpy(dtype=np.float64), index=days).dropna().sort_index()


def _first(values: "pd.Series[Any]", wrong: "pd.Series[bool]") -> str:
    value = values[wrong].iloc[0]
    return "NULL" if is_missing(value) else repr(text_of(value))


def _wrong_shape(what: str) -> NoriaError:
    return NoriaError(
        f"the query must return a date and a number for each day, but {what}",
        code="monitoring.figure_query_invalid",
        where=_QUERY_KEY,
        fix="select two columns, and group by the first: SELECT date(…), avg(…) FROM … GROUP BY 1",
    )


def _days(values: "pd.Series[Any]", since: datetime, now: datetime) -> list[FigureDay]:
    begins, ends = (pd.Timestamp(moment).tz_convert(None) for moment in (since, now))
    return [
        FigureDay(day=f"{day:%Y-%m-%d}", value=float(value))
        for day, value in values.items()
        if begins <= pd.Timestamp(str(day)) <= ends and np.isfinite(value)
    ]
