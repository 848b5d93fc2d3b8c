"""The connection to the store's database: SQLite in WAL mode, or PostgreSQL."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from sqlite3 import Connection as SQLiteConnection
from typing import Any

import msgspec
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from noria.config import expand_environment
from noria.predictions.migrate import upgrade
from noria.system.errors import NoriaError, first_line
from noria.system.files import create_private

BUSY_TIMEOUT_MS = 30_000
NO_TRANSACTION = "noria_no_transaction"
"""Execution option of a connection without transactions."""
_CACHE_KB = 64_000
_WAL_PAGES = 8_000
"""The write-ahead log is copied to the database after so many pages of 4 KiB; pages that changed often, only once."""
_CONNECT_TIMEOUT_S = 10
_WRITE_LOCK = 0x6E6F7269  # any number, the same for all writers to this database


def connect(url: str, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Engine:
    """Open the database and migrate its tables to the newest revision.

    Args:
        url: a SQLAlchemy URL.
        busy_timeout_ms: how long a writer waits for other writers, in milliseconds.

    Raises:
        NoriaError: the URL is not valid, or the database cannot be reached, written or migrated.
    """
    try:
        parsed = make_url(expand_environment(url, where="the URL of the prediction store"))
        timeout = {"connect_timeout": _CONNECT_TIMEOUT_S} if parsed.get_backend_name() == "postgresql" else {}
        engine = create_engine(
            parsed, pool_pre_ping=True, connect_args=timeout, hide_parameters=True, json_deserializer=_from_json
        )
        _create_file(parsed)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise _unusable(f"its driver is not installed ({error})", code="predictions.url_invalid") from error
    except (ArgumentError, ValueError):
        raise _unusable(
            "it is not a database URL", code="predictions.url_invalid"
        ) from None  # that error may contain the password
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", partial(_prepare_sqlite, busy_timeout_ms))
    event.listen(engine, "begin", partial(_begin, busy_timeout_ms))
    with writing(engine) as connection:
        upgrade(connection)
    return engine


def _unusable(why: str, *, code: str) -> NoriaError:
    return NoriaError(
        f"the prediction store's URL cannot be used: {why}",
        code=code,
        fix="write a SQLAlchemy URL such as sqlite:///p.db or postgresql+psycopg://user@host/database",
    )


def _from_json(text: str) -> Any:
    """A value of a JSON column; msgspec takes a third of the time, but knows no lone surrogates."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return json.loads(text)


def _create_file(url: URL) -> None:
    """Create a SQLite file that only its owner can read; its log gets the same mode."""
    file = url.database or ""
    if url.get_backend_name() == "sqlite" and file not in {"", ":memory:"} and not file.startswith("file:"):
        create_private(file)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A write transaction, durable when the block ends, rolled back on error. Writers are serialized."""
    with translated(engine), engine.connect().execution_options(noria_writes=True) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A read transaction on a consistent snapshot, which never waits for writers."""
    options = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with (
        translated(engine),
        engine.connect().execution_options(**options) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Raise database errors as NoriaErrors, without the URL's password."""
    try:
        yield
    except SQLAlchemyError as error:
        reason = _without_password(first_line(getattr(error, "orig", None) or error), engine)
        is_damaged = "not a database" in reason or "malformed" in reason
        raise NoriaError(
            f"the prediction store does not work: {reason}",
            code="predictions.store_failed",
            where=shown_url(engine.url),
            fix="restore that file from a backup, or move it away to start with an empty one"
            if is_damaged
            else "check that the database can be reached and written, and that its disk is not full",
        ) from error


def shown_url(url: str | URL) -> str:
    """A URL for people: without its password, and without parameters, which may hold another one.

    Raises:
        NoriaError: it is no URL.
    """
    try:
        return make_url(url).set(query={}).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        raise _unusable("it is not a database URL", code="predictions.url_invalid") from None


def _without_password(text: str, engine: Engine) -> str:
    for secret in (engine.url.password, engine.url.query.get("password")):
        if isinstance(secret, str) and secret:
            text = text.replace(secret, "***")
    return text


def _prepare_sqlite(busy_timeout_ms: int, connection: SQLiteConnection, _: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {busy_timeout_ms}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # a commit survives a power cut
    cursor.execute("PRAGMA secure_delete = ON")  # erased data is overwritten
    cursor.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
    cursor.execute(f"PRAGMA cache_size = -{_CACHE_KB}")  # indexes of random identifiers are accessed at random
    cursor.close()


def _begin(busy_timeout_ms: int, connection: Connection) -> None:
    """Take the write lock when the transaction begins.

    In SQLite, a reader that turns into a writer fails at once when another process wrote meanwhile. In PostgreSQL, a
    label and its prediction that are written at the same time would not see each other.
    """
    options = connection.get_execution_options()
    writes = options.get("noria_writes", False)
    if options.get(NO_TRANSACTION, False):
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
    elif connection.dialect.name == "postgresql" and writes:
        if busy_timeout_ms != BUSY_TIMEOUT_MS:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {busy_timeout_ms}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})")
