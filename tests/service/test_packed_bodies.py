"""Bodies that are packed with gzip, bombs, and values that JSON does not have."""

import gzip
import json
import resource
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from asked import Asked, asked
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import Served

from noria.bundle import Bundle
from noria.serving.api import ErrorResponse

ROW = {"age": 40, "amount": 80.5, "visits": 3, "region": "north", "code": 3, "member": True, "joined": "2024-02-03"}
GZIP = {"content-encoding": "gzip"}
KIND = {"content-type": "application/json"}
ADMIN = {"authorization": "Bearer " + "a" * 20}
LIMIT = 1_000_000
_PATHS = ("/predict", "/explain", "/feedback")


@pytest.fixture(scope="module")
def service(mixed_linear: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    limits = '{"limits": {"max_body_mb": 1}}'
    with asked(mixed_linear, tmp_path_factory.mktemp("packed"), NORIA_SERVING=limits) as running:
        yield running
        running.settle()


def packed(sent: object) -> bytes:
    # without the time: it would differ between the processes that collect the tests
    return gzip.compress(json.dumps(sent).encode(), mtime=0)


@pytest.mark.parametrize("rows", [1, 500])
@pytest.mark.parametrize("name", ["gzip", "x-gzip", " GZip "])
def test_a_packed_request_gets_the_answer_of_the_plain_one(service: Asked, rows: int, name: str) -> None:
    sent = {"rows": [ROW] * rows}
    plain = service.post("/predict", sent).json()["predictions"]
    reply = service.post("/predict", packed(sent), {"content-encoding": name})
    assert reply.status == 200
    found = reply.json()["predictions"]
    assert [each | {"id": ""} for each in found] == [each | {"id": ""} for each in plain]


def test_every_address_with_a_body_reads_gzip(service: Asked) -> None:
    assert service.post("/explain", packed({"rows": [ROW]}), GZIP).status == 200
    (answer,) = service.post("/predict", packed({"rows": [ROW]}), GZIP).json()["predictions"]
    label = {"labels": [{"id": answer["id"], "label": "Yes"}]}
    service.settle()
    assert service.post("/feedback", packed(label), GZIP).json() == {"known": [True]}


def test_an_administrator_may_pack_too(mixed_linear: Bundle, tmp_path_factory: pytest.TempPathFactory) -> None:
    tokens = {f"NORIA_{name}_TOKEN": name[0].lower() * 20 for name in ("PREDICT", "FEEDBACK", "ADMIN")}
    with asked(mixed_linear, tmp_path_factory.mktemp("admin"), **tokens) as service:
        reply = service.ask("PUT", "/policy", packed({"policy": {"threshold": 0.4}}), GZIP | ADMIN)
        assert (reply.status, list(reply.json())) == (200, ["serial", "now", "before"])
        bad = service.ask("PUT", "/policy", b'{"policy": {"threshold": NaN}}', ADMIN)
        assert "threshold: NaN is not a JSON value; send null" in bad.json()["error"]


@pytest.mark.parametrize("name", ["zstd", "br", "deflate", "gzip, gzip", "pickle"])
def test_another_encoding_is_refused_by_its_name(service: Asked, name: str) -> None:
    for path in _PATHS:
        reply = service.post(path, packed({"rows": [ROW]}), {"content-encoding": name})
        assert reply.status == 415
        assert reply.headers["accept-encoding"] == "gzip"
        said = ErrorResponse.model_validate_json(reply.body)
        assert said.code == "request.content_encoding_unknown"
        assert "Content-Encoding" in said.error and name in said.error
    assert service.post("/predict", {"rows": [ROW]}, {"content-encoding": "identity"}).status == 200


def test_a_bomb_is_refused_before_it_fills_the_memory(service: Asked) -> None:
    bomb = gzip.compress(b" " * 500_000_000, 9)
    assert len(bomb) < LIMIT
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for path in _PATHS:
        reply = service.post(path, bomb, GZIP)
        assert (reply.status, reply.json()["code"]) == (413, "request.too_large")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 50_000


def test_the_limit_counts_what_is_unpacked(service: Asked) -> None:
    empty = b'{"rows": [' + json.dumps(ROW).encode() + b"]}"
    longest = empty + b" " * (LIMIT - len(empty))
    assert service.post("/predict", gzip.compress(longest), GZIP).status == 200
    assert service.post("/predict", gzip.compress(longest + b" "), GZIP).status == 413


@pytest.mark.parametrize(
    "body",
    [b"", b"plain", packed({})[:-5], packed({}) + b"x", packed({}) * 2, b"\x1f\x8b" + b"\x00" * 30],
    ids=["empty", "plain", "cut", "longer", "two streams", "zeros"],
)
def test_what_is_not_one_gzip_stream_is_refused(service: Asked, body: bytes) -> None:
    for path in _PATHS:
        reply = service.post(path, body, GZIP)
        assert (reply.status, reply.json()["code"]) == (400, "request.gzip_invalid")


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.binary(max_size=200) | st.binary(max_size=100).map(gzip.compress), st.integers(0, 99))
def test_any_packed_bytes_are_refused_in_words(service: Asked, body: bytes, cut: int) -> None:
    for path in _PATHS:
        reply = service.post(path, body[: len(body) * (cut + 1) // 100], GZIP)
        assert reply.status in {400, 422}
        assert ErrorResponse.model_validate_json(reply.body).error


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("rows", [2, 400])
def test_a_value_that_json_lacks_is_named_by_row_and_field(service: Asked, value: str, rows: int) -> None:
    body = json.dumps({"rows": [ROW] * (rows - 1) + [ROW | {"amount": "here", "region": "NaN"}]}).replace(
        '"here"', value
    )
    for path in ("/predict", "/explain"):
        reply = service.post(path, body.encode())
        said: dict[str, Any] = reply.json()
        assert (reply.status, said["code"]) == (400, "request.number_not_finite")
        assert said["rows"] == [{"row": rows - 1, "problem": f"amount: {value} is not a JSON value; send null"}]
        assert "null" in said["fix"]
    label = service.post("/feedback", f'{{"labels": [{{"id": "x", "label": {value}}}]}}'.encode())
    assert label.json()["rows"] == [{"row": 0, "problem": f"label: {value} is not a JSON value; send null"}]


def test_a_text_may_say_nan(service: Asked) -> None:
    assert service.post("/predict", {"rows": [ROW | {"region": "NaN Infinity"}]}).status == 200
    broken = service.post("/predict", b'{"rows": [{"region": "NaN"}')
    assert (broken.status, broken.json()["code"]) == (400, "request.json_invalid")


@pytest.mark.e2e
def test_a_real_server_unpacks_what_a_client_packs(served: Served, held_out: list[dict[str, Any]]) -> None:
    url, body = served.deployment.url, json.dumps({"rows": held_out[:50]}).encode()
    reply = httpx.post(f"{url}/predict", content=gzip.compress(body), headers=KIND | GZIP)
    assert (reply.status_code, len(reply.json()["predictions"])) == (200, 50)
    assert httpx.post(f"{url}/predict", content=body, headers=KIND | {"content-encoding": "zstd"}).status_code == 415
    bomb = gzip.compress(b" " * 100_000_000, 9)
    assert httpx.post(f"{url}/predict", content=bomb, headers=KIND | GZIP, timeout=30).status_code == 413
    assert httpx.post(f"{url}/predict", content=body, headers=KIND).status_code == 200
