"""The store's two tables and the connection to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from sqlite3 import Connection as SQLiteConnection

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.types import TypeDecorator

from noria.config import expand_environment
from noria.errors import NoriaError

_BUSY_TIMEOUT_MS = 30_000


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept as UTC without its offset: SQLite has no type for offsets."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        return None if value is None else value.replace(tzinfo=UTC)


metadata = MetaData()

predictions = Table(
    "predictions",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("request_id", String(64), nullable=False),
    Column("model", String(64), nullable=False),
    Column("version", String(64), nullable=False),
    Column("variant", String(64), nullable=False),
    Column("entity", String(255), index=True),
    Column("features", JSON, nullable=False),
    Column("prediction", JSON, nullable=False),
    Column("probability", Float),
    Column("decision", String(16), nullable=False),
    Column("warning", String, nullable=False),
    Column("latency_ms", Float, nullable=False),
    Column("label_id", String(64)),
    Column("label", JSON(none_as_null=True)),
    Column("labelled_at", UtcTime),
)

# Labels are only ever added here, so a replaced one stays; `predictions.label` is the one that holds.
labels = Table(
    "labels",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False),
    Column("prediction_id", String(64), index=True),
    Column("entity", String(255), index=True),
    Column("label", JSON, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("pending", Boolean, nullable=False),
)
Index("labels_pending", labels.c.pending, sqlite_where=labels.c.pending, postgresql_where=labels.c.pending)


def connect(url: str) -> Engine:
    """Open the database and make the tables that are missing.

    Raises:
        NoriaError: the URL cannot be read, or the database cannot be reached or written.
    """
    try:
        engine = create_engine(
            make_url(expand_environment(url, where="the URL of the prediction store")), pool_pre_ping=True
        )
    except (ArgumentError, ModuleNotFoundError) as error:
        raise NoriaError(
            f"the prediction store's URL cannot be used: {error}", fix="write a SQLAlchemy URL such as sqlite:///p.db"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    with writing(engine) as connection:
        metadata.create_all(connection)
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that is durable when the block ends, or leaves no trace."""
    with translated(engine), engine.connect().execution_options(noria_writes=True) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one state of the store and never waits for writers."""
    with translated(engine), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Database errors as NoriaErrors; the URL's password stays out of them."""
    try:
        yield
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        is_damaged = "not a database" in reason or "malformed" in reason
        raise NoriaError(
            f"the prediction store does not work: {reason}",
            where=engine.url.render_as_string(hide_password=True),
            fix="restore that file from a backup, or move it away and begin with an empty one"
            if is_damaged
            else "check that the database can be reached and written, and that its disk is not full",
        ) from error


def _prepare_sqlite(connection: SQLiteConnection, _: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # a commit survives a power cut
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A reader that turns into a writer fails at once when another process wrote meanwhile; taking the write lock
    # from the start waits instead.
    writes = connection.get_execution_options().get("noria_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
