"""What the machine allows: an ASGI application that computes the same for each request, and keeps and reads nothing.

Its work is one hash after the other: the same number for each request, which does not depend on what a processor's
caches hold. No server that computes as long can have a steadier response time here.
"""

import hashlib
import time
from typing import Any

from benchmarks.served.apps import raw_asgi

_WORK_S = 150e-6
"""About what a request costs Noria's worker, on a machine that nobody else uses."""
_TRIES = 50
_TRIED = 500


def _work(hashes: int) -> None:
    hashlib.pbkdf2_hmac("sha256", b"noria", b"salt", hashes)


def _hashes() -> int:
    """How many take `_WORK_S` where nothing else disturbs."""
    shortest = min(_timed() for _ in range(_TRIES))
    return max(1, round(_TRIED * _WORK_S / shortest))


def _timed() -> float:
    began = time.perf_counter()
    _work(_TRIED)
    return time.perf_counter() - began


_HASHES = _hashes()


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Any request of any address."""
    if scope["type"] == "http":
        _work(_HASHES)
    await raw_asgi.app(scope, receive, send)
