"""What a client of the service sees."""

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from serving import Served

from noria.batch import predict_file
from noria.client import Client
from noria.deployment import service_status
from noria.traffic.smoke_key import smoke_key
from tests.errors_raised import raises

pytestmark = pytest.mark.e2e
Rows = list[dict[str, Any]]


def post(served: Served, path: str, content: object) -> httpx.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {"content-type": "application/json"}
    return httpx.post(served.deployment.url + path, content=body, headers=headers, timeout=30)


def test_a_thousand_rows_get_the_same_answer_over_http_in_a_file_and_in_process(
    served: Served, held_out: Rows, tmp_path: Path
) -> None:
    rows = [dict(row) for row in held_out[:1000]]
    for position, row in enumerate(rows):
        if position % 5 == 0:
            row["tenure"] = row["contract"] = None
        if position % 7 == 0:
            row["payment_method"] = "Carrier pigeon"
    expected = served.bundle.predict(pd.DataFrame(rows))
    answers = [answer for start in range(0, 1000, 200) for answer in served.client.predict(rows[start : start + 200])]
    assert [answer.prediction for answer in answers] == expected["prediction"].tolist()
    assert [answer.decision for answer in answers] == expected["decision"].tolist()
    gaps = [
        abs((answer.probability or 0) - wanted) for answer, wanted in zip(answers, expected["probability"], strict=True)
    ]
    assert max(gaps) < 1e-6
    source, target = tmp_path / "rows.parquet", tmp_path / "answers.parquet"
    pd.DataFrame(rows).to_parquet(source)
    predict_file(served.bundle, source, target, chunk_rows=300, quarantine=tmp_path / "bad.csv")
    batch = pd.read_parquet(target)
    assert batch["decision"].tolist() == expected["decision"].tolist()
    assert (batch["probability"] - expected["probability"]).abs().max() < 1e-6
    assert answers[7].warnings == ["payment_method: unseen category 'Carrier pigeon'"]


def test_an_answer_is_in_the_store_when_it_arrives(served: Served, held_out: Rows) -> None:
    sent = held_out[:3]
    began = datetime.now(UTC)
    answers = served.client.predict(sent)
    kept = served.store().window(began - timedelta(seconds=1)).set_index("prediction_id")
    for row, answer in zip(sent, answers, strict=True):
        record = kept.loc[answer.id]
        assert (record["prediction"], record["probability"]) == (answer.prediction, answer.probability)
        assert (record["entity"], record["tenure"], record["contract"]) == (
            row["customer"],
            row["tenure"],
            row["contract"],
        )
        assert record["latency_ms"] > 0
    assert "customer" not in kept.columns


def test_labels_by_prediction_and_by_case(served: Served, held_out: Rows) -> None:
    began = datetime.now(UTC)
    by_id, by_case = served.client.predict(held_out[10:12])
    served.store()
    said = served.client.feedback(
        [{"id": by_id.id, "label": "Yes"}, {"entity": "c11", "label": "No"}, {"entity": "nobody", "label": "No"}]
    )
    assert said.known == [True, True, False]
    kept = served.store().window(began, labelled=True).set_index("prediction_id")
    assert kept.loc[[by_id.id, by_case.id], "label"].tolist() == ["Yes", "No"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"tenure": "abc"}, "tenure: 'abc' is not a number"),
        ({"tenure": [1]}, "tenure: must be a number, a text, true, false or null"),
        ({"tenure": 1e300}, "tenure: too large"),
        ({"tenure": ...}, "tenure: missing"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_recorded(
    served: Served, held_out: Rows, change: dict[str, object], problem: str
) -> None:
    before = served.store().counts().predictions
    bad = {name: value for name, value in (held_out[0] | change).items() if value is not ...}
    response = post(served, "/predict", {"rows": [held_out[1], bad]})
    assert response.status_code == 422
    assert response.json()["rows"] == [{"row": 1, "problem": problem}]
    assert served.store().counts().predictions == before


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/predict", b"{", 400, "not valid JSON"),
        ("/predict", b"\xff\xfe", 400, "not valid JSON"),
        (
            "/predict",
            b'{"rows": [{"tenure": Infinity}]}',
            400,
            "row 0: tenure: Infinity is not a JSON value; send null",
        ),
        ("/predict", [1], 422, "object"),
        ("/predict", {"rows": []}, 422, "rows"),
        ("/predict", {"rows": [5]}, 422, "must be an object"),
        ("/predict", {"rows": [{}], "row": 1}, 422, "row: not a known field"),
        ("/predict", {"rows": [{}] * 201}, 413, "at most 200"),
        ("/predict", b" " * 17_000_000, 413, "longer than"),
        ("/feedback", {"labels": [{"label": "Yes"}]}, 422, "give either `id` or `entity`"),
        ("/feedback", {"labels": [{"id": "1", "label": "Maybe"}]}, 422, "'Maybe' is none of No, Yes"),
        ("/feedback", {"labels": [{"id": "1"}]}, 422, "label: missing"),
        ("/feedback", {"labels": [{"id": "1", "label": None}]}, 422, "label: must be"),
        ("/nowhere", {}, 404, ""),
    ],
)
def test_bad_requests_get_a_clear_answer_without_insides(
    served: Served, path: str, body: object, status: int, said: str
) -> None:
    response = post(served, path, body)
    assert response.status_code == status
    assert said in response.text
    assert "Traceback" not in response.text
    assert ".py" not in response.text
    assert str(served.workspace.folder) not in response.text


def test_unknown_fields_are_ignored_and_named(served: Served, held_out: Rows) -> None:
    response = post(served, "/predict", {"rows": [held_out[0] | {"shoe_size": 43}]})
    assert response.json()["ignored"] == ["shoe_size"]


def test_the_model_says_what_it_is(served: Served) -> None:
    facts, manifest = served.client.model(), served.bundle.manifest
    assert (facts.name, facts.kind, facts.target, facts.id) == ("telco_churn", "xgboost", "churn", "customer")
    assert [column["name"] for column in facts.inputs] == manifest.schema_.names
    assert httpx.post(served.deployment.url + "/model").json()["version"] == facts.version


def test_the_openapi_document_has_a_row_that_can_be_sent_as_it_is(served: Served) -> None:
    document = httpx.get(served.deployment.url + "/openapi.json").json()
    example = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert example["rows"] == [served.bundle.examples()[0]]
    assert post(served, "/predict", example).status_code == 200
    row = document["components"]["schemas"]["Row"]
    assert row["required"] == served.bundle.manifest.schema_.names
    assert row["properties"]["tenure"]["description"] == "In training: 0 to 72"
    assert httpx.get(served.deployment.url + "/docs.json").json() == document
    assert "googletagmanager" not in httpx.get(served.deployment.url + "/").text


def test_status_counts_what_was_asked(served: Served, held_out: Rows) -> None:
    served.store()
    before = service_status(served.workspace)
    served.client.predict(held_out[:4])
    post(served, "/predict", b"{")
    served.store()
    after = service_status(served.workspace)
    assert after.ready
    assert after.deployment is not None
    assert after.deployment.pid == served.deployment.pid
    assert (after.requests - before.requests, after.predictions - before.predictions) == (1, 4)
    assert (after.served or 0) - (before.served or 0) == 2
    assert (after.refused or 0) - (before.refused or 0) == 1
    assert math.isfinite(after.uptime_s or math.nan)
    assert "noria_predictions_total" in served.client.metrics()


def test_the_client_explains_a_refusal_and_an_absent_service(served: Served, held_out: Rows) -> None:
    with raises("request.rows_invalid", "row 0: tenure", "'abc'"):
        served.client.predict([held_out[0] | {"tenure": "abc"}])
    with raises("client.rows_not_json"):
        served.client.predict([held_out[0] | {"tenure": math.nan}])
    with Client("http://127.0.0.1:9") as nobody:
        assert not nobody.ready()
        with raises("client.unreachable"):
            nobody.model()


def test_smoke_tests_are_not_counted(served: Served) -> None:
    before = served.store().counts().predictions
    with smoke_key(served.workspace.service) as key:
        answers = served.client.predict(served.bundle.examples(), purpose="smoke", smoke_key=key)
    assert {answer.variant for answer in answers} == {"smoke"}
    assert served.store().counts().predictions == before
