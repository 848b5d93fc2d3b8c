"""The service's app behind a real server in a thread of this process, and plain sockets to ask it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from asked import Asked, asked

from noria.bundle import Bundle

HEAD = b"Host: 127.0.0.1\r\nContent-Type: application/json\r\n"


@dataclass(frozen=True)
class Listening:
    """A service that listens on a port of this machine."""

    service: Asked
    port: int

    def open(self) -> socket.socket:
        """A connection that sends nothing of itself."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def ask(self, raw: bytes) -> bytes:
        """Everything that the service answers to these bytes, until it closes the connection."""
        with self.open() as connection:
            connection.sendall(raw)
            return read_all(connection)

    def predict(self, body: bytes) -> int:
        """The status of a prediction on a connection of its own."""
        return status(self.ask(request("/predict", body)))


def request(path: str, body: bytes, method: bytes = b"POST") -> bytes:
    """A whole request whose connection is closed after it."""
    length = b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    return method + b" " + path.encode() + b" HTTP/1.1\r\n" + HEAD + length + body


def read_all(connection: socket.socket) -> bytes:
    """What arrives until the other side closes."""
    received = b""
    while part := connection.recv(65_536):
        received += part
    return received


def status(answer: bytes) -> int:
    """The status of a response; 0 if there was none."""
    return int(answer.split(b" ", 2)[1]) if answer else 0


@contextmanager
def listening(bundle: Bundle, folder: Path, **environment: str) -> Iterator[Listening]:
    """A service that listens, with this environment."""
    with asked(bundle, folder, **environment) as service:
        service.app.connections.install()
        config = uvicorn.Config(service.app, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                while not server.started:
                    time.sleep(0.01)
                yield Listening(service, listener.getsockname()[1])
            finally:
                server.should_exit = server.force_exit = True
                thread.join()
