"""From the configured sources to one table."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from noria.config import expand_environment
from noria.config.column_reading import ColumnReading
from noria.config.data import DataConfig, JoinConfig, SourceConfig
from noria.data.database import read_query
from noria.data.period import within
from noria.data.table_files import format_of, open_file, read_file, read_names
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.workspace import in_project
from noria.tabular.column_decision import ColumnDecision
from noria.tabular.inference import learn_reading
from noria.tabular.names import did_you_mean, require_columns, set_apart
from noria.tabular.types import convert

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class SourceTable:
    """The joined table, and how the values of its columns were read."""

    frame: pd.DataFrame
    """The n rows, typed, with an index from 0."""
    readings: dict[str, ColumnReading]
    """Column → its rule, as declared and, for the rest, learned from all rows."""
    decisions: list[ColumnDecision]
    """What was decided where the values leave room."""


def read(data: DataConfig) -> pd.DataFrame:
    """Read every source and join them; see `read_table`."""
    return read_table(data).frame


def read_table(data: DataConfig, declared: Callable[[str], ColumnReading] | None = None) -> SourceTable:
    """Read every table by the rules of its columns, learn the rules that are not declared, and join them.

    A column with values that do not fit its declared rule stays as it is, so that validation names these rows.

    Args:
        data: sources and joins.
        declared: what is declared for a column; by default what `data` says.

    Returns:
        One row per row of the first source (left joins), in its order; of these the rows from `data.since` on and
        before `data.until`.

    Raises:
        NoriaError: a source cannot be read, a join would lose columns or double rows, or `since` and `until` leave no
            row.
    """
    known = declared or data.reading
    readings: dict[str, ColumnReading] = {}
    decisions: list[ColumnDecision] = []
    tables = {}
    for source in tables_of(data):
        columns: dict[str, pd.Series[Any]] = {}
        as_it_is, raw = read_source(source), is_csv(source)
        for name in as_it_is.columns:
            learned = learn_reading(as_it_is[name], readings.get(name) or known(name), decimal=source.decimal, raw=raw)
            typed, unreadable = convert(as_it_is[name], learned.reading, decimal=source.decimal)
            columns[name] = as_it_is[name] if unreadable.any() else typed
            decisions += learned.decisions if name not in readings else []
            readings.setdefault(name, learned.reading)
        tables[source.name] = pd.DataFrame(columns, index=as_it_is.index)
    frame = tables[data.sources[0].name]
    for join in data.joins:
        frame = _join(frame, tables[join.source], join)
    frame = within(frame, data)
    return SourceTable(frame, readings, sorted(decisions, key=lambda one: (not one.asks, -one.weight)))


def tables_of(data: DataConfig) -> list[SourceConfig]:
    """The sources that are tables; labelled predictions are read by `noria.labelled_cases`."""
    return [source for source in data.sources if source.kind == "table"]


def is_csv(source: SourceConfig) -> bool:
    """Whether the values of a source come as text without types."""
    if source.path is None or source.format is not None:
        return source.format == "csv"
    return format_of(source.path, where=f"data.sources.{source.name}") == "csv"


def read_source(source: SourceConfig) -> pd.DataFrame:
    """Read one source as it is; the values of a CSV file are text.

    Raises:
        NoriaError: it cannot be read.
    """
    if source.path is None:
        return read_query(str(source.url), str(source.query), where=f"data.sources.{source.name}")
    path, where = _located(source.path, source.name)
    return read_file(path, format=source.format, separator=source.separator, where=where)


def read_header(data: DataConfig) -> pd.DataFrame | None:
    """The joined table without its rows, from the headers of the files; None if a source is an SQL query.

    Raises:
        NoriaError: a file is missing or unreadable, or a join names a column that is absent.
    """
    headers = {source.name: _header(source) for source in tables_of(data)}
    known = {name: header for name, header in headers.items() if header is not None}
    if len(known) < len(headers):
        return None
    frame = known[data.sources[0].name]
    for join in data.joins:
        frame = _join(frame, known[join.source], join)
    return frame


def fingerprint(data: DataConfig) -> str:
    """SHA-256 of what the tables hold now: of the bytes of files, and of the rows of queries.

    Returns:
        64 hexadecimal digits, different when any source's content is.

    Raises:
        NoriaError: a source cannot be read.
    """
    total = hashlib.sha256()
    for source in tables_of(data):
        total.update(f"{source.name}\n{_content_digest(source)}\n".encode())
    return total.hexdigest()


def _header(source: SourceConfig) -> pd.DataFrame | None:
    if source.path is None:
        return None
    path, where = _located(source.path, source.name)
    names = read_names(path, format=source.format, separator=source.separator, where=where)
    return pd.DataFrame(columns=names)


def _content_digest(source: SourceConfig) -> str:
    digest = hashlib.sha256()
    if source.path is None:
        frame = read_source(source)
        digest.update("\x1f".join(map(str, frame.columns)).encode())
        digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
        return digest.hexdigest()
    path, where = _located(source.path, source.name)
    with open_file(path, where=where) as handle:
        while chunk := handle.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _located(path: str, name: str) -> tuple[str, str]:
    """Where the file lies, and what errors call it, without any secret from the environment."""
    where = f"data.sources.{name}"
    full = in_project(expand_environment(path, where=where))
    return full, f"{path if '${' in path else full} ({where})"


def _join(left: pd.DataFrame, right: pd.DataFrame, join: JoinConfig) -> pd.DataFrame:
    where = f"data.joins.{join.source}"
    require_columns(left, [(f"{where}.on", key) for key in join.on])
    _require_in_added(right, join, where)
    both = sorted(set(left.columns) & set(right.columns) - set(join.on))
    if both:
        fix = "rename one of them, or select the needed columns in a query"
        raise NoriaError(
            f"both sides of the join have a column `{both[0]}`", code="data.join_columns_clash", where=where, fix=fix
        )
    # as in SQL, a missing key matches nothing
    right = right.dropna(subset=join.on)
    if join.many_to_one:
        _require_unique(right, join, where)
    found = set_apart("found", {*left.columns, *right.columns}, "_")
    try:
        joined = left.merge(right, on=join.on, how=join.how, indicator=found)
    except ValueError as error:
        fix = "give the key the same type in both sources"
        raise NoriaError(
            f"the keys {join.on} do not fit together: {error}", code="data.join_keys_differ", where=where, fix=fix
        ) from error
    _tell_about_rows(left, joined, join, found)
    return joined.drop(columns=found)


def _require_in_added(right: pd.DataFrame, join: JoinConfig, where: str) -> None:
    for key in join.on:
        if key not in right.columns:
            raise NoriaError(
                f"source `{join.source}` has no column `{key}`",
                code="data.join_key_missing",
                where=f"{where}.on",
                fix=did_you_mean(key, right.columns),
            )


def _require_unique(right: pd.DataFrame, join: JoinConfig, where: str) -> None:
    doubled = right.duplicated(subset=join.on)
    if doubled.any():
        example = ", ".join(f"{key}={right.loc[doubled, key].iloc[0]}" for key in join.on)
        raise NoriaError(
            f"source `{join.source}` has {int(doubled.sum())} repeated key(s), for example {example}: "
            "the join would double rows",
            code="data.join_key_repeated",
            where=where,
            fix="keep one row per key in that source, join on more columns, or allow it with `many_to_one: false`",
        )


def _tell_about_rows(left: pd.DataFrame, joined: pd.DataFrame, join: JoinConfig, found: str) -> None:
    if join.how == "left" and (unmatched := int((joined[found] == "left_only").sum())):
        progress.warn(f"{unmatched:,} of {len(left):,} rows have no match in `{join.source}`; its columns are missing")
    if len(joined) != len(left):
        progress.warn(f"joining `{join.source}` turned {len(left):,} rows into {len(joined):,}")
