"""The load generator: `python -m benchmarks.served.generate PLAN`, a process of its own with nothing but sockets.

It is written here because of what the usual tools cannot do: wrk sends as fast as it is answered and in no other way,
so the times at half of saturation cannot be had from it. Requests are made before the clock starts and answers are
not decoded, so that one core sends more than any of the models answers; how busy it was is told with the result.
"""

import contextlib
import gc
import json
import math
import os
import select
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

from benchmarks.served.connection import TIMEOUT_S, Connection

_OK = (b"HTTP/1.1 200", b"HTTP/1.0 200")
_TOLD = 500


class Load:
    """Sends from several clients and keeps the time that each answer took."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._requests = _requests(plan)
        self._clients = [Connection(plan["host"], plan["port"]) for _ in range(plan["clients"])]
        self._rate: float | None = plan["rate"]
        self._sent = 0
        self._answers: list[tuple[float, float]] = []
        self._failed = 0
        self._failure = ""

    def run(self, warm_s: float, seconds: float) -> dict[str, Any]:
        """Load for `warm_s` seconds that are not counted and then for `seconds`, and wait for what is open."""
        began = time.perf_counter()
        start, end = began + warm_s, began + warm_s + seconds
        self._load(began, end)
        busy = time.process_time() / (time.perf_counter() - began)
        self._finish()
        took = sorted(took for took, at in self._answers if start <= at < end)
        return {
            "requests": len(took),
            "seconds": seconds,
            "p50_ms": _percentile(took, 0.5),
            "p99_ms": _percentile(took, 0.99),
            "answered": len(self._answers),
            "failed": self._failed,
            "failure": self._failure,
            "generator_busy": busy,
        }

    def _load(self, start: float, end: float) -> None:
        """Without a rate, every client sends its next request as soon as it is answered.

        With a rate, a request is due each 1/rate seconds, answered or not, and its time runs from when it was due,
        also when it had to wait for a client: else a server that stalls would be asked less while it stalls.
        """
        idle = deque(self._clients)
        while (now := time.perf_counter()) < end:
            while idle:
                due = now if self._rate is None else start + self._sent / self._rate
                if due > now:
                    break
                self._send(idle.popleft(), due)
            wait = min(due, end) if idle else end
            idle.extend(self._answered(wait - time.perf_counter()))

    def _answered(self, wait_s: float) -> list[Connection]:
        """The clients whose answer has come, within `wait_s` seconds."""
        busy = [client for client in self._clients if client.since is not None]
        ready, _, _ = select.select(busy, [], [], max(0.0, wait_s))
        return [client for client in ready if self._receive(client)]

    def _finish(self) -> None:
        """Wait for the answers that are still to come."""
        until = time.perf_counter() + TIMEOUT_S
        while any(client.since is not None for client in self._clients) and time.perf_counter() < until:
            self._answered(1.0)
        lost = [client for client in self._clients if client.since is not None]
        if lost:
            self._fail(f"not answered within {TIMEOUT_S:.0f} s", len(lost))
        for client in self._clients:
            client.close()

    def _send(self, client: Connection, since: float) -> None:
        request = self._requests[self._sent % len(self._requests)]
        self._sent += 1
        try:
            client.send(request, since)
        except OSError as error:
            self._fail(str(error))
            client.reopen()
            client.send(request, since)

    def _receive(self, client: Connection) -> bool:
        """Is this client free again?"""
        try:
            answer = client.receive()
        except OSError as error:
            self._fail(str(error))
            client.reopen()
            return True
        if answer is None:
            return False
        now = time.perf_counter()
        if answer.startswith(_OK):
            self._answers.append((now - (client.since or now), now))
        else:
            self._fail(answer[:_TOLD].decode(errors="replace"))
        client.since = None
        return True

    def _fail(self, what: str, number: int = 1) -> None:
        self._failed += number
        self._failure = self._failure or what


def _requests(plan: dict[str, Any]) -> list[bytes]:
    """Whole requests, one per line of the file with the bodies."""
    head = (
        f"POST {plan['path']} HTTP/1.1\r\nHost: {plan['host']}:{plan['port']}\r\n"
        "Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: "
    )
    bodies = Path(plan["bodies"]).read_bytes().splitlines()
    return [f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies]


def _percentile(ordered: list[float], share: float) -> float | None:
    """In milliseconds: the smallest value that at least this share of the values does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] * 1000 if ordered else None


def main(arguments: list[str]) -> None:
    """Carry out the plan, which is JSON, and print what was found as JSON."""
    plan = json.loads(arguments[0])
    gc.disable()  # a pause here would be taken for one of the server's, and so would a wait for the processor
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    print(json.dumps(Load(plan).run(plan["warm_s"], plan["seconds"])))


if __name__ == "__main__":
    main(sys.argv[1:])
