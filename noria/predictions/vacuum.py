"""What a database must do so that erased bytes are gone from its files, too."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from noria.predictions.database import BUSY_TIMEOUT_MS, OUTSIDE, translated

_LOG_TIMEOUT_MS = 2000


def empty_log(engine: Engine) -> bool:
    """SQLite: move the write-ahead log into the database file and empty it; False if readers are in the way."""
    if engine.dialect.name != "sqlite":
        return True
    with _outside(engine) as connection:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {_LOG_TIMEOUT_MS}")  # writers wait as long as this does
        try:
            return bool(connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0] == 0)
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")


def rewrite_tables(engine: Engine) -> None:
    """Write the tables anew, without what was erased; nobody else can write meanwhile.

    Raises:
        NoriaError: the disk has no room for a second copy, or the database is busy.
    """
    with _outside(engine) as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("VACUUM")
        elif engine.dialect.name == "postgresql":
            connection.exec_driver_sql("VACUUM FULL predictions")
            connection.exec_driver_sql("VACUUM FULL labels")
            connection.exec_driver_sql("VACUUM FULL events")


@contextmanager
def _outside(engine: Engine) -> Iterator[Connection]:
    """A connection for statements that cannot stand in a transaction."""
    options = {"isolation_level": "AUTOCOMMIT"} if engine.dialect.name == "postgresql" else {OUTSIDE: True}
    with translated(engine), engine.connect().execution_options(**options) as connection:
        yield connection
