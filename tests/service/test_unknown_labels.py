"""Labels of predictions that nobody knows are refused, but never lost while a prediction is on its way."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asked import UNREACHABLE, Asked, asked

from noria.bundle import Bundle
from noria.predictions import PredictionStore
from noria.predictions.ids import made_at, new_id
from noria.serving.api import ErrorResponse

ROW = {"age": 40, "amount": 80.5, "visits": 3, "region": "north", "code": 3, "member": True, "joined": "2024-02-03"}
OLD = "0199f2c01b7a7c3e8d41a65f20b3c9d7"


@pytest.fixture(scope="module")
def service(mixed_linear: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with asked(mixed_linear, tmp_path_factory.mktemp("unknown")) as running:
        yield running
        running.settle()


def labels(service: Asked, *names: dict[str, str]) -> Any:
    return service.post("/feedback", {"labels": [name | {"label": "Yes"} for name in names]})


def waiting(service: Asked) -> int:
    store = PredictionStore(f"sqlite:///{service.folder / 'predictions.db'}")
    try:
        return store.counts().unmatched_labels
    finally:
        store.close()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([{"id": "0" * 32}], "the id is not known"),
        ([{"id": OLD}, {"id": "somebody's"}], "none of the 2 ids is known"),
        ([{"entity": "nobody"}], "the case is not known"),
        ([{"entity": "nobody"}, {"id": OLD}, {"entity": "x"}], "none of the 3 ids and cases is known"),
    ],
)
def test_labels_of_which_no_prediction_is_known_are_refused(
    service: Asked, names: list[dict[str, str]], said: str
) -> None:
    before = waiting(service)
    service.settle()
    reply = labels(service, *names)
    assert reply.status == 422
    error = ErrorResponse.model_validate_json(reply.body)
    assert error.code == "predictions.labels_unknown"
    assert said in error.error
    assert [each.problem for each in error.rows] == [f"{next(iter(name))}: not known" for name in names]
    assert waiting(service) == before


def test_one_known_label_lets_the_others_wait(service: Asked) -> None:
    answer = service.post("/predict", {"rows": [ROW | {"customer": "c1"}]}).json()["predictions"][0]
    service.settle()
    reply = labels(service, {"id": answer["id"]}, {"id": OLD}, {"entity": "c1"}, {"entity": "later"})
    assert reply.json() == {"known": [True, False, True, False]}


def test_a_prediction_that_was_just_made_elsewhere_is_waited_for(service: Asked) -> None:
    """Another server that shares the store may have it in its spool."""
    service.settle()
    recent = new_id()
    assert abs((made_at(recent) or 0) - time.time()) < 60
    assert made_at("0" * 32) is None
    assert labels(service, {"id": recent}).json() == {"known": [False]}


@pytest.mark.slow
def test_a_label_that_comes_at_once_finds_its_prediction(service: Asked) -> None:
    for number in range(20):
        answer = service.post("/predict", {"rows": [ROW | {"customer": f"now {number}"}]}).json()["predictions"][0]
        name = {"id": answer["id"]} if number % 2 else {"entity": f"now {number}"}
        reply = labels(service, name)
        assert (reply.status, reply.json()["known"][0] in {True, None}) == (200, True), reply.text


def test_while_the_store_is_down_unknown_labels_are_spooled(mixed_linear: Bundle, tmp_path: Path) -> None:
    with asked(mixed_linear, tmp_path, UNREACHABLE) as service:
        assert labels(service, {"id": OLD}).json() == {"known": [None]}


def test_while_the_store_is_locked_labels_are_spooled_and_nobody_waits_long(
    mixed_linear: Bundle, tmp_path: Path
) -> None:
    with asked(mixed_linear, tmp_path) as service:
        answer = service.post("/predict", {"rows": [ROW]}).json()["predictions"][0]
        service.settle()
        assert labels(service, {"id": OLD}).status == 422, "the store is open"
        with sqlite3.connect(tmp_path / "predictions.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            assert labels(service, {"id": answer["id"]}).json() == {"known": [None]}
            assert time.monotonic() - began < 5
            began = time.monotonic()
            assert labels(service, {"id": answer["id"]}).json() == {"known": [None]}
            assert time.monotonic() - began < 1
            other.execute("ROLLBACK")
        other.close()
        service.settle()
        with closing(PredictionStore(f"sqlite:///{tmp_path / 'predictions.db'}")) as store:
            assert store.window(datetime.now(UTC) - timedelta(hours=1), labelled=True)["label"].tolist() == ["Yes"]


@pytest.mark.slow
def test_many_labels_do_not_hold_up_predictions(mixed_linear: Bundle, tmp_path: Path) -> None:
    many = [{"id": OLD, "label": "Yes"}] * 60_000
    with asked(mixed_linear, tmp_path, NORIA_SERVING='{"max_rows": 60000}') as service:
        sent, rows = json.dumps({"labels": many}).encode(), json.dumps({"rows": [ROW]}).encode()

        async def crowd() -> float:
            large = asyncio.create_task(service.coming("POST", "/feedback", sent))
            slowest = 0.0
            while not large.done():
                began = time.perf_counter()
                assert (await service.coming("POST", "/predict", rows)).status == 200
                await asyncio.sleep(0.01)
                slowest = max(slowest, time.perf_counter() - began)
            assert (await large).status == 422
            return slowest

        service.post("/predict", rows)
        assert service.run(crowd()) < 1
        service.settle()
