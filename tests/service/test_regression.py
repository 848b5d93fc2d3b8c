"""The service's app without a server, answering with numbers; and what it does when nothing can be recorded."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from noria.bundle import Bundle, write_bundle
from noria.config import load_use_case
from noria.data.sources import read
from noria.models.fitted_model import fit
from noria.models.policy_choice import DecisionPolicy
from noria.predictions import PredictionStore
from noria.predictions.spool.backlog import wait_until_flushed
from noria.system.workspace import PROJECT
from noria.traffic import activation
from service.app import App
from service.runtime import Runtime
from tests.errors_raised import raises

if TYPE_CHECKING:
    from starlette.testclient import TestClient

pytestmark = [pytest.mark.filterwarnings("ignore:Using `httpx`"), pytest.mark.slow]


@pytest.fixture(scope="module")
def bikes(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    use_case = load_use_case(PROJECT / "configs" / "bike_demand.yaml")
    train = read(use_case.data).iloc[:4000].reset_index(drop=True)
    return write_bundle(
        tmp_path_factory.mktemp("bikes") / "bundle",
        fit("tree", {}, train, use_case),
        use_case=use_case,
        train=train,
        out_of_fold=np.full(len(train), 100.0),
        policy=DecisionPolicy(act_from=150.0),
        fingerprint="0" * 64,
        version="7",
    )


@pytest.fixture
def client(bikes: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[TestClient]":
    activation.write_plan(tmp_path, activation.TrafficPlan.of(bikes.folder, "7"))
    monkeypatch.setenv("NORIA_SERVICE_DIR", str(tmp_path))
    monkeypatch.setenv("NORIA_PREDICTIONS_URL", f"sqlite:///{tmp_path / 'predictions.db'}")
    from starlette.testclient import TestClient

    runtime = Runtime()
    runtime.start()
    app = App(runtime)
    app.started()
    yield TestClient(app, base_url="http://127.0.0.1")
    runtime.stop()


def kept(folder: Path) -> PredictionStore:
    """The store, with everything that was answered until now."""
    assert wait_until_flushed(folder / "spool", 30)
    return PredictionStore(f"sqlite:///{folder / 'predictions.db'}")


def test_numbers_with_dates_among_the_inputs(client: "TestClient", bikes: Bundle, tmp_path: Path) -> None:
    rows = bikes.examples()
    answers = client.post("/predict", json={"rows": rows}).json()["predictions"]
    assert all(isinstance(answer["prediction"], float) and answer["probability"] is None for answer in answers)
    assert {answer["decision"] for answer in answers} <= {"act", "leave"}
    window = kept(tmp_path).window(datetime(2000, 1, 1, tzinfo=UTC))
    window = window.set_index("prediction_id").loc[[answer["id"] for answer in answers]]
    assert window["prediction"].tolist() == [answer["prediction"] for answer in answers]
    assert window["dteday"].tolist() == [row["dteday"] for row in rows]
    dates = client.get("/openapi.json").json()["components"]["schemas"]["Row"]["properties"]["dteday"]
    assert dates["description"] == "A date, ISO 8601"


def test_the_true_number_comes_back(client: "TestClient", bikes: Bundle, tmp_path: Path) -> None:
    answer = client.post("/predict", json={"rows": bikes.examples()[:1]}).json()["predictions"][0]
    kept(tmp_path)
    refused = client.post("/feedback", json={"labels": [{"id": answer["id"], "label": "many"}]})
    assert (refused.status_code, refused.json()["rows"][0]["problem"]) == (422, "label: 'many' is not a number")
    assert client.post("/feedback", json={"labels": [{"id": answer["id"], "label": 42}]}).json() == {"known": [True]}
    assert kept(tmp_path).window(datetime(2000, 1, 1, tzinfo=UTC))["label"].tolist() == [42]


def test_what_cannot_be_kept_is_not_answered(client: "TestClient", bikes: Bundle, tmp_path: Path) -> None:
    import resource

    assert client.post("/predict", json={"rows": bikes.examples()}).status_code == 200
    assert kept(tmp_path).counts().predictions == len(bikes.examples())  # the flusher runs and inherits no limit
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
        response = client.post("/predict", json={"rows": bikes.examples()})
        unready = client.get("/readyz")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (response.status_code, unready.status_code) == (503, 503)
    assert int(response.headers["retry-after"]) > 0
    assert "predictions" not in response.json()
    assert str(tmp_path) not in response.text
    assert client.post("/predict", json={"rows": bikes.examples()}).status_code == 200
    assert kept(tmp_path).counts().predictions == 2 * len(bikes.examples())


def test_without_a_place_for_predictions_the_service_does_not_start(
    bikes: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NORIA_PREDICTIONS_URL", raising=False)
    monkeypatch.setenv("NORIA_SERVICE_DIR", str(tmp_path))
    activation.write_plan(tmp_path, activation.TrafficPlan.of(bikes.folder, "7"))
    with raises("predictions.url_missing"):
        Runtime().start()
    assert "no place is named" in activation.worker_reports(tmp_path)[0].error


def test_the_store_of_another_service_can_be_read_meanwhile(
    client: "TestClient", bikes: Bundle, tmp_path: Path
) -> None:
    client.post("/predict", json={"rows": bikes.examples()})
    assert kept(tmp_path).counts("7").predictions == len(bikes.examples())
