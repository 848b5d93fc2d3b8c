"""What web pages of others can do to a service on this machine: nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from asked import Asked, asked

from noria.bundle import Bundle
from noria.predictions import PredictionStore

pytestmark = pytest.mark.slow

ROW = {"age": 40, "amount": 80.5, "visits": 3, "region": "north", "code": 3, "member": True, "joined": "2024-02-03"}
ROWS, LABELS = {"rows": [ROW]}, {"labels": [{"entity": "c1", "label": "Yes"}]}
WRITES = {
    "/predict": ("POST", ROWS),
    "/explain": ("POST", ROWS),
    "/feedback": ("POST", LABELS),
    "/traffic": ("PUT", {"shares": {}}),
    "/policy": ("PUT", {"policy": {"threshold": 0.4}}),
}
READS = (
    "/",
    "/page/page.js",
    "/model",
    "/openapi.json",
    "/docs",
    "/docs.json",
    "/metrics",
    "/static_content/swagger-ui.css",
)
TOKENS = {scope: scope + "-" + scope[0] * 20 for scope in ("predict", "feedback", "admin")}
NEEDS = {"/feedback": "feedback", "/traffic": "admin", "/policy": "admin"}
OWN = {"host": "127.0.0.1:3000"}


def with_tokens() -> dict[str, str]:
    return {f"NORIA_{scope.upper()}_TOKEN": token for scope, token in TOKENS.items()}


def send(service: Asked, path: str, headers: dict[str, str]) -> tuple[int, str]:
    """Status and code of a request that writes, with the right token."""
    method, body = WRITES[path]
    token = {"authorization": f"Bearer {TOKENS[NEEDS.get(path, 'predict')]}"}
    reply = service.ask(method, path, json.dumps(body).encode(), token | headers)
    return reply.status, reply.json().get("code", "")


@pytest.fixture(scope="module")
def guarded(mixed_linear: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with asked(mixed_linear, tmp_path_factory.mktemp("guarded"), **with_tokens()) as service:
        yield service
        service.settle()


@pytest.fixture(scope="module")
def unguarded(mixed_linear: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with asked(mixed_linear, tmp_path_factory.mktemp("open")) as service:
        yield service
        service.settle()


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize(
    "kind", ["", "text/plain", "text/plain; charset=application/json", "application/x-www-form-urlencoded", "json"]
)
def test_what_a_form_can_send_is_not_read(guarded: Asked, path: str, kind: str) -> None:
    assert send(guarded, path, {"content-type": kind}) == (415, "request.media_type_unknown")


@pytest.mark.parametrize("path", ["/explain", "/feedback", "/traffic", "/policy"])
def test_a_table_is_read_where_tables_are(guarded: Asked, path: str) -> None:
    assert send(guarded, path, {"content-type": "application/vnd.apache.parquet"})[0] == 415


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize(
    "marks",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:3001"},
        {"origin": "http://127.0.0.1"},
        {"origin": "http://127.0.0.1:3000.evil.example"},
        {"origin": "http://localhost:3000"},
        {"origin": ""},
        {"origin": "file://127.0.0.1:3000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:3000"},
    ],
    ids=str,
)
def test_a_page_of_another_site_writes_nothing(guarded: Asked, path: str, marks: dict[str, str]) -> None:
    assert send(guarded, path, OWN | marks) == (403, "request.origin_foreign")


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize(
    "marks",
    [
        {},
        {"origin": "http://127.0.0.1:3000", "sec-fetch-site": "same-origin"},
        {"origin": "https://127.0.0.1:3000"},
        {"sec-fetch-site": "none"},
        {"host": "Predict.example.com", "origin": "https://predict.example.com"},
    ],
    ids=str,
)
def test_its_own_page_and_programs_are_answered(guarded: Asked, path: str, marks: dict[str, str]) -> None:
    status, code = send(guarded, path, OWN | marks)
    assert (status, code) in {(200, ""), (422, "predictions.labels_unknown")}


def test_no_label_of_another_site_is_stored(unguarded: Asked) -> None:
    attack = {"origin": "http://evil.example", "content-type": "text/plain", "sec-fetch-site": "cross-site"}
    for without in ("content-type", "origin", "sec-fetch-site", ""):
        some = {name: value for name, value in attack.items() if name != without}
        assert unguarded.ask("POST", "/feedback", json.dumps(LABELS).encode(), OWN | some).status in {403, 415}
    assert unguarded.post("/predict", ROWS).status == 200
    unguarded.settle()
    store = PredictionStore(f"sqlite:///{unguarded.folder / 'predictions.db'}")
    assert store.counts().unmatched_labels == 0
    store.close()


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:3000", "127.0.0.1.evil.example:3000", "localhost.evil.example", "", "[::1]x"]
)
def test_a_name_that_others_point_to_this_machine_is_not_answered(unguarded: Asked, host: str) -> None:
    for path in READS:
        reply = unguarded.ask("GET", path, headers={"host": host})
        assert (reply.status, reply.json()["code"]) == (421, "request.host_unknown"), path
    for path in ("/predict", "/feedback"):
        assert send(unguarded, path, {"host": host, "origin": f"http://{host}"}) == (421, "request.host_unknown")
    assert unguarded.ask("GET", "/nowhere", headers={"host": host}).status == 421


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:3000",
        "localhost.:3000",
        "127.0.0.1:80",
        "127.8.8.8",
        "[::1]:3000",
        "[::1]",
        "a.localhost",
    ],
)
def test_this_machine_is_answered_under_its_own_names(unguarded: Asked, host: str) -> None:
    assert all(unguarded.ask("GET", path, headers={"host": host}).status == 200 for path in READS)


def test_probes_are_answered_under_any_name(unguarded: Asked) -> None:
    for path in ("/readyz", "/healthz", "/livez"):
        assert unguarded.ask("GET", path, headers={"host": "10.1.2.3:3000"}).status == 200


@pytest.mark.parametrize("host", ["predict.example.com", "10.1.2.3:3000", "noria.team.svc.cluster.local:3000"])
def test_with_tokens_any_name_is_answered(guarded: Asked, host: str) -> None:
    assert guarded.ask("GET", "/", headers={"host": host}).status == 200
    assert send(guarded, "/predict", {"host": host})[0] == 200


def test_more_names_can_be_given(mixed_linear: Bundle, tmp_path: Path) -> None:
    hosts = ["Predict.example.com", "10.1.2.3", "fd00::1"]
    with asked(mixed_linear, tmp_path, NORIA_SERVING=json.dumps({"hosts": hosts})) as service:
        for host in ("predict.example.com", "predict.example.com:8080", "10.1.2.3:3000", "[fd00::1]:3000"):
            assert service.ask("GET", "/model", headers={"host": host}).status == 200
        assert service.ask("GET", "/model", headers={"host": "example.com"}).status == 421
        changed_by_a_proxy = {"host": "127.0.0.1:3000", "origin": "https://predict.example.com"}
        assert service.post("/predict", ROWS, changed_by_a_proxy).status == 200
        service.settle()
