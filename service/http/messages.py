"""One HTTP request and its response over plain ASGI, without a framework."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from noria.serving.http_errors import HTTPError
from service.http.content_encoding import is_gzip, unpack

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
JSON = b"application/json"
TEST = b"x-noria-test"
"""Header of a request that tries the service out and is no part of production, with any true value."""
_FALSE = frozenset({b"", b"0", b"false", b"no", b"off"})


class ClientDisconnected(Exception):  # noqa: N818 - the client is gone
    """The client closed the connection."""


@dataclass(slots=True)
class Response:
    """A response."""

    body: bytes
    status: int = 200
    media_type: bytes = JSON
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


class BodyBudget:
    """Memory for bodies that are still arriving, of all requests together.

    Requests take no place before their body is there, so something else must bound what slow clients can hold. Bodies
    of up to 64 kB are free: of these, the connections are the bound.
    """

    FREE = 65_536

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0

    def take(self, size: int) -> None:
        """Hold `size` more bytes; HTTPError (503) if there is no room."""
        if self._held + size > self._most:
            raise HTTPError(
                503,
                "too many large requests are arriving at once",
                code="service.busy",
                fix="try again in a moment",
                retry_s=1,
            )
        self._held += size

    def give_back(self, size: int) -> None:
        """Hold `size` bytes less."""
        self._held -= size


class Request:
    """A request; its body is received on demand."""

    __slots__ = ("_is_packed", "_receive", "_received", "headers", "is_test", "media_type", "method", "path", "scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope, self._receive = scope, receive
        self._received, self._is_packed = b"", False
        self.path: str = scope["path"]
        self.method: str = scope["method"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.is_test = TEST in self.headers and self.headers[TEST].strip().lower() not in _FALSE
        self.media_type: bytes = self.headers.get(b"content-type", b"")
        """In lower case and without parameters; empty: none is named."""
        if self.media_type != JSON:
            self.media_type = self.media_type.partition(b";")[0].strip().lower()

    def header(self, name: bytes) -> str:
        """A header's value; empty if there is none."""
        return self.headers.get(name, b"").decode("latin-1")

    @property
    def is_json(self) -> bool:
        """Whether the body is said to be JSON."""
        return self.media_type == JSON or self.media_type.endswith(b"+json")

    async def receive_body(self, limit: int, budget: BodyBudget) -> None:
        """Wait for the body, of at most `limit` bytes.

        Raises:
            HTTPError: it is longer (413), packed in an unknown way (415), or too many large bodies are arriving (503).
            ClientDisconnected: the client closed the connection.
        """
        encoding = self.headers.get(b"content-encoding")
        self._is_packed = encoding is not None and is_gzip(encoding.decode("latin-1"))
        announced = self.headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced) > limit:
            raise _too_long(limit)
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        self._received = message.get("body", b"")
        if message.get("more_body", False):
            self._received = await self._rest(self._received, limit, budget)
        elif len(self._received) > limit:
            raise _too_long(limit)

    async def body(self, limit: int) -> bytes:
        """The body that was received; a gzip body is unpacked, to at most `limit` bytes.

        Raises:
            HTTPError: unpacked it is longer (413), or it is no valid gzip body (400).
        """
        if not self._is_packed:
            return self._received
        return await asyncio.to_thread(unpack, self._received, limit)

    async def _rest(self, first: bytes, limit: int, budget: BodyBudget) -> bytes:
        arrived, more, held = bytearray(first), True, 0
        try:
            while more:
                if len(arrived) - held > budget.FREE:
                    budget.take(len(arrived) - held)
                    held = len(arrived)
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnected
                arrived += message.get("body", b"")
                if len(arrived) > limit:
                    raise _too_long(limit)
                more = message.get("more_body", False)
        finally:
            budget.give_back(held)
        return bytes(arrived)


async def send_response(send: Send, response: Response, *, head: bool = False) -> None:
    """Send a response, for a HEAD request without its body."""
    headers = [
        (b"content-type", response.media_type),
        (b"content-length", b"%d" % len(response.body)),
        (b"x-content-type-options", b"nosniff"),
        *response.headers,
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else response.body})


def error_response(error: HTTPError) -> Response:
    """The response for an error."""
    headers = [] if error.retry_s is None else [(b"retry-after", b"%d" % error.retry_s)]
    if error.status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="noria"'))
    if error.body.code == "request.content_encoding_unknown":
        headers.append((b"accept-encoding", b"gzip"))
    return Response(error.body.model_dump_json().encode(), error.status, headers=headers)


def json_response(value: Any, status: int = 200) -> Response:
    """A response of plain values or msgspec structures."""
    return Response(_encode(value), status)


_encode = msgspec.json.Encoder().encode


def _too_long(limit: int) -> HTTPError:
    return HTTPError(
        413, f"the request is longer than {limit} bytes", code="request.too_large", fix="send it in several requests"
    )
