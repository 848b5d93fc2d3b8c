"""Whatever is sent gets an answer, or a refusal that names what is wrong; never an error of the service's own."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import pytest
from asked import Asked, Reply, asked
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.bundle import Bundle
from noria.serving.api import ErrorResponse, PredictResponse

pytestmark = pytest.mark.slow

ROW = {"age": 40, "amount": 80.5, "visits": 3, "region": "north", "code": 3, "member": True, "joined": "2024-02-03"}
_INSIDES = re.compile(rb"Traceback|\.py\b|/tmp/|/work/|site-packages|File \"")
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**64, -(2**70), 10**400]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
    st.sampled_from(["", " ", "nan", "inf", "1e999", "2024-13-45", "\x00", "'; drop table predictions; --", "\u202e"]),
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_NAMES = st.sampled_from([*ROW, "customer", "strange"])
_ROWS = st.lists(st.dictionaries(_NAMES, _JSON, max_size=8) | _JSON, max_size=4)
_LABELS = st.lists(st.dictionaries(st.sampled_from(["id", "entity", "label", "x"]), _JSON, max_size=4) | _JSON)
_quickly = settings(max_examples=250, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def service(mixed_trees: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with asked(mixed_trees, tmp_path_factory.mktemp("asked")) as running:
        yield running
        running.settle()


def assert_sound(reply: Reply, allowed: tuple[int, ...] = (200, 400, 413, 422)) -> None:
    """No error of the service's own, nothing of its insides, and a refusal says what it refuses."""
    assert reply.status in allowed, reply.text[:500]
    assert not _INSIDES.search(reply.body), reply.text[:500]
    assert reply.headers["x-content-type-options"] == "nosniff"
    if reply.status != 200:
        assert ErrorResponse.model_validate_json(reply.body).error


def assert_answered(reply: Reply, rows: list[Any]) -> None:
    said = PredictResponse.model_validate_json(reply.body)
    assert len(said.predictions) == len(rows)
    assert all(one.probability is not None and math.isfinite(one.probability) for one in said.predictions)


@_quickly
@given(_JSON)
def test_any_json_is_answered_or_refused(service: Asked, sent: object) -> None:
    for path in ("/predict", "/explain", "/feedback"):
        assert_sound(service.post(path, sent))


@_quickly
@given(_ROWS)
def test_any_rows_are_answered_or_each_wrong_one_is_named(service: Asked, rows: list[Any]) -> None:
    for path in ("/predict", "/explain"):
        reply = service.post(path, {"rows": rows})
        assert_sound(reply)
        if reply.status == 422 and rows:
            problems = ErrorResponse.model_validate_json(reply.body).rows
            assert problems
            for problem in problems:
                row = rows[problem.row]
                field = problem.problem.partition(":")[0]
                assert not isinstance(row, dict) or set(field.split(", ")) <= {*row, *ROW}, problem
        elif reply.status == 200 and path == "/predict":
            assert_answered(reply, rows)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.sampled_from([*ROW, "customer"]), _JSON)
def test_a_refused_value_is_named_by_its_field(service: Asked, name: str, value: object) -> None:
    reply = service.post("/predict", {"rows": [ROW, ROW | {name: value}]})
    assert_sound(reply)
    if reply.status == 200:
        assert_answered(reply, [1, 2])
    else:
        (problem,) = reply.json()["rows"]
        assert problem["row"] == 1
        assert problem["problem"].startswith(f"{name}: ")
    assert service.post("/explain", {"rows": [ROW | {name: value}]}).status == reply.status


@_quickly
@given(_LABELS)
def test_any_labels_are_kept_or_each_wrong_one_is_named(service: Asked, labels: list[Any]) -> None:
    reply = service.post("/feedback", {"labels": labels})
    assert_sound(reply)
    if reply.status == 200:
        assert len(reply.json()["known"]) == len(labels)
    elif labels:
        assert all(problem["row"] < len(labels) for problem in reply.json()["rows"])
        assert reply.json()["rows"]


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, 10**30, 10**400, "9" * 400])
def test_a_whole_number_that_no_machine_word_holds_is_answered_and_kept(service: Asked, value: object) -> None:
    reply = service.post("/predict", {"rows": [ROW | {"code": value, "customer": value}]})
    assert_sound(reply)
    if reply.status == 200:
        service.settle()
        (id,) = [one["id"] for one in reply.json()["predictions"]]
        assert service.post("/feedback", {"labels": [{"id": id, "label": "Yes"}]}).json() == {"known": [True]}
    else:
        assert reply.json()["rows"][0]["problem"].startswith("customer: ")


@_quickly
@given(st.binary(max_size=60) | st.binary(max_size=30).map(lambda part: b'{"rows": [{"age": ' + part))
def test_bodies_that_are_no_json(service: Asked, body: bytes) -> None:
    for path in ("/predict", "/explain", "/feedback"):
        assert_sound(service.post(path, body), (400, 413, 422))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b'{"rows": [{"age": NaN}]}',
        b'{"rows": [{"age": ' + b"9" * 10_000 + b"}]}",
        b'{"rows": [{"age": 1e99999}]}',
        b'{"rows": [{"region": "\\ud800"}]}',
        b'{"rows": [{"age": 1, "age": 2}]}',
        b"\xef\xbb\xbf" + json.dumps({"rows": [ROW]}).encode(),
        json.dumps({"rows": [ROW]}).encode("utf-16"),
        b'{"labels": [{"entity": ' + b"9" * 10_000 + b', "label": "Yes"}]}',
        b'{"labels": [{"id": "\\udc00", "label": "Yes"}]}',
        b'{"rows": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_bodies_that_break_parsers(service: Asked, body: bytes) -> None:
    for path in ("/predict", "/explain", "/feedback"):
        assert_sound(service.post(path, body), (400, 422))


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/xml", "multipart/form-data; boundary=x", "application/x-python-pickle", "*/*"],
)
def test_other_types_of_bodies_are_refused(service: Asked, kind: str) -> None:
    reply = service.post("/predict", {"rows": [ROW]}, {"content-type": kind})
    assert_sound(reply, (415,))
    assert "application/json" in reply.json()["fix"]
    for known in ("application/json", "application/json; charset=utf-8", "application/problem+json"):
        assert service.post("/predict", {"rows": [ROW]}, {"content-type": known}).status == 200


@_quickly
@given(
    st.sampled_from(["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "ABC" * 50]),
    st.sampled_from(["/predict", "/explain", "/feedback", "/model", "/traffic", "/policy", "/openapi.json"])
    | st.text(max_size=30).map(lambda text: f"/{text}"),
)
def test_any_method_at_any_address(service: Asked, method: str, path: str) -> None:
    reply = service.ask(method, path)
    assert reply.status < 500
    assert not _INSIDES.search(reply.body) or path.startswith("/page/")


def test_the_page_has_security_headers_and_no_answer_lacks_nosniff(service: Asked) -> None:
    page = service.ask("GET", "/")
    assert page.status == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert (page.headers["x-frame-options"], page.headers["referrer-policy"]) == ("DENY", "no-referrer")
    for path in ("/", "/model", "/openapi.json", "/readyz", "/nowhere"):
        assert service.ask("GET", path).headers["x-content-type-options"] == "nosniff"
        assert service.ask("HEAD", path).body == b""
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page.text), "the page loads nothing from elsewhere"
