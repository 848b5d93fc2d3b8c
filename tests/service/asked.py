"""The service's app in this process, asked without a server."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from noria.bundle import Bundle
from noria.predictions.spool.backlog import wait_until_flushed
from noria.traffic import activation
from service.app import App
from service.runtime import Runtime
from service.settings import PRIVACY_KEY, TOKENS
from service.variables import SERVING, SPOOL_DIR

UNREACHABLE = "postgresql+psycopg://nobody@127.0.0.1:1/none"


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


class Asked:
    """Asks the app; its folder holds spool and store."""

    def __init__(self, app: App, folder: Path) -> None:
        self.app, self.folder = app, folder
        self.client = "::1"
        """The address that requests come from."""
        self._loop = asyncio.new_event_loop()

    def post(self, path: str, sent: object, headers: Mapping[str, str] | None = None) -> Reply:
        """A POST of bytes as they are, or of anything else as JSON."""
        return self.ask("POST", path, sent if isinstance(sent, bytes) else json.dumps(sent).encode(), headers)

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """One request."""
        return self._loop.run_until_complete(self.coming(method, path, body, headers))

    def run(self, coroutine: Any) -> Any:
        """What a coroutine returns."""
        return self._loop.run_until_complete(coroutine)

    async def coming(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        after: asyncio.Event | None = None,
    ) -> Reply:
        """One request, whose body arrives `after` something; JSON to this machine unless the headers say otherwise."""
        usual = {"host": "127.0.0.1:3000", "content-type": "application/json"}
        named = usual | {name.lower(): value for name, value in (headers or {}).items()}
        sent = {name.encode(): value.encode() for name, value in named.items()}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": list(sent.items()),
            "client": (self.client, 1),
        }
        told: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if after is not None:
                await after.wait()
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            told.append(message)

        await self.app(scope, receive, send)
        names = {name.decode(): value.decode() for name, value in told[0]["headers"]}
        return Reply(told[0]["status"], names, b"".join(message.get("body", b"") for message in told[1:]))

    def settle(self) -> None:
        """Wait until the store has everything."""
        assert wait_until_flushed(self.folder / "spool", 60)


async def _bento(scope: Any, receive: Any, send: Any) -> None:
    """Stands for BentoML's application."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"bento"})


@contextmanager
def asked(bundle: Bundle, folder: Path, url: str = "", **environment: str) -> Iterator[Asked]:
    """The app with this environment."""
    activation.write_plan(folder, activation.TrafficPlan.of(bundle.folder, bundle.manifest.version))
    with pytest.MonkeyPatch.context() as patch:
        for name in (SERVING, SPOOL_DIR, PRIVACY_KEY, *TOKENS.values()):
            patch.delenv(name, raising=False)
        patch.setenv("NORIA_SERVICE_DIR", str(folder))
        patch.setenv("NORIA_PREDICTIONS_URL", url or f"sqlite:///{folder / 'predictions.db'}")
        for name, value in environment.items():
            patch.setenv(name, value)
        runtime = Runtime()
        runtime.start()
        app = App(runtime)
        app.inner = _bento
        app.started()
        try:
            yield Asked(app, folder)
        finally:
            runtime.stop()
