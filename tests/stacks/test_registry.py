"""Asking a registry for an image: the ways in which registries let somebody in, and what they say."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from app.images.registry import RegistryLogin, ask_for_image

_BASIC = "Basic " + base64.b64encode(b"we:secret").decode()
_MANIFEST = "/v2/team/noria/manifests/"


class Registry(BaseHTTPRequestHandler):
    """As the protocol of Docker's registry says; `bearer` sends the client for a token first."""

    bearer = False

    def do_HEAD(self) -> None:
        url, said = urlsplit(self.path), self.headers.get("Authorization", "")
        if said != ("Bearer good" if self.bearer else _BASIC):
            token = f"http://{self.headers['Host']}/token"
            realm = f'Bearer realm="{token}",service="here",scope="repository:team/noria:pull"'
            self._say(401, {"WWW-Authenticate": realm if self.bearer else 'Basic realm="here"'})
        elif "application/vnd.oci.image.index.v1+json" not in self.headers["Accept"]:
            self._say(406)
        else:
            self._say(200 if url.path in {f"{_MANIFEST}1", f"{_MANIFEST}sha256:abc"} else 404)

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        ours = asked == {"service": ["here"], "scope": ["repository:team/noria:pull"]}
        good = ours and self.headers.get("Authorization") == _BASIC
        self._say(200, body=json.dumps({"access_token": "good" if good else "bad"}).encode())

    def _say(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(params=[False, True], ids=["basic", "bearer"])
def host(request: pytest.FixtureRequest) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("One", (Registry,), {"bearer": request.param}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("image", "login", "status"),
    [
        ("team/noria:1", RegistryLogin("we", "secret"), 200),
        ("team/noria@sha256:abc", RegistryLogin("we", "secret"), 200),
        ("team/noria:1@sha256:abc", RegistryLogin("we", "secret"), 200),
        ("team/noria:2", RegistryLogin("we", "secret"), 404),
        ("team/noria", RegistryLogin("we", "secret"), 404),  # which means `latest`
        ("team/noria:1", RegistryLogin("we", "wrong"), 401),
        ("team/noria:1", None, 401),
    ],
)
def test_a_registry_is_asked_as_an_engine_would(
    host: str, image: str, login: RegistryLogin | None, status: int
) -> None:
    assert ask_for_image(f"{host}/{image}", login).status == status


def test_no_registry_at_all() -> None:
    answer = ask_for_image("127.0.0.1:1/noria:1", None)
    assert answer.status == 0
    assert "cannot be reached" in answer.said
