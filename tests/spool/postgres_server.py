"""A PostgreSQL that a test stops and starts again."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import create_engine, inspect, text

from benchmarks.endured import stores


@contextmanager
def stoppable() -> Iterator[stores.Stoppable]:
    """A server that is there as long as the block; the test is skipped if none can be had."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(stores.postgres())
        except RuntimeError as error:
            pytest.skip(str(error))
        yield server


def ids(url: str) -> list[str]:
    """The ids of the predictions, sorted, each as often as it is there."""
    engine = create_engine(url)
    try:
        if not inspect(engine).has_table("predictions"):
            return []
        with engine.connect() as connection:
            return sorted(connection.execute(text("select id from predictions")).scalars())
    finally:
        engine.dispose()
