"""One HTTP request and its response over plain ASGI, without a framework."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from noria.serving.http_errors import HTTPError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
JSON = b"application/json"


class ClientDisconnected(Exception):  # noqa: N818 - the client is gone
    """The client closed the connection."""


@dataclass(slots=True)
class Response:
    """A response."""

    body: bytes
    status: int = 200
    media_type: bytes = JSON
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


class Request:
    """A request; its body is read on demand."""

    __slots__ = ("_receive", "headers", "method", "path", "scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope, self._receive = scope, receive
        self.path: str = scope["path"]
        self.method: str = scope["method"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])

    def header(self, name: bytes) -> str:
        """A header's value; empty if there is none."""
        return self.headers.get(name, b"").decode("latin-1")

    async def body(self, limit: int) -> bytes:
        """The body, of at most `limit` bytes.

        Raises:
            HTTPError: it is longer (413).
            ClientDisconnected: the client closed the connection.
        """
        announced = self.headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced) > limit:
            raise _too_long(limit)
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        if not message.get("more_body", False):
            body: bytes = message.get("body", b"")
            if len(body) > limit:
                raise _too_long(limit)
            return body
        return await self._rest(message.get("body", b""), limit)

    async def _rest(self, first: bytes, limit: int) -> bytes:
        chunks, length, more = [first], len(first), True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnected
            chunks.append(message.get("body", b""))
            length += len(chunks[-1])
            if length > limit:
                raise _too_long(limit)
            more = message.get("more_body", False)
        return b"".join(chunks)


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
    return Response(error.body.model_dump_json().encode(), error.status, headers=headers)


def json_response(value: Any, status: int = 200) -> Response:
    """A response of plain values or msgspec structures."""
    return Response(_encode(value), status)


_encode = msgspec.json.Encoder().encode


def _too_long(limit: int) -> HTTPError:
    return HTTPError(
        413, f"the request is longer than {limit} bytes", code="request.too_large", fix="send it in several requests"
    )
