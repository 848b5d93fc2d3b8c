"""Every test of the store runs on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from noria.predictions import PredictionStore
from tests.predictions.postgres import database, server


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'predictions.db'}"
    else:
        with database(request.getfixturevalue("postgres")) as made:
            yield made


@pytest.fixture
def store(url: str) -> Iterator[PredictionStore]:
    opened = PredictionStore(url)
    yield opened
    opened.close()


class Direct:
    """The database past the store."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with self._engine.begin() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def run(self, statement: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(statement))

    def close(self) -> None:
        self._engine.dispose()


@pytest.fixture
def direct(url: str) -> Iterator[Direct]:
    opened = Direct(url)
    yield opened
    opened.close()
