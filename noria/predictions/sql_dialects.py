"""The statements that differ between SQLite and PostgreSQL."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    String,
    any_,
    column,
    func,
    literal,
    select,
)

_POSTGRESQL_TYPES = {
    "at": "timestamp",
    "event_at": "timestamp",
    "features": "json",
    "prediction": "json",
    "probability": "float8",
    "selection_probability": "float8",
    "latency_ms": "float8",
    "label": "json",
    "pending": "boolean",
    "is_test": "boolean",
    "count": "int",
}


def is_one_of(connection: Connection, wanted: Column[Any], values: Iterable[str]) -> ColumnElement[bool]:
    """`wanted` is one of `values`, which are sent as one parameter, however many they are."""
    if connection.dialect.name == "postgresql":
        return wanted == any_(literal(list(values), ARRAY(String)))
    each = func.json_each(msgspec.json.encode(list(values)).decode()).table_valued(column("value", String))
    return wanted.in_(select(each.c.value))


def insert_new(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert the rows that are not there yet; returns how many were new.

    Args:
        connection: in a writing transaction.
        table: its name.
        columns: their names; the first one is the unique key.
        rows: n rows in the order of `columns`; times as ISO 8601 text in UTC, JSON as text.
    """
    if not rows:
        return 0
    names, key = ", ".join(f'"{name}"' for name in columns), columns[0]
    into = f"INSERT INTO {table} ({names})"
    on_conflict = f'ON CONFLICT ("{key}") DO NOTHING'
    if connection.dialect.name == "postgresql":  # one parameter is several times as fast as one per value
        fields = ", ".join(f'"{name}" text' for name in columns)
        typed = ", ".join(f'"{name}"::{_POSTGRESQL_TYPES.get(name, "text")}' for name in columns)
        given = msgspec.json.encode([dict(zip(columns, row, strict=True)) for row in rows]).decode()
        taken = f"SELECT {typed} FROM json_to_recordset(%s::json) AS given({fields})"  # noqa: S608
        return connection.exec_driver_sql(f"{into} {taken} {on_conflict}", (given,)).rowcount
    marks = ", ".join("?" * len(columns))
    return connection.exec_driver_sql(f"{into} VALUES ({marks}) {on_conflict}", list(rows)).rowcount


def utc_text(moment: datetime) -> str:
    """An aware time as text that both databases accept and SQLAlchemy reads."""
    return moment.astimezone(UTC).isoformat(sep=" ", timespec="microseconds").removesuffix("+00:00")
