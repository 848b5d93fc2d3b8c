"""Dates that are written as text or as whole numbers: their format, and whether the day or the month comes first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.config.column_reading import EPOCH_MS, EPOCH_S, ISO, ColumnReading
from noria.tabular.column_decision import ColumnDecision
from noria.tabular.column_reader import ENDS_WITH_OFFSET, ISO_DATE, ColumnReader
from noria.tabular.inference.patterns import all_match, matching
from noria.tabular.inference.text_column import TextColumn, filled

_MOST_OF_THE_ROWS = 0.5
_TIME_SHAPES = {
    "": "",
    " %H:%M": r" \d{1,2}:\d{2}",
    " %H:%M:%S": r" \d{1,2}:\d{2}:\d{2}",
    " %H:%M:%S.%f": r" \d{1,2}:\d{2}:\d{2}\.\d{1,6}",
    " %I:%M %p": r" \d{1,2}:\d{2} [AaPp][Mm]",
    " %I:%M%p": r" \d{1,2}:\d{2}[AaPp][Mm]",
    " %I:%M:%S %p": r" \d{1,2}:\d{2}:\d{2} [AaPp][Mm]",
    " %I:%M:%S%p": r" \d{1,2}:\d{2}:\d{2}[AaPp][Mm]",
    "T%H:%M": r"T\d{1,2}:\d{2}",
    "T%H:%M:%S": r"T\d{1,2}:\d{2}:\d{2}",
}
_NUMERIC_DATE = re.compile(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})(?=$|[ T])")
_NAMED_DATES = {
    r"\d{1,2} [A-Za-z]{3,9} \d{4}": ["%d %b %Y", "%d %B %Y"],
    r"\d{1,2}-[A-Za-z]{3,9}-\d{4}": ["%d-%b-%Y", "%d-%B-%Y"],
    r"\d{1,2}-[A-Za-z]{3}-\d{2}": ["%d-%b-%y"],
    r"\d{1,2}[A-Za-z]{3}\d{4}": ["%d%b%Y"],
    r"[A-Za-z]{3,9} \d{1,2}, \d{4}": ["%b %d, %Y", "%B %d, %Y"],
    r"[A-Za-z]{3,9} \d{1,2} \d{4}": ["%b %d %Y", "%B %d %Y"],
    r"\d{1,2}/[A-Za-z]{3}/\d{4}": ["%d/%b/%Y"],
    r"\d{1,2}\. [A-Za-z]{3,9} \d{4}": ["%d. %b %Y", "%d. %B %Y"],
}
_DAYS = {"%Y%m%d": (19000101, 21001231), "%Y%m%d%H%M": (190001010000, 210012312359)}
_DAYS |= {"%Y%m%d%H%M%S": (19000101000000, 21001231235959)}
_SHORTEST_DAY = 8
_EPOCH_RANGE = (631_152_000, 2_145_916_800)
"""1990 to 2038 in seconds."""
_DAY_S, _FEW_DAYS = 86_400, 3
_MONTH = r"[Jj]an|[Ff]eb|[Mm][aä]r|[Aa]pr|[Mm]a[yi]|[Jj]un|[Jj]ul|[Aa]ug|[Ss]ep|[OoDd][ck]t|[Nn]ov|[Dd]e[cz]"
_LIKE_A_DATE = (
    rf".*\d.*({_MONTH}).*\d{{2}}.*|.*({_MONTH}).*\d{{1,2}}.*\d{{2}}.*|\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}\D.*"
)
_LOOKED_AT = 200
_TIME_NAME = re.compile(
    r"(^|[_\W])(ts|time|timestamp|epoch|date|datetime|unix|at|on|created|updated)([_\W]|$)|Time|Date"
)


def read_as_dates(
    column: TextColumn, values: pd.Series[Any], *, elsewhere: list[str] | None = None, is_declared: bool = False
) -> ColumnReading | None:
    """The rule that reads all of these as dates."""
    if values.empty:
        return None
    if column.declared.format is not None:
        return filled(column.declared, type="date", timezone="none" if "%z" not in column.declared.format else "offset")
    texts = values.index
    extra: dict[str, Any] = {"missing": elsewhere} if elsewhere else {}
    if all_match(texts, ISO_DATE):
        zoned = matching(texts, f".*{ENDS_WITH_OFFSET}")
        share = float(values[zoned].sum() / values.sum())
        if 0 < share < 1:
            column.decide(
                f"{share:.1%} of the times have an offset from UTC, the others do not; those of the "
                f"{'first' if share > _MOST_OF_THE_ROWS else 'second'} kind are read",
                1.0,
                asks=True,
                line=f"data.columns.{column.name}: {{type: date, timezone: none}}",
            )
        timezone = "offset" if share > _MOST_OF_THE_ROWS else "none"
        reading = filled(column.declared, type="date", format=ISO, timezone=timezone, **extra)
        return reading if 0 < share < 1 or _readable(reading, texts) else None
    if is_declared and all_match(texts, r"\d+") and (found := read_as_whole_dates(column, texts)):
        return found
    return _dates_of_a_form(column, values, extra, elsewhere or [])


def _dates_of_a_form(
    column: TextColumn, values: pd.Series[Any], extra: dict[str, Any], elsewhere: list[str]
) -> ColumnReading | None:
    texts = values.index
    for form in _date_forms(column, texts):
        reading = filled(column.declared, type="date", format=form, timezone="none", **extra)
        if _readable(reading, texts):
            _tell_date(column, reading, values, elsewhere)
            return reading
    return None


def read_as_whole_dates(column: TextColumn, texts: pd.Index) -> ColumnReading | None:
    """The rule that reads whole numbers as dates, if they are."""
    if max(map(len, texts)) < _SHORTEST_DAY:
        return None
    numbers = texts.to_numpy(dtype=object).astype(np.float64)
    form, decision = whole_dates(column.name, numbers, is_declared=False)
    if decision:
        column.decisions.append(decision)
    return filled(column.declared, type="date", format=form, timezone="none") if form else None


def whole_dates(name: str, numbers: NDArray[np.float64], *, is_declared: bool) -> tuple[str, ColumnDecision | None]:
    """The format of whole numbers that are dates, if they are: 20240131, or seconds or milliseconds since 1970.

    Numbers in the range of moments are moments where all are whole minutes on several days, or where their column is
    named like a time; elsewhere they stay numbers, with a question.
    """
    different = np.unique(numbers)
    low, high = different[0], different[-1]
    named = is_declared or bool(_TIME_NAME.search(name))
    line = f"data.columns.{name}: {{type: integer}}"
    for form, (first_day, last_day) in _DAYS.items():
        if not (first_day <= low and high <= last_day and (len(different) > 1 or named)):
            continue
        days = pd.Series(different.astype(np.int64).astype(str))
        if pd.to_datetime(days, format=form, errors="coerce").notna().all():
            text = f"every value is a day such as {int(low)}; read as dates"
            return form, ColumnDecision(name, text, 1.0, line=line)
    for form, factor in ((EPOCH_S, 1), (EPOCH_MS, 1000)):
        if not (_EPOCH_RANGE[0] * factor <= low and high <= _EPOCH_RANGE[1] * factor and len(different) > 1):
            continue
        on_days = len(np.unique(different // (_DAY_S * factor)))
        is_regular = on_days >= _FEW_DAYS and bool((different % (60 * factor) == 0).all())
        unit = "seconds" if factor == 1 else "milliseconds"
        first, last = (np.datetime64(int(end / factor), "s") for end in (low, high))
        span = f"{unit} since 1970 ({first} to {last})"
        if named or is_regular:
            return form, ColumnDecision(name, f"every value is a number of {span}; read as times", 1.0, line=line)
        if on_days >= _FEW_DAYS:
            text = f"every value could be a number of {span}; read as whole numbers"
            line = f"data.columns.{name}: {{type: date, format: {form}}}"
            return "", ColumnDecision(name, text, 1.0, asks=True, line=line)
    return "", None


def _date_forms(column: TextColumn, texts: pd.Index) -> Iterable[str]:
    """Formats that the shape of the texts allows, the likelier first."""
    for time, time_shape in _TIME_SHAPES.items():
        for shape, forms in _NAMED_DATES.items():
            if all_match(texts, shape + time_shape):
                yield from (form + time for form in forms)
    found = _NUMERIC_DATE.match(texts[0])
    if found is None:
        return
    mark = found[2]
    escaped = re.escape(mark)
    for time, shape in _TIME_SHAPES.items():
        if all_match(texts, rf"\d{{4}}{escaped}\d{{1,2}}{escaped}\d{{1,2}}{shape}"):
            yield f"%Y{mark}%m{mark}%d{time}"
        year = ""
        if all_match(texts, rf"\d{{1,2}}{escaped}\d{{1,2}}{escaped}\d{{4}}{shape}"):
            year = "%Y"
        elif all_match(texts, rf"\d{{2}}{escaped}\d{{2}}{escaped}\d{{2}}{shape}") or (
            mark == "/" and all_match(texts, rf"\d{{1,2}}/\d{{1,2}}/\d{{2}}{shape}")
        ):
            year = "%y"
        if year:
            yield f"%d{mark}%m{mark}{year}{time}"
            yield f"%m{mark}%d{mark}{year}{time}"


def _tell_date(column: TextColumn, reading: ColumnReading, values: pd.Series[Any], elsewhere: list[str]) -> None:
    form = str(reading.format)
    if elsewhere:
        rows = int(column.rows[elsewhere].sum())
        shown = ", ".join(f"`{mark}`" for mark in elsewhere)
        column.decide(
            f"dates, but {rows:,} of {column.filled_rows:,} rows are {shown}, read as missing",
            rows / column.filled_rows,
            line=f"data.columns.{column.name}: {{type: text}}",
        )
    day_first = re.match(r"%d([-/.])%m", form)
    month_first = re.match(r"%m([-/.])%d", form)
    if not (day_first or month_first):
        column.decide(f"dates such as `{values.index[0]}`, read by the format {form}", 1.0)
        return
    other = re.sub(r"^%(d|m)([-/.])%(d|m)", lambda m: f"%{m[3]}{m[2]}%{m[1]}", form)
    alternative = filled(ColumnReading(type="date", format=other, timezone="none"))
    reader, total = ColumnReader(alternative), int(values.sum())
    only = sum(int(rows) for text, rows in values.items() if not _reads(reader, str(text)))
    which = "day first" if day_first else "month first"
    line = f'data.columns.{column.name}: {{type: date, format: "{other}"}}'
    if only:
        column.decide(f"{which} ({only:,} of {total:,} can only be so)", 1.0, line=line)
        return
    usual = " as is usual with dots" if day_first and day_first[1] == "." and "%Y" in form else ""
    column.decide(
        f"{which}{usual}, but every value can be read with the {'month' if day_first else 'day'} first as well, "
        f"such as `{values.index[0]}`",
        1.0,
        asks=not usual,
        line=line,
    )


def tell_likely_dates(column: TextColumn) -> bool:
    """Note that texts with names of months or clock times may be dates, in a form that is not recognized."""
    some = column.values.index[:_LOOKED_AT]
    if len(some) < _FEW_DAYS or not all_match(some, _LIKE_A_DATE):
        return False
    column.decide(
        f"values such as `{some[0]}` look like dates, but their form is not recognized; read as text",
        1.0,
        asks=True,
        line=f'data.columns.{column.name}: {{type: date, format: "%d %b %Y"}}, in the directives of strptime',
    )
    return True


def _readable(reading: ColumnReading, texts: pd.Index) -> bool:
    reader = ColumnReader(reading)
    return all(_reads(reader, text) for text in texts)


def _reads(reader: ColumnReader, text: str) -> bool:
    try:
        reader.moment(text)
    except ValueError:
        return False
    return True
