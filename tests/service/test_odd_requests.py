"""Requests that are wrong in unusual ways: each is refused in words that help, or answered without harm."""

import json
from typing import Any

import httpx
import pytest
from serving import Served

pytestmark = pytest.mark.e2e
Rows = list[dict[str, Any]]


def send(served: Served, path: str, content: object, method: str = "POST") -> httpx.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {"content-type": "application/json"}
    return httpx.request(method, served.deployment.url + path, content=body, headers=headers, timeout=30)


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/predict", 405, "GET is not a method of this address"),
        ("DELETE", "/feedback", 405, "DELETE is not a method of this address"),
        ("GET", "/nothing", 404, ""),
        ("GET", "/static_content/..%2f..%2fetc/passwd", 404, ""),
    ],
)
def test_an_address_that_is_not_there_is_refused_like_all_else(
    served: Served, method: str, path: str, status: int, said: str
) -> None:
    response = send(served, path, b"", method)
    assert response.status_code == status
    if said:
        assert said in response.json()["error"]
    if status == 405:
        assert "POST" in response.headers["allow"]


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ({"id": "x", "label": None}, "label: must be a number, a text, true or false"),
        ({"id": 5, "label": "Yes"}, "id: must be the identifier that /predict gave"),
        ({"id": "", "label": "Yes"}, "id: must be the identifier that /predict gave"),
        ({"id": "x" * 65, "label": "Yes"}, "id: must be the identifier that /predict gave"),
        ({"entity": "x" * 256, "label": "Yes"}, "entity: must be the case's identifier"),
        ({"entity": 5.5, "label": "Yes"}, "entity: must be the case's identifier"),
    ],
)
def test_a_label_that_cannot_be_kept_is_refused_by_its_field(served: Served, label: object, said: str) -> None:
    response = send(served, "/feedback", {"labels": [label]})
    assert response.status_code == 422
    assert said in response.json()["rows"][0]["problem"]


def test_a_megabyte_is_not_sent_back(served: Served, held_out: Rows) -> None:
    long = "x" * 1_000_000
    label = send(served, "/feedback", {"labels": [{"id": "a", "label": long}]})
    answer = send(served, "/predict", {"rows": [held_out[0] | {"contract": long}]})
    assert (label.status_code, answer.status_code) == (422, 422)
    assert answer.json()["rows"] == [{"row": 0, "problem": "contract: longer than 10000 characters"}]
    assert len(label.content) < 1000
    assert len(answer.content) < 1000


def test_an_identifier_that_the_store_cannot_keep_is_refused(served: Served, held_out: Rows) -> None:
    rows = [held_out[0], held_out[1] | {"customer": "c" * 256}]
    response = send(served, "/predict", {"rows": rows})
    assert response.status_code == 422
    assert response.json()["rows"] == [{"row": 1, "problem": "customer: longer than 255 characters"}]


def test_a_value_with_semicolons_makes_one_warning(served: Served, held_out: Rows) -> None:
    answer = served.client.predict([held_out[0] | {"contract": "'; drop table predictions; --", "tenure": 900}])[0]
    assert [warning.split(":")[0] for warning in answer.warnings] == ["tenure", "contract"]


@pytest.mark.parametrize("value", [1e300, -1e39, "1e200"])
def test_a_number_beyond_computing_is_refused(served: Served, held_out: Rows, value: object) -> None:
    response = send(served, "/predict", {"rows": [held_out[0] | {"tenure": value}]})
    assert response.status_code == 422
    assert response.json()["rows"] == [{"row": 0, "problem": "tenure: too large"}]


def test_nesting_without_end_is_refused(served: Served) -> None:
    for body in (b'{"rows":' + b"[" * 100_000, b'{"rows":[{"a":' + b'{"a":' * 50_000):
        assert send(served, "/predict", body).status_code == 400
    assert served.client.ready()
