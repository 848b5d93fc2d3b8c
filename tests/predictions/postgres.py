"""A real PostgreSQL for tests: the one that `NORIA_TEST_POSTGRES` names, or one of the embedded wheel."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy

from tests.spool.postgres_server import stoppable

GIVEN = "NORIA_TEST_POSTGRES"
_numbers = itertools.count()


@contextmanager
def server() -> Iterator[str]:
    """URL of a server that is there as long as the block; the test is skipped if none can be had; see also GIVEN."""
    if os.environ.get(GIVEN):
        yield os.environ[GIVEN]
        return
    with stoppable() as server:
        yield server.url


@contextmanager
def database(url: str) -> Iterator[str]:
    """URL of a new, empty database on the server."""
    name = f"noria_{os.getpid()}_{next(_numbers)}"
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield sqlalchemy.make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        engine.dispose()
