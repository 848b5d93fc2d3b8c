"""The service keeps when cases happen, and when labels became known."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from asked import Asked, asked

from noria.bundle import Bundle
from noria.predictions import PredictionStore
from tests import bundles

pytestmark = pytest.mark.slow
JANUARY = datetime(2012, 1, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def bikes(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Its time is no input."""
    use_case, train, test = bundles.bike()
    some = bundles.Case(bundles.changed(use_case, features={"calendar": []}), train.head(2000), test)
    made = bundles.make(some, "dummy", tmp_path_factory.mktemp("bikes") / "bundle")
    assert "dteday" not in made.manifest.schema_.names
    return made


@pytest.fixture
def service(bikes: Bundle, tmp_path: Path) -> Iterator[Asked]:
    with asked(bikes, tmp_path) as running:
        yield running


@pytest.fixture
def row(bikes: Bundle) -> dict[str, Any]:
    rows = bundles.bike().train[bikes.manifest.schema_.names].astype(object)
    found: dict[str, Any] = rows.head(1).to_dict(orient="records")[0]
    return found


def window(service: Asked, since: datetime) -> pd.DataFrame:
    service.settle()
    store = PredictionStore(f"sqlite:///{service.folder / 'predictions.db'}")
    try:
        return store.window(since, since + timedelta(days=1))
    finally:
        store.close()


def test_the_time_of_the_case_is_kept_though_no_model_sees_it(service: Asked, row: dict[str, Any]) -> None:
    reply = service.post("/predict", {"rows": [row | {"dteday": "2012-01-05"}, row]})
    assert reply.status == 200 and reply.json()["ignored"] == []
    assert window(service, JANUARY)["event_at"].tolist() == [JANUARY]
    assert len(window(service, datetime.now(UTC) - timedelta(hours=1))) == 1, "the clock stands in for the other"


def test_a_table_carries_it_too(service: Asked, row: dict[str, Any]) -> None:
    table = pd.DataFrame([row | {"dteday": pd.Timestamp("2012-01-05 06:30")}] * 3)
    body = io.BytesIO()
    table.to_parquet(body)
    reply = service.ask("POST", "/predict", body.getvalue(), {"content-type": "application/vnd.apache.parquet"})
    assert reply.status == 200, reply.text
    assert window(service, JANUARY)["event_at"].tolist() == [JANUARY + timedelta(hours=6, minutes=30)] * 3


def test_an_unreadable_time_is_a_warning(service: Asked, row: dict[str, Any]) -> None:
    reply = service.post("/predict", {"rows": [row | {"dteday": "tomorrow"}]})
    assert "dteday" in reply.json()["predictions"][0]["warnings"][0]
    assert len(window(service, datetime.now(UTC) - timedelta(hours=1))) == 1


@pytest.mark.parametrize("privacy", ['{"drop": ["dteday"]}', '{"truncate": {"dteday": 4}}'])
def test_a_time_that_must_not_be_kept_is_not(bikes: Bundle, tmp_path: Path, row: dict[str, Any], privacy: str) -> None:
    with asked(bikes, tmp_path, NORIA_SERVING=f'{{"privacy": {privacy}}}') as service:
        service.post("/predict", {"rows": [row | {"dteday": "2012-01-05"}]})
        assert window(service, JANUARY).empty
        assert len(window(service, datetime.now(UTC) - timedelta(hours=1))) == 1


def test_labels_say_when_they_became_known(service: Asked, row: dict[str, Any]) -> None:
    asked_rows = {"rows": [row | {"dteday": "2012-01-05"}]}
    id = service.post("/predict", asked_rows).json()["predictions"][0]["id"]
    service.settle()
    sent = service.post("/feedback", {"labels": [{"id": id, "label": 7, "at": "2012-01-06T08:00"}]})
    assert sent.status == 200, sent.text
    assert window(service, JANUARY)["labelled_at"].tolist() == [datetime(2012, 1, 6, 8, tzinfo=UTC)]


@pytest.mark.parametrize("at", ["2999-01-01", "yesterday", 17, True])
def test_labels_from_the_future_or_of_no_time_are_refused(service: Asked, row: dict[str, Any], at: object) -> None:
    id = service.post("/predict", {"rows": [row]}).json()["predictions"][0]["id"]
    reply = service.post("/feedback", {"labels": [{"id": id, "label": 7, "at": at}]})
    assert (reply.status, reply.json()["code"]) == (422, "request.labels_invalid")
    assert reply.json()["rows"][0]["problem"].startswith("at: ")


def test_the_document_names_the_field(service: Asked) -> None:
    rows = service.ask("GET", "/openapi.json").text
    assert '"dteday"' in rows
