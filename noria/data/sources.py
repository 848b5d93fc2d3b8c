"""From the configured sources to one table."""

import hashlib

import pandas as pd

from noria.config import expand_environment
from noria.config.data import DataConfig, JoinConfig, SourceConfig
from noria.data.database import read_query
from noria.data.table_files import open_file, read_file
from noria.system import progress
from noria.system.errors import NoriaError
from noria.system.workspace import in_project
from noria.tabular.names import did_you_mean, require_columns
from noria.tabular.types import convert

_CHUNK_BYTES = 1 << 20


def read(data: DataConfig) -> pd.DataFrame:
    """Read every source and join them.

    Columns declared `datetime`, and `data.time`, become dates if all their values can be read as such; otherwise they
    stay as they are for validation to name the bad rows.

    Returns:
        One row per row of the first source (left joins), in its order, with an index from 0.

    Raises:
        NoriaError: a source cannot be read, or a join would lose columns or double rows.
    """
    tables = {source.name: read_source(source) for source in data.sources}
    frame = tables[data.sources[0].name]
    for join in data.joins:
        frame = _join(frame, tables[join.source], join)
    declared = {name for name, column in data.expectations.columns.items() if column.type == "datetime"}
    for column in sorted(declared | ({data.time} if data.time else set())):
        frame = _with_dates(frame, column)
    return frame


def read_source(source: SourceConfig) -> pd.DataFrame:
    """Read one source.

    Raises:
        NoriaError: it cannot be read.
    """
    if source.path is None:
        return read_query(str(source.url), str(source.query), where=f"data.sources.{source.name}")
    path, where = _located(source.path, source.name)
    return read_file(path, format=source.format, separator=source.separator, decimal=source.decimal, where=where)


def fingerprint(data: DataConfig) -> str:
    """SHA-256 of what the sources hold now: of the bytes of files, and of the rows of queries.

    Returns:
        64 hexadecimal digits, different when any source's content is.

    Raises:
        NoriaError: a source cannot be read.
    """
    total = hashlib.sha256()
    for source in data.sources:
        total.update(f"{source.name}\n{_content_digest(source)}\n".encode())
    return total.hexdigest()


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
    try:
        joined = left.merge(right, on=join.on, how=join.how, indicator="__found")
    except ValueError as error:
        fix = "give the key the same type in both sources"
        raise NoriaError(
            f"the keys {join.on} do not fit together: {error}", code="data.join_keys_differ", where=where, fix=fix
        ) from error
    _tell_about_rows(left, joined, join)
    return joined.drop(columns="__found")


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


def _tell_about_rows(left: pd.DataFrame, joined: pd.DataFrame, join: JoinConfig) -> None:
    if join.how == "left" and (unmatched := int((joined["__found"] == "left_only").sum())):
        progress.warn(f"{unmatched:,} of {len(left):,} rows have no match in `{join.source}`; its columns are missing")
    if len(joined) != len(left):
        progress.warn(f"joining `{join.source}` turned {len(left):,} rows into {len(joined):,}")


def _with_dates(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    if column not in frame.columns:
        return frame
    dates, bad = convert(frame[column], "datetime")
    return frame if bad.any() else frame.assign(**{column: dates})
