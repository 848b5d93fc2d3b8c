"""Removal of erased bytes from the database files."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from noria.predictions.database import BUSY_TIMEOUT_MS, NO_TRANSACTION, translated

_LOG_TIMEOUT_MS = 2000


def empty_log(engine: Engine) -> bool:
    """SQLite: move the write-ahead log into the database file and empty it; False if readers prevent it."""
    if engine.dialect.name != "sqlite":
        return True
    with _without_transaction(engine) as connection:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {_LOG_TIMEOUT_MS}")  # other writers wait as long
        try:
            return bool(connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0] == 0)
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")


def rewrite_tables(engine: Engine) -> None:
    """Rewrite the tables without the erased bytes; other writers are blocked meanwhile.

    Raises:
        NoriaError: the disk has no space for a second copy, or the database is busy.
    """
    with _without_transaction(engine) as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("VACUUM")
        elif engine.dialect.name == "postgresql":
            connection.exec_driver_sql("VACUUM FULL predictions")
            connection.exec_driver_sql("VACUUM FULL labels")
            connection.exec_driver_sql("VACUUM FULL events")


@contextmanager
def _without_transaction(engine: Engine) -> Iterator[Connection]:
    """A connection for statements that cannot stand in a transaction."""
    options = {"isolation_level": "AUTOCOMMIT"} if engine.dialect.name == "postgresql" else {NO_TRANSACTION: True}
    with translated(engine), engine.connect().execution_options(**options) as connection:
        yield connection
