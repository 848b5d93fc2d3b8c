"""Limits of connections: how many, how long they may take to send a request, and how long its headers may be.

BentoML starts uvicorn and offers no setting for these, so uvicorn's own class of connections is extended. Times are
looked at once a second for all connections together, which costs a request no more than a few comparisons.
"""

import asyncio
import heapq
import re
import resource
from collections import defaultdict
from typing import Any, ClassVar

import uvicorn.config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from noria.config.serving import LimitsConfig
from noria.serving.http_errors import HTTPError
from service.http.messages import error_response

LONGEST_HEAD = 32_768
"""Most bytes of a request's address and headers."""
_SLOWEST_BYTES_PER_S = 10_000
_EXTRA_BYTES = 1_000_000
"""What the framing of a body may add to its length, besides as much again."""
_H2C = re.compile(rb"(\r\n)upgrade(?=:[ \t]*h2c[ \t]*(\r\n|$))", re.IGNORECASE)
_SWEEP_S = 1.0
_LINGER_S = 2.0
"""How long the rest of a refused request is read and thrown away, so that its client sees why."""
_UNREAD_S = 30.0
"""How long a client may leave a response unread after its connection was closed."""
_RESERVED_FILES = 200
_EVICTED = 16
_IDLE, _HEAD, _BODY = range(3)


class ConnectionLimits:
    """The open connections of one worker."""

    def __init__(self) -> None:
        self.limits = LimitsConfig()
        self._open: set[LimitedConnection] = set()
        self._by_client: defaultdict[str, set[LimitedConnection]] = defaultdict(set)
        self._sweeps = False
        most_files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._most_files = max(_RESERVED_FILES, most_files - _RESERVED_FILES)

    def install(self) -> None:
        """Let uvicorn use `LimitedConnection`, in servers that are made from now on."""
        bound = type("BoundConnection", (LimitedConnection,), {"registry": self})
        uvicorn.config.HTTP_PROTOCOLS["auto"] = bound  # type: ignore[assignment]  # a class is taken, too

    def opened(self, connection: "LimitedConnection") -> None:
        """Register a connection; if there are too many, those that have waited longest for their clients are closed."""
        if not self._sweeps:
            self._sweeps = True
            connection.loop.call_later(_SWEEP_S, self._sweep, connection.loop)
        mine, limits = self._by_client[connection.address], self.limits
        mine.add(connection)
        self._open.add(connection)
        if len(mine) > limits.max_connections:
            self._evict(mine, connection, 1)
        elif len(self._open) > min(self._most_files, 8 * limits.max_connections):
            self._evict(self._open, connection, _EVICTED)

    def closed(self, connection: "LimitedConnection") -> None:
        """Forget a connection."""
        self._open.discard(connection)
        mine = self._by_client.get(connection.address)
        if mine is not None:
            mine.discard(connection)
            if not mine:
                del self._by_client[connection.address]

    def _evict(self, crowd: "set[LimitedConnection]", newest: "LimitedConnection", number: int) -> None:
        waiting = [one for one in crowd if one is not newest and one.waits_for_client]
        chosen = heapq.nsmallest(number, waiting, key=lambda one: one.since) or [newest]
        for one in chosen:
            self.closed(one)
            one.evict(is_new=one is newest)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for one in tuple(self._open):
            one.check_time(now)
        self._sweeps = bool(self._open)
        if self._sweeps:
            loop.call_later(_SWEEP_S, self._sweep, loop)


class LimitedConnection(HttpToolsProtocol):
    """A connection whose client must send its requests in time, with headers of limited length."""

    registry: ClassVar[ConnectionLimits]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ws_protocol_class = None  # the service has no WebSockets
        self._phase, self._has_ended = _IDLE, False
        self._head_bytes = self._body_bytes = self._chunk_bytes = 0
        self._idle_since: float | None = None
        self._lingers_until: float | None = None
        self._unread: tuple[int, float] | None = None
        self._refusal: HTTPError | None = None
        self.address = ""
        self.since = self.loop.time()
        """When the client began to send what it is sending, in the time of the event loop."""

    @property
    def waits_for_client(self) -> bool:
        """Whether it is the client's turn to send; False: a request is being answered."""
        return self._phase != _IDLE or self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Register the connection."""
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self.registry.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        self.registry.closed(self)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived, and count it."""
        if self._lingers_until is not None:
            return
        if b"h2c" in data and self._phase != _BODY:  # the parser would leave out the body (Java's client asks so)
            head, end, rest = data.partition(b"\r\n\r\n")
            data = _H2C.sub(rb"\1not-upgraded", head) + end + rest
        self._chunk_bytes, self._has_ended = len(data), False
        super().data_received(data)
        if self._phase == _BODY:
            self._body_bytes += len(data)
            if self._body_bytes > 2 * self.registry.limits.max_body_mb * 1e6 + _EXTRA_BYTES:
                self._refuse(_body_too_long(), linger=True)
        elif not self._has_ended:
            self._head_bytes += len(data)
            if self._head_bytes > LONGEST_HEAD:
                self._refuse(_head_too_long(), linger=True)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._phase, self.since, self._idle_since = _HEAD, self.loop.time(), None

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; trailers are none (RFC 9110, 6.5.1), and not kept."""
        if self._phase != _BODY:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The headers are there; the body follows."""
        if self._head_bytes + self._chunk_bytes > LONGEST_HEAD:
            length = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if length > LONGEST_HEAD:
                self._refusal = _head_too_long()
                raise ValueError  # the parser stops, and `send_400_response` tells the reason
        self._phase, self.since, self._body_bytes = _BODY, self.loop.time(), 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._phase, self._head_bytes, self._has_ended = _IDLE, 0, True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what could not be parsed."""
        invalid = HTTPError(400, "this is not a valid HTTP request", code="request.http_invalid")
        self._refuse(self._refusal or invalid, linger=self._refusal is not None)

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: a request that wishes another protocol is answered as it is (RFC 9110, 7.8)."""

    def check_time(self, now: float) -> None:
        """Close the connection if its client takes too long.

        Args:
            now: by the event loop, in seconds.
        """
        limits = self.registry.limits
        if self.transport.is_closing():
            self._check_unread(now)
        elif self._lingers_until is not None:
            if now > self._lingers_until:
                self.transport.abort()
        elif self._phase == _HEAD:
            if now - self.since > limits.header_timeout_s:
                self._refuse(_too_slow("headers"))
        elif self._phase == _BODY:
            if now - self.since > limits.body_timeout_s + self._body_bytes / _SLOWEST_BYTES_PER_S:
                self._refuse(_too_slow("body"))
        elif self.waits_for_client:
            if self._idle_since is None:
                self._idle_since = self.since = now
            elif now - self._idle_since > limits.header_timeout_s:
                self.transport.close()

    def evict(self, *, is_new: bool) -> None:
        """Close the connection in favour of others, at once.

        Args:
            is_new: nothing has arrived yet, and the client should learn why nothing will be read.
        """
        if is_new or self._phase != _IDLE:
            error = "too many connections of this client are open"
            self._refuse(HTTPError(503, error, code="service.busy", fix="reuse connections", retry_s=1))
        else:
            self.transport.close()
        if self.transport.get_write_buffer_size() or self._lingers_until is not None:
            self.transport.abort()

    def _check_unread(self, now: float) -> None:
        size = self.transport.get_write_buffer_size()
        if self._unread is None or size < self._unread[0]:
            self._unread = (size, now)
        elif now - self._unread[1] > _UNREAD_S:
            self.transport.abort()

    def _refuse(self, error: HTTPError, *, linger: bool = False) -> None:
        """Send an error unless a response has begun, and close."""
        if self.transport.is_closing() or self._lingers_until is not None:
            return
        is_open = self.cycle is not None and not self.cycle.response_complete
        if not (self._phase == _BODY and (not is_open or self.cycle.response_started)):
            self.transport.write(_as_bytes(error))
        if is_open:  # the handler that waits for the rest of the body waits no longer
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._unset_keepalive_if_required()
        if linger and self.transport.can_write_eof():
            self.flow.resume_reading()
            self.transport.write_eof()
            self._lingers_until = self.loop.time() + _LINGER_S
        else:
            self.transport.close()


def _as_bytes(error: HTTPError) -> bytes:
    response = error_response(error)
    headers = [
        (b"content-type", response.media_type),
        (b"content-length", b"%d" % len(response.body)),
        (b"connection", b"close"),
        *response.headers,
    ]
    return b"".join(
        [STATUS_LINE[response.status], *(b"%b: %b\r\n" % header for header in headers), b"\r\n", response.body]
    )


def _head_too_long() -> HTTPError:
    return HTTPError(
        431,
        f"address and headers are longer than {LONGEST_HEAD} bytes",
        code="request.headers_too_large",
        fix="send fewer and shorter headers",
    )


def _body_too_long() -> HTTPError:
    return HTTPError(413, "the request is too long", code="request.too_large", fix="send it in several requests")


def _too_slow(part: str) -> HTTPError:
    return HTTPError(408, f"the {part} did not arrive in time", code="request.timed_out", fix="send it faster")
