"""Starting a server, waiting for its first answer, and stopping it whatever happens."""

import http.client
import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil

from benchmarks.served.family import TOKEN, Family
from benchmarks.served.place import Place, free_port
from benchmarks.served.servers import HOST, Server
from noria.system.workspace import PROJECT

START_WITHIN_S = 180.0
_POLL_S = 0.01
_LAST_LINES = 4


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    server: Server
    port: int
    family: Family
    cold_start_s: float
    """From the start of its first process to the first answer with the model."""

    def ask(self, rows: list[dict[str, Any]]) -> Any:
        """The decoded answer to some rows.

        Raises:
            RuntimeError: it is refused.
        """
        status, body = ask(self.port, self.server, rows)
        if status != http.client.OK:
            raise RuntimeError(f"it answers {status}: {body[:300].decode(errors='replace')}")
        return json.loads(body)


@contextmanager
def running(server: Server, place: Place, row: dict[str, Any]) -> Iterator[Running]:
    """A server from its start to its end.

    Raises:
        RuntimeError: it does not start.
    """
    if server.command is None:
        raise ValueError("Noria starts its service itself")
    port, family = free_port(), Family(uuid.uuid4().hex)
    command = server.command(place, port)
    environment = {**os.environ, **place.environment(), **command.environment, TOKEN: family.token}
    with place.log(server.key).open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command; it has a session of its own, so Ctrl-C spares it
            command.line,
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for_answer(port, server, row, lambda: process.poll() is None)
        yield Running(server, port, family, since_start(family))
    except TimeoutError as error:
        raise RuntimeError(f"{error}; it said last: {last_words(place, server)}") from error
    finally:
        family.end()
        process.wait()


def wait_for_answer(port: int, server: Server, row: dict[str, Any], lives: Callable[[], bool]) -> None:
    """Ask until it answers.

    Raises:
        TimeoutError: it ends, or does not answer in time.
    """
    until = time.monotonic() + START_WITHIN_S
    while time.monotonic() < until:
        try:
            status, _ = ask(port, server, [row])
        except OSError:
            status = 0
        if status == http.client.OK:
            return
        if not lives():
            raise TimeoutError("it ended at once")
        time.sleep(_POLL_S)
    raise TimeoutError(f"no answer within {START_WITHIN_S:.0f} s")


def ask(port: int, server: Server, rows: list[dict[str, Any]]) -> tuple[int, bytes]:
    """Status and body of one request on a connection of its own."""
    connection = http.client.HTTPConnection(HOST, port, timeout=START_WITHIN_S)
    try:
        body = json.dumps(server.protocol.body(rows))
        connection.request("POST", server.protocol.path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()


def since_start(family: Family) -> float:
    """Seconds since the first process of a family began."""
    now = time.time()
    return now - min(process.create_time() for process in family.members()) - _clock_error()


def last_words(place: Place, server: Server) -> str:
    """The last lines of a server's log."""
    lines = place.log(server.key).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return " | ".join(line.strip() for line in lines[-_LAST_LINES:]) or "nothing"


def _clock_error() -> float:
    """How far a process's time of creation lies from the clock: the system tells the second of its own start only."""
    now = time.time()
    with subprocess.Popen(["sleep", "60"]) as probe:  # noqa: S607
        try:
            return now - psutil.Process(probe.pid).create_time()
        finally:
            probe.kill()
