"""A small server that speaks Slack's Web API, as far as ZenML's alerter asks for it; the real client talks to it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partialmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

TOKEN = "xoxb-of-this-server"  # noqa: S105
CHANNEL = "C0123456789"


@dataclass
class Slack:
    """What it was told. Tests change what it answers while it is served."""

    posted: list[dict[str, Any]] = field(default_factory=list)
    refuses: str = ""
    """Error that each post is answered with; empty: it is taken."""
    lacks_scope: bool = False

    @property
    def texts(self) -> list[str]:
        """What stands in the channel."""
        return [each["text"] for each in self.posted]

    def answer(self, method: str, token: str, sent: dict[str, Any]) -> dict[str, Any]:
        """As Slack answers: always with status 200."""
        if token != f"Bearer {TOKEN}":
            return {"ok": False, "error": "invalid_auth"}
        if method == "conversations.info" and self.lacks_scope:
            return {"ok": False, "error": "missing_scope"}
        if method == "chat.postMessage" and self.refuses:
            return {"ok": False, "error": self.refuses}
        if method == "chat.postMessage":
            self.posted.append(sent)
        return {"ok": True, "channel": CHANNEL, "ts": "1"}


@contextmanager
def slack_served(patch: pytest.MonkeyPatch) -> Iterator[Slack]:
    """Slack at an address of this machine; nothing of the client but the address is changed."""
    slack = Slack()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            sent = json.loads(body) if body.startswith("{") else {}
            answer = slack.answer(self.path.strip("/"), self.headers.get("Authorization") or "", sent)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_GET = do_POST  # noqa: N815 - the name is the standard library's

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    use(patch, f"http://127.0.0.1:{server.server_address[1]}/")
    try:
        yield slack
    finally:
        server.shutdown()
        server.server_close()


def use(patch: pytest.MonkeyPatch, url: str) -> None:
    """Let the real client talk to this address."""
    from slack_sdk.web.base_client import BaseClient

    patch.setattr(BaseClient, "__init__", partialmethod(BaseClient.__init__, base_url=url))
