"""Shares and decision policies are changed by request, by whoever holds the admin token and by nobody else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from noria.bundle import Bundle, write_bundle
from noria.models.fitted_model import fit
from noria.models.policy_choice import DecisionPolicy
from noria.predictions import PredictionStore
from noria.predictions.spool.backlog import wait_until_flushed
from noria.traffic import activation, plan_history
from service.app import App
from service.runtime import Runtime

if TYPE_CHECKING:
    from starlette.testclient import TestClient

pytestmark = [pytest.mark.filterwarnings("ignore:Using `httpx`"), pytest.mark.slow]
ADMIN = {"authorization": "Bearer " + "a" * 32}
PREDICT = {"authorization": "Bearer " + "p" * 32}


@pytest.fixture
def client(
    bundle: Bundle, second_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> "Iterator[TestClient]":
    variants = [
        activation.PlannedVariant(name="champion", bundle=bundle.folder, version="1", share=0.75),
        activation.PlannedVariant(name="challenger", bundle=second_bundle.folder, version="2", share=0.25),
    ]
    activation.write_plan(tmp_path, activation.TrafficPlan(variants=variants))
    for name, value in {
        "NORIA_SERVICE_DIR": str(tmp_path),
        "NORIA_PREDICTIONS_URL": f"sqlite:///{tmp_path / 'predictions.db'}",
        "NORIA_PREDICT_TOKEN": "p" * 32,
        "NORIA_FEEDBACK_TOKEN": "f" * 32,
        "NORIA_ADMIN_TOKEN": "a" * 32,
    }.items():
        monkeypatch.setenv(name, value)
    from starlette.testclient import TestClient

    runtime = Runtime()
    runtime.start()
    app = App(runtime)
    app.started()
    yield TestClient(app, base_url="http://127.0.0.1")
    runtime.stop()


def put(client: "TestClient", path: str, body: object, headers: dict[str, str] = ADMIN) -> Any:
    return client.put(path, content=json.dumps(body), headers={"content-type": "application/json"} | headers)


def plan(folder: Path) -> activation.TrafficPlan:
    found = activation.read_plan(folder)
    assert found is not None
    return found


def test_shares_are_changed_and_the_change_is_kept(client: "TestClient", tmp_path: Path) -> None:
    said = put(client, "/traffic", {"shares": {"challenger": 0.5}})
    assert (said.status_code, said.json()["serial"]) == (200, plan(tmp_path).plan_id)
    assert [variant.share for variant in plan(tmp_path).variants] == [0.5, 0.5]
    assert wait_until_flushed(tmp_path / "spool", 30)
    with PredictionStore(f"sqlite:///{tmp_path / 'predictions.db'}")._engine.connect() as connection:
        kinds = connection.exec_driver_sql("select kind, detail from events").all()
    assert [(kind, "challenger 0.5" in detail) for kind, detail in kinds] == [("traffic", True)]


def test_what_answered_before_can_be_put_back(client: "TestClient", tmp_path: Path) -> None:
    before = plan(tmp_path)
    put(client, "/traffic", {"shares": {"challenger": 0.5}})
    earlier = plan_history.last_other(tmp_path, plan(tmp_path))
    assert earlier is not None
    assert earlier.variants == before.variants


def test_a_change_that_cannot_be_noted_is_not_made(client: "TestClient", tmp_path: Path) -> None:
    before = plan(tmp_path)
    cast("App", client.app).runtime.spool.close()
    refused = put(client, "/traffic", {"shares": {"challenger": 0.5}})
    assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    assert plan(tmp_path) == before


def test_a_policy_gets_a_version_of_its_own(client: "TestClient", tmp_path: Path) -> None:
    assert put(client, "/policy", {"policy": {"threshold": 0.9}, "variant": "challenger"}).status_code == 200
    challenger = plan(tmp_path).find("challenger")
    assert challenger is not None
    assert challenger.policy is not None
    assert (challenger.policy.threshold, challenger.policy_version) == (0.9, "2")
    assert plan(tmp_path).champion.policy is None


def test_a_policy_may_be_changed_by_old_names_of_its_keys(client: "TestClient", tmp_path: Path) -> None:
    assert put(client, "/policy", {"policy": {"threshold": 0.9, "ask_within": 0.05}}).status_code == 200
    policy = plan(tmp_path).champion.policy
    assert policy is not None
    assert (policy.threshold, policy.review_margin) == (0.9, 0.05)
    assert "ask_within" not in (tmp_path / "active.json").read_text("utf-8")


def test_who_answers_what_is_told(client: "TestClient") -> None:
    told = client.get("/traffic", headers=ADMIN).json()
    assert [(each["name"], each["share"], each["version"]) for each in told["variants"]] == [
        ("champion", 0.75, "1"),
        ("challenger", 0.25, "2"),
    ]


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 401), (PREDICT, 403), ({"authorization": "Bearer " + "x" * 32}, 401)]
)
def test_another_token_changes_nothing(
    client: "TestClient", tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    before = plan(tmp_path)
    assert put(client, "/traffic", {"shares": {"challenger": 1}}, headers).status_code == status
    assert put(client, "/policy", {"policy": {"threshold": 0}}, headers).status_code == status
    assert client.get("/traffic", headers=headers).status_code == status
    assert plan(tmp_path) == before


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/traffic", {"shares": {"nobody": 0.5}}),
        ("/traffic", {"shares": {"challenger": 1.5}}),
        ("/traffic", {"shares": {"champion": 0.5}}),
        ("/traffic", {"shares": "all"}),
        ("/traffic", {}),
        ("/policy", {"policy": {"threshold": 2}}),
        ("/policy", {"policy": {"act_from": 2}}),
        ("/policy", {"policy": {"ask_within": 0.1, "review_margin": 0.1}}),
        ("/policy", {"policy": {"threshold": 0.4}, "variant": "nobody"}),
        ("/policy", {"policies": {}}),
    ],
)
def test_a_wish_that_fits_nothing_changes_nothing(
    client: "TestClient", tmp_path: Path, path: str, body: object
) -> None:
    before = plan(tmp_path)
    refused = put(client, path, body)
    assert refused.status_code == 422
    assert refused.json()["error"]
    assert plan(tmp_path) == before


def test_a_challenger_with_a_column_more_reads_the_request_itself(
    bundle: Bundle, use_case: Any, churn: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients that send the new column get its answers, the others the champion's."""
    more = churn.iloc[2000:4000].reset_index(drop=True)
    more["visits"] = (more["churn"] == "Yes") * 10.0 + more.index % 3
    fitted = fit("tree", {"max_depth": 3}, more, use_case)
    challenger = write_bundle(
        tmp_path / "challenger",
        fitted,
        use_case=use_case,
        train=more,
        out_of_fold=np.full(len(more), 0.5),
        policy=DecisionPolicy(threshold=0.5),
        fingerprint="0" * 64,
        version="2",
    )
    variants = [
        activation.PlannedVariant(name="champion", bundle=bundle.folder, version="1", share=0.0),
        activation.PlannedVariant(name="challenger", bundle=challenger.folder, version="2", share=1.0),
    ]
    activation.write_plan(tmp_path, activation.TrafficPlan(variants=variants))
    monkeypatch.setenv("NORIA_SERVICE_DIR", str(tmp_path))
    monkeypatch.setenv("NORIA_PREDICTIONS_URL", f"sqlite:///{tmp_path / 'predictions.db'}")
    from starlette.testclient import TestClient

    runtime = Runtime()
    runtime.start()
    app = App(runtime)
    app.started()
    client = TestClient(app, base_url="http://127.0.0.1")
    row = bundle.examples()[0]
    with_it, without = (client.post("/predict", json={"rows": [sent]}) for sent in (row | {"visits": 11}, row))
    assert [each.json()["predictions"][0]["variant"] for each in (with_it, without)] == ["challenger", "champion"]
    assert with_it.json()["predictions"][0]["prediction"] == "Yes"
    assert client.put("/traffic", content=b'{"shares": {"challenger": 0}}').status_code == 403, "no token is set"
    runtime.stop()
