"""Guards against web pages of others, which a browser lets send requests to any address that it reaches.

A page needs no token where the service has none, so a browser's own marks are what tells its requests apart:
`Origin` (RFC 6454) and `Sec-Fetch-Site` (W3C Fetch Metadata). A page whose own name is made to point to this machine
(DNS rebinding) has neither mark, but its name is in `Host`. Other programs send no marks, and pass.
"""

import ipaddress
from collections.abc import Iterable

from noria.serving.http_errors import HTTPError
from service.http.messages import Request

SAFE = frozenset({"GET", "HEAD"})
"""Methods that change nothing; a page of others cannot read what they return."""
_MOST_SEEN = 100
_OWN_SITE = frozenset({b"same-origin", b"none"})
_EVERYWHERE = frozenset({b"0.0.0.0", b"[::]"})
_LOOPBACK = frozenset({b"localhost", b"127.0.0.1", b"[::1]"})


class CrossSiteGuard:
    """Refuses what pages of others send.

    Args:
        hosts: names of the service besides those of the loopback addresses, without port.
        address: where it listens.
        any_host: whether every `Host` is answered, as tokens guard the service.
    """

    def __init__(self, hosts: Iterable[str], address: str, *, any_host: bool) -> None:
        # a page of another port of this machine is another site's
        self._own = frozenset(map(_as_in_url, hosts)) - _LOOPBACK
        self._answered = self._own | _LOOPBACK | ({_as_in_url(address)} - _EVERYWHERE)
        self._any_host = any_host
        self._seen: set[bytes] = set()  # headers as they came that are its own, so that each is read once

    def check_host(self, headers: dict[bytes, bytes]) -> None:
        """Raise HTTPError (421) if the service is asked under a name that is not its own (RFC 9110, 15.5.20)."""
        host = headers.get(b"host", b"")
        if self._any_host or host in self._seen:
            return
        name = _name(host)
        if name in self._answered or _is_loopback(name):
            if len(self._seen) < _MOST_SEEN:
                self._seen.add(host)
            return
        raise HTTPError(
            421,
            "the service does not answer under this name: without tokens it answers as localhost only",
            code="request.host_unknown",
            fix="ask 127.0.0.1 or localhost, add the name to serving.hosts, or start the service with tokens",
        )

    def check_site(self, request: Request) -> None:
        """Raise HTTPError (403) if a page of another site sends this request."""
        if request.method in SAFE:
            return
        headers = request.headers
        site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
        if (site is None or site in _OWN_SITE) and (origin is None or self._is_own(origin, headers.get(b"host", b""))):
            return
        raise HTTPError(
            403,
            "a web page of another site sent this request",
            code="request.origin_foreign",
            fix="send it from the service's own page or from a program; behind a proxy that changes the header Host, "
            "add the name that people use to serving.hosts",
        )

    def _is_own(self, origin: bytes, host: bytes) -> bool:
        """Whether an origin, such as `http://localhost:3000`, is the service as it was asked, or one of its names."""
        scheme, separator, asked = origin.lower().partition(b"://")
        if not separator or scheme not in {b"http", b"https"}:  # `null`: a sandboxed page or a file
            return False
        return asked == host.lower() or _name(asked) in self._own


def _name(host: bytes) -> bytes:
    """A host without its port, in lower case."""
    if host.startswith(b"["):
        address, closed, port = host.partition(b"]")
        return host if port and not port.startswith(b":") else address.lower() + closed
    return host.partition(b":")[0].lower().rstrip(b".")


def _as_in_url(host: str) -> bytes:
    """A host in lower case, an IPv6 address in brackets."""
    name = host.lower()
    return (f"[{name}]" if ":" in name and not name.startswith("[") else name).encode()


def _is_loopback(name: bytes) -> bool:
    if name.endswith(b".localhost"):  # RFC 6761, 6.3
        return True
    try:
        return ipaddress.ip_address(name.removeprefix(b"[").removesuffix(b"]").decode()).is_loopback
    except (ValueError, UnicodeDecodeError):
        return False
