"""One HTTP connection of the load generator: bytes out, bytes in, nothing decoded."""

import re
import socket

TIMEOUT_S = 60.0
"""How long an answer is waited for."""
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"
_IN_CHUNKS = -1
_BUFFER = 1 << 18


class Connection:
    """One client: sends a request, and waits for its answer before the next."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self.since: float | None = None
        """From when the time of the open request runs; None: no request is open."""
        self._connect()

    def fileno(self) -> int:
        """For `select`."""
        return self._socket.fileno()

    def send(self, request: bytes, since: float) -> None:
        """Send a whole request.

        Raises:
            OSError: the server hung up.
        """
        self.since = since
        self._socket.sendall(request)

    def receive(self) -> bytes | None:
        """The answer; None while it is not whole.

        Raises:
            OSError: the server hung up.
        """
        part = self._socket.recv(_BUFFER)
        if not part:
            raise ConnectionError("the server hung up")
        self._received += part
        if self._length is None:
            self._length = _length(self._received)
        if not self._whole():
            return None
        answer, self._received, self._length = self._received, b"", None
        return answer

    def reopen(self) -> None:
        """Forget the open request and connect anew.

        Raises:
            OSError: the server is gone.
        """
        self.close()
        self.since = None
        self._connect()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _connect(self) -> None:
        self._received = b""
        self._length: int | None = None
        self._socket = socket.create_connection(self._address, timeout=TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # a request of 100 rows is handed over at once, so that no other client waits for it
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)

    def _whole(self) -> bool:
        if self._length == _IN_CHUNKS:
            return self._received.endswith(_LAST_CHUNK)
        return self._length is not None and len(self._received) >= self._length


def _length(received: bytes) -> int | None:
    """Length of the whole answer, or that it comes in chunks; None while its head is not whole."""
    end = received.find(_END)
    if end < 0:
        return None
    head = received[:end]
    if length := _LENGTH.search(head):
        return end + len(_END) + int(length[1])
    return _IN_CHUNKS if _CHUNKED.search(head) else end + len(_END)
