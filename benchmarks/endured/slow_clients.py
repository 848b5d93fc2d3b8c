"""Clients that take their time: half-open ones send no body, or not even their whole head; others trickle it."""

import json
import selectors
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, Self

from benchmarks.endured.load import HOST

Kind = Literal["no body", "half a head", "trickled"]
_PER_ADDRESS = 50
"""So many connections come from one address: what is limited for each client is not what holds here."""
_TICK_S = 0.05
_REOPEN_S = 1.0
"""How long a client waits, after an answer or a cut, until it connects again: it is slow, not a flood."""
_CONNECT_S = 5.0
_BUFFER = 1 << 16
_HEAD = (
    "POST /predict HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
)


@dataclass(eq=False)
class _Client:
    """One connection after the other from one address."""

    kind: Kind
    address: str
    connection: socket.socket | None = None
    opened: float = 0.0
    sent: int = 0
    received: bytes = b""
    again: float = 0.0
    """When it connects, in seconds of the monotonic clock."""


class SlowClients:
    """Slow clients at work as long as the block.

    Args:
        port: of the service on this machine.
        row: what those ask for that send a body at all.
        half_open: clients that never send a body; every fourth of them not even the end of its head.
        trickling: clients that send their body byte by byte.
        trickle_s: how long such a body takes.
    """

    def __init__(self, port: int, row: dict[str, Any], *, half_open: int, trickling: int, trickle_s: float) -> None:
        self.ended: Counter[str] = Counter()
        """How their requests ended: a status, `cut`, or `not connected`."""
        self.ids: list[str] = []
        """Of the answers to trickled bodies."""
        self.open = 0
        """Most of them that were connected at once."""
        self._port, self._trickle_s = port, trickle_s
        self._body = json.dumps({"rows": [row]}).encode()
        kinds: list[Kind] = ["half a head" if place % 4 == 3 else "no body" for place in range(half_open)]
        kinds += ["trickled"] * trickling
        self._clients = [_Client(kind, f"127.0.0.{2 + place // _PER_ADDRESS}") for place, kind in enumerate(kinds)]
        self._trickling = [client for client in self._clients if client.kind == "trickled"]
        self._closed = set(self._clients)
        self._selector = selectors.DefaultSelector()
        self._over = threading.Event()
        self._all_there = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Self:
        self._thread.start()
        self._all_there.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for client in self._clients:
            self._close(client)
        self._selector.close()

    def _work(self) -> None:
        while not self._over.is_set():
            for client in [each for each in self._closed if time.monotonic() >= each.again]:
                if not self._over.is_set():
                    self._connect(client)
            for client in self._trickling:
                self._trickle(client)
            self.open = max(self.open, len(self._selector.get_map()))
            self._all_there.set()
            for key, _ in self._selector.select(_TICK_S):
                self._receive(key.data)
            self._over.wait(_TICK_S)
        self._all_there.set()

    def _trickle(self, client: _Client) -> None:
        passed = time.monotonic() - client.opened
        due = min(len(self._body), int(len(self._body) * passed / self._trickle_s))
        if client.connection is not None and due > client.sent:
            self._send(client, self._body[client.sent : due])
            client.sent = due

    def _connect(self, client: _Client) -> None:
        head = _HEAD.format(host=HOST, port=self._port, length=len(self._body)).encode()
        try:
            client.connection = socket.create_connection((HOST, self._port), _CONNECT_S, (client.address, 0))
        except OSError:
            self._end(client, "not connected")
            return
        client.opened, client.sent, client.received = time.monotonic(), 0, b""
        client.connection.setblocking(False)
        self._closed.discard(client)
        self._selector.register(client.connection, selectors.EVENT_READ, client)
        self._send(client, head if client.kind == "half a head" else head + b"\r\n")

    def _send(self, client: _Client, data: bytes) -> None:
        if client.connection is not None:
            with suppress(OSError):  # the answer so far is read next
                client.connection.send(data)

    def _receive(self, client: _Client) -> None:
        if client.connection is None:
            return
        try:
            part = client.connection.recv(_BUFFER)
        except BlockingIOError:
            return
        except OSError:
            part = b""
        client.received += part
        head, found, body = client.received.partition(b"\r\n\r\n")
        if found and len(body) >= _length(head):
            status = head.split(b" ", 2)[1].decode()
            if status == "200":
                self.ids += [answer["id"] for answer in json.loads(body)["predictions"]]
            self._end(client, status)
        elif not part:
            self._end(client, "cut")

    def _end(self, client: _Client, how: str) -> None:
        self.ended[how] += 1
        self._close(client)
        client.again = time.monotonic() + _REOPEN_S

    def _close(self, client: _Client) -> None:
        if client.connection is not None:
            self._selector.unregister(client.connection)
            client.connection.close()
            client.connection = None
        self._closed.add(client)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
