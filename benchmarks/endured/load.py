"""Clients that ask one after the other, at a steady pace, and remember every answer."""

import http.client
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

HOST = "127.0.0.1"
_OK, _BROKEN = 200, 500
_TIMEOUT_S = 60.0
_PAUSE_S = 0.02


@dataclass
class Told:
    """What clients were told."""

    ids: list[str] = field(default_factory=list)
    """Of every answer, in the order they came."""
    versions: dict[str, int] = field(default_factory=dict)
    """Version → answers."""
    refused: list[tuple[float, int, str]] = field(default_factory=list)
    """When, the status, and what was said."""
    cut: list[float] = field(default_factory=list)
    """When a connection broke before its answer."""
    seconds: list[float] = field(default_factory=list)
    """How long each answer took."""
    at: list[float] = field(default_factory=list)
    """When each answer came, in seconds since 1970."""

    @property
    def broken(self) -> list[tuple[float, int, str]]:
        """The answers that say the service is broken."""
        return [one for one in self.refused if one[1] >= _BROKEN]

    def merge(self, other: "Told") -> None:
        """Take in what another client was told."""
        self.ids += other.ids
        self.refused += other.refused
        self.cut += other.cut
        self.seconds += other.seconds
        self.at += other.at
        for version, number in other.versions.items():
            self.versions[version] = self.versions.get(version, 0) + number


class Load:
    """Clients at work as long as the block; then `told` has what they were told.

    Args:
        port: of the service on this machine.
        rows: what is asked for, in turn.
        clients: how many ask at once.
        rate: requests per second of all together; None: each asks as soon as it is answered.
    """

    def __init__(self, port: int, rows: Sequence[dict[str, Any]], clients: int, rate: float | None = None) -> None:
        self.told = Told()
        self._port, self._clients, self._rate = port, clients, rate
        self._bodies = [json.dumps({"rows": [row]}).encode() for row in rows]
        self._enough = threading.Event()
        self._each = [Told() for _ in range(clients)]
        self._threads = [threading.Thread(target=self._ask, args=(place,)) for place in range(clients)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()
        for told in self._each:
            self.told.merge(told)

    def _ask(self, place: int) -> None:
        told, pace = self._each[place], None if self._rate is None else self._clients / self._rate
        due = time.monotonic() + (place / self._rate if self._rate else 0.0)
        connection = http.client.HTTPConnection(HOST, self._port, timeout=_TIMEOUT_S)
        number = place
        while not self._enough.is_set():
            if pace is not None:
                if self._enough.wait(max(0.0, due - time.monotonic())):
                    break
                due = max(due + pace, time.monotonic() - 1.0)  # what a fault held up is not all made up for at once
            self._one(connection, self._bodies[number % len(self._bodies)], told)
            number += self._clients
        connection.close()

    def _one(self, connection: http.client.HTTPConnection, body: bytes, told: Told) -> None:
        began = time.monotonic()
        try:
            connection.request("POST", "/predict", body, {"content-type": "application/json"})
            response = connection.getresponse()
            said = response.read()
        except (OSError, http.client.HTTPException):
            told.cut.append(time.time())
            connection.close()
            time.sleep(_PAUSE_S)
            return
        if response.status != _OK:
            told.refused.append((time.time(), response.status, said[:200].decode(errors="replace")))
            return
        (answer,) = json.loads(said)["predictions"]
        told.seconds.append(time.monotonic() - began)
        told.at.append(time.time())
        told.ids.append(answer["id"])
        told.versions[answer["version"]] = told.versions.get(answer["version"], 0) + 1
