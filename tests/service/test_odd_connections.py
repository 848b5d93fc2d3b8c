"""What a client may send beside a plain request: trailers, a wish for another protocol, addresses without end."""

import json
from collections.abc import Iterator

import mixed
import pytest
import uvicorn.config
from listening_app import HEAD, Listening, listening, status

ROW = {"age": 40, "amount": 80.5, "visits": 3, "region": "north", "code": 3, "member": True, "joined": "2024-02-03"}
BODY = json.dumps({"rows": [ROW]}).encode()
START = b"POST /predict HTTP/1.1\r\nConnection: close\r\n" + HEAD


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    folder = tmp_path_factory.mktemp("odd")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(uvicorn.config.HTTP_PROTOCOLS, "auto", uvicorn.config.HTTP_PROTOCOLS["auto"])
        with listening(mixed.write("linear", "binary", folder / "bundle"), folder) as running:
            yield running


def test_trailers_are_no_headers(service: Listening) -> None:
    chunked = START + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n" % (len(BODY), BODY)
    assert status(service.ask(chunked + b"Content-Type: text/plain\r\nX-Noria-Purpose: smoke\r\n\r\n")) == 200


@pytest.mark.parametrize("name", [b"Upgrade", b"upgrade"])
def test_who_would_rather_have_http_2_is_answered(service: Listening, name: bytes) -> None:
    wish = b"Connection: Upgrade, HTTP2-Settings\r\n" + name + b": h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
    length = b"Content-Length: %d\r\n\r\n" % len(BODY)
    with service.open() as connection:
        connection.sendall(b"POST /predict HTTP/1.1\r\n" + HEAD + wish + length + BODY)
        assert status(connection.recv(4096)) == 200


def test_addresses_without_end_are_not_counted_each(service: Listening) -> None:
    answer = service.ask(b"GET /static_content/any HTTP/1.1\r\nConnection: close\r\n" + HEAD + b"\r\n")
    assert status(answer) == 404
    assert b"request.address_unknown" in answer
