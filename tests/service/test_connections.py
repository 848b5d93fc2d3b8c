"""Clients that open many connections, or send what they send slowly, endlessly or never, make no other wait."""

import json
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn.config
from listening_app import HEAD, Listening, listening, read_all, request, status

from noria.bundle import Bundle

pytestmark = pytest.mark.slow

ROW = {"age": 40, "amount": 80.5, "visits": 3, "region": "north", "code": 3, "member": True, "joined": "2024-02-03"}
BODY = json.dumps({"rows": [ROW]}).encode()
UNSENT = b"POST /predict HTTP/1.1\r\n" + HEAD + b"Content-Length: 500\r\n\r\n"
QUICK = {"header_timeout_s": 1, "body_timeout_s": 1, "max_body_mb": 1}


def limits(**changed: Any) -> dict[str, str]:
    return {"NORIA_SERVING": json.dumps({"limits": changed})}


def is_open(connection: socket.socket) -> bool:
    connection.settimeout(0.02)
    try:
        read_all(connection)
    except TimeoutError:
        return True
    except ConnectionError:
        return False
    return False


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(uvicorn.config.HTTP_PROTOCOLS, "auto", uvicorn.config.HTTP_PROTOCOLS["auto"])


@pytest.fixture
def quick(mixed_linear: Bundle, tmp_path: Path) -> Iterator[Listening]:
    """A service that waits one second for what a client sends."""
    with listening(mixed_linear, tmp_path, **limits(**QUICK)) as service:
        yield service


def test_hundreds_of_requests_without_a_body_keep_nobody_waiting(mixed_linear: Bundle, tmp_path: Path) -> None:
    label = json.dumps({"labels": [{"entity": "c1", "label": "Yes"}]}).encode()
    with listening(mixed_linear, tmp_path, **limits(max_concurrent=64)) as service:
        silent = [service.open() for _ in range(400)]
        for connection in silent:
            connection.sendall(UNSENT)
        time.sleep(0.5)
        began = time.perf_counter()
        assert service.predict(BODY) == 200
        assert status(service.ask(request("/feedback", label))) in {200, 422}
        assert status(service.ask(request("/readyz", b"", b"GET"))) == 200
        assert time.perf_counter() - began < 5
        for connection in silent:
            connection.close()


@pytest.mark.parametrize(
    "sent", [b"", UNSENT, b"GET /model HTTP/1.1\r\nHost: 127.0.0.1\r\n"], ids=["none", "body", "head"]
)
def test_a_client_has_so_many_connections_and_is_answered_on_new_ones(
    mixed_linear: Bundle, tmp_path: Path, sent: bytes
) -> None:
    with listening(mixed_linear, tmp_path, **limits(max_connections=20)) as service:
        held = []
        for _ in range(60):
            held.append(service.open())
            held[-1].sendall(sent)
        time.sleep(0.3)
        assert service.predict(BODY) == 200
        open_now = sum(map(is_open, held))
        assert open_now <= 20
        for connection in held:
            connection.close()


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (UNSENT, 408),
        (b"POST /predict HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{", 408),
        (b"GET /model HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ", 408),
        (b"GET", 408),
        (b"", 0),
        (b"\r\n\r\n", 0),
    ],
)
def test_what_does_not_arrive_in_time_is_given_up(quick: Listening, sent: bytes, expected: int) -> None:
    began = time.monotonic()
    answer = quick.ask(sent)
    assert status(answer) == expected
    assert 0.5 < time.monotonic() - began < 8
    assert not answer or b"request.timed_out" in answer
    assert quick.predict(BODY) == 200


@pytest.mark.parametrize(
    ("begin", "again"), [(UNSENT, b" "), (b"GET /model HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"a:b\r\n")]
)
def test_dribbling_does_not_prolong_it(quick: Listening, begin: bytes, again: bytes) -> None:
    with quick.open() as connection:
        connection.sendall(begin)
        connection.settimeout(0.2)
        began, received = time.monotonic(), b""
        while not received and time.monotonic() - began < 10:
            try:
                received = connection.recv(1000)
            except TimeoutError:
                connection.sendall(again)
    assert status(received) == 408


def test_a_slow_upload_that_goes_on_is_read(quick: Listening) -> None:
    body = json.dumps({"rows": [ROW] * 500}).encode()
    with quick.open() as connection:
        connection.sendall(request("/predict", body)[: -len(body)])
        for start in range(0, len(body), 8_000):
            connection.sendall(body[start : start + 8_000])
            time.sleep(0.2)
        assert status(read_all(connection)) == 200


@pytest.mark.parametrize(
    "head",
    [
        b"GET /model HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"x" * 40_000 + b"\r\n\r\n",
        b"GET /model HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"a: b\r\n" * 10_000 + b"\r\n",
        b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /model HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Endless: " + b"x" * 5_000_000,
        b"POST /predict HTTP/1.1\r\n" + HEAD + b"X-Long: " + b"x" * 40_000 + b"\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["value", "number", "address", "endless", "post"],
)
def test_headers_have_a_longest_length(quick: Listening, head: bytes) -> None:
    answer = quick.ask(head)
    assert status(answer) == 431
    assert b"request.headers_too_large" in answer
    assert quick.predict(BODY) == 200


def test_usual_headers_are_read(quick: Listening) -> None:
    cookie = b"Cookie: " + b"c" * 20_000 + b"\r\n"
    assert status(quick.ask(request("/predict", BODY).replace(b"Host", cookie + b"Host"))) == 200


def test_a_long_body_behind_short_headers_is_no_long_header(quick: Listening) -> None:
    body = BODY + b" " * 500_000
    with quick.open() as connection:
        for _ in range(3):
            connection.sendall(request("/predict", body).replace(b"Connection: close\r\n", b""))
            assert status(connection.recv(65_536)) == 200


def test_headers_take_little_memory(mixed_linear: Bundle, tmp_path: Path) -> None:
    with listening(mixed_linear, tmp_path) as service:
        assert service.predict(BODY) == 200
        before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        held = [service.open() for _ in range(50)]
        for connection in held:
            try:
                connection.sendall(b"GET / HTTP/1.1\r\nX-Endless: " + b"x" * 4_000_000)
            except ConnectionError:
                continue
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 60_000
        for connection in held:
            connection.close()


def test_trailers_without_end_are_cut(quick: Listening) -> None:
    began = b"POST /predict HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
    with quick.open() as connection:
        connection.sendall(began)
        try:
            for _ in range(400):
                connection.sendall(b"x: y\r\n" * 2_000)
            received = read_all(connection)
        except ConnectionError:
            received = b""
    assert status(received) in {0, 408, 413}
    assert quick.predict(BODY) == 200


def test_what_is_no_http_is_refused(quick: Listening) -> None:
    answer = quick.ask(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    assert status(answer) == 400
    assert b"request.http_invalid" in answer


def test_a_wish_for_another_protocol_is_passed_over(quick: Listening) -> None:
    upgrade = b"Connection: close, Upgrade\r\nUpgrade: websocket\r\n"
    asked = request("/readyz", b"", b"GET").replace(b"Connection: close\r\n", upgrade)
    assert status(quick.ask(asked)) == 200


def test_nonsense_does_not_fill_the_log(quick: Listening, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "uvicorn.error"):
        for _ in range(60):
            assert status(quick.ask(b"nonsense\r\n\r\n")) == 400
    assert 1 <= len(caplog.records) <= 20
