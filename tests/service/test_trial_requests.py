"""Requests of somebody who tries the service out are answered like all others, and count nowhere."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from asked import Asked, asked
from prometheus_client import REGISTRY
from serving import Served

from noria.bundle import Bundle
from noria.client import Client
from noria.monitoring import read_window
from noria.predictions import PredictionStore

ROW = {"age": 40, "amount": 80.5, "visits": 3, "region": "north", "code": 3, "member": True, "joined": "2024-02-03"}
TEST = {"x-noria-test": "1"}


@pytest.fixture(scope="module")
def service(mixed_linear: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with asked(mixed_linear, tmp_path_factory.mktemp("trials")) as running:
        yield running
        running.settle()


@pytest.fixture
def store(service: Asked) -> Iterator[PredictionStore]:
    opened = PredictionStore(f"sqlite:///{service.folder / 'predictions.db'}")
    yield opened
    opened.close()


def counted(metric: str, **labels: str) -> float:
    """The sum of a counter over all other labels."""
    samples = [each for family in REGISTRY.collect() for each in family.samples if each.name == f"{metric}_total"]
    return sum(each.value for each in samples if labels.items() <= each.labels.items())


@pytest.mark.parametrize(
    ("value", "counts"),
    [("1", False), ("true", False), ("Yes", False), ("0", True), ("false", True), (" off ", True), ("", True)],
)
def test_any_true_value_marks_a_test(service: Asked, store: PredictionStore, value: str, counts: bool) -> None:
    service.settle()
    before = store.counts().predictions
    assert service.post("/predict", {"rows": [ROW]}, {"X-Noria-Test": value}).status == 200
    service.settle()
    assert store.counts().predictions - before == int(counts)


@pytest.mark.parametrize("rows", [1, 300])
def test_a_test_is_answered_like_any_request_and_kept_apart(service: Asked, store: PredictionStore, rows: int) -> None:
    service.settle()
    began, before = datetime.now(UTC), store.counts()
    tests, real = [counted("noria_predictions", traffic=traffic) for traffic in ("test", "production")]
    sent = {"rows": [ROW | {"customer": f"trial {n}"} for n in range(rows)]}
    plain = service.post("/predict", sent).json()["predictions"]
    tried = service.post("/predict", sent, TEST).json()["predictions"]
    assert [each | {"id": ""} for each in tried] == [each | {"id": ""} for each in plain]
    service.settle()
    assert store.counts().predictions - before.predictions == rows
    assert not {each["id"] for each in tried} & set(store.window(began)["prediction_id"])
    assert store.unknown_ids([each["id"] for each in tried]) == [], "they are kept"
    assert counted("noria_predictions", traffic="test") - tests == rows
    assert counted("noria_predictions", traffic="production") - real == rows
    assert store.variant_statistics(began, ["champion"])["champion"].answers == rows


def test_a_table_that_is_a_test_is_kept_apart(service: Asked, store: PredictionStore) -> None:
    service.settle()
    before = store.counts().predictions
    table = pa.Table.from_pandas(pd.DataFrame([ROW] * 40))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    headers = TEST | {"content-type": "application/vnd.apache.arrow.stream"}
    reply = service.post("/predict", bytes(sink.getvalue()), headers)
    assert pa.ipc.open_stream(reply.body).read_all().num_rows == 40
    service.settle()
    assert store.counts().predictions == before


def test_labels_of_a_test_are_checked_and_not_kept(service: Asked, store: PredictionStore) -> None:
    sent = {"rows": [ROW | {"customer": "tried"}]}
    (tried,) = service.post("/predict", sent, TEST).json()["predictions"]
    (real,) = service.post("/predict", {"rows": [ROW | {"customer": "real"}]}).json()["predictions"]
    service.settle()
    before = store.counts()
    tests, others = [counted("noria_labels", traffic=traffic) for traffic in ("test", "production")]
    names = [{"id": tried["id"]}, {"entity": "tried"}, {"id": real["id"]}]
    labels = [name | {"label": "Yes"} for name in names]
    assert service.post("/feedback", {"labels": labels}, TEST).json() == {"known": [True, True, True]}
    assert service.post("/feedback", {"labels": [{"id": "x", "label": "Yes"}]}, TEST).status == 422
    assert service.post("/feedback", {"labels": [{"id": "x", "label": "Perhaps"}]}, TEST).status == 422
    assert (store.counts().labelled, store.counts().unmatched_labels) == (before.labelled, before.unmatched_labels)
    assert counted("noria_labels", traffic="test") - tests == 3
    assert counted("noria_labels", traffic="production") == others
    reply = service.post("/feedback", {"labels": [{"entity": "tried", "label": "Yes"}]})
    assert reply.json()["code"] == "predictions.labels_unknown", "no real case is called so"


@pytest.mark.e2e
def test_a_client_that_tries_leaves_no_trace_in_monitoring(
    served: Served, held_out: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NORIA_PREDICTIONS_URL", raising=False)  # the store of the service in this process
    before, now = served.store().counts(), datetime.now(UTC)
    with Client(served.deployment.url, test=True) as trying:
        answers = trying.predict(held_out[20:40])
        served.store()
        known = trying.feedback([{"id": each.id, "label": "Yes"} for each in answers]).known
        assert trying.explain([held_out[20]]).explanations
    assert known == [True] * 20
    store = served.store()
    assert store.counts() == before
    window = read_window(store, served.use_case, "1", datetime.now(UTC))
    for frame in (window.recent, window.labelled):
        assert not {each.id for each in answers} & set(frame["prediction_id"])
    assert store.variant_statistics(now, ["champion"])["champion"].answers == 0
    tests = [line for line in served.client.metrics().splitlines() if 'traffic="test"' in line]
    assert any(line.startswith("noria_predictions_total") for line in tests)
    assert any(line.startswith("noria_requests_total") for line in tests)
