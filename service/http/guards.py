"""Who may ask, and how much."""

import hmac
import time
from collections import OrderedDict

from noria.serving.http_errors import HTTPError
from service.http.messages import Request

_CLIENTS = 10_000
"""Clients whose pace is remembered; the longest unseen is forgotten first."""


class BearerTokens:
    """Bearer tokens (RFC 6750), one for each thing that may be done."""

    def __init__(self, tokens: dict[str, str]) -> None:
        self._tokens = {scope: token.encode() for scope, token in tokens.items()}

    def check(self, exchange: Request, scope: str) -> None:
        """Raise Wrong unless the request may do `scope`: 401 without a token, 403 with another one."""
        wanted = self._tokens.get(scope)
        if wanted is None:
            return
        kind, _, given = exchange.headers.get(b"authorization", b"").partition(b" ")
        if kind.lower() != b"bearer" or not given:
            raise HTTPError(
                401, f"this needs the token for `{scope}`", fix="send it in a header: Authorization: Bearer TOKEN"
            )
        # all are compared, so that the time tells nothing about which one nearly fits
        fits = {name: hmac.compare_digest(given.strip(), token) for name, token in self._tokens.items()}
        if not fits[scope]:
            known = any(fits.values())
            said = f"this token is not the one for `{scope}`" if known else "this token is not known"
            raise HTTPError(403 if known else 401, said, fix=f"send the token for `{scope}`")

    def require(self, scope: str) -> None:
        """Raise Wrong (403) if no token is set for this, for it is not open to everybody in any case."""
        if scope not in self._tokens:
            raise HTTPError(403, f"no token for `{scope}` is set, so nobody may do this", fix="start it with tokens")

    def allows(self, exchange: Request, scope: str) -> bool:
        """Whether `check` would pass."""
        try:
            self.check(exchange, scope)
        except HTTPError:
            return False
        return True


class RateLimiter:
    """At most so many requests per second from one client: a bucket of tokens for each, filled steadily."""

    def __init__(self, per_second: float | None) -> None:
        self._rate = per_second
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, exchange: Request) -> None:
        """Raise Wrong (429) if this client asks too fast. A second's worth may come at once."""
        if self._rate is None:
            return
        client = (exchange.scope.get("client") or ("", 0))[0]
        now, most = time.monotonic(), max(self._rate, 1.0)
        left, seen = self._buckets.pop(client, (most, now))
        left = min(most, left + (now - seen) * self._rate)
        self._buckets[client] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > _CLIENTS:
            self._buckets.popitem(last=False)
        if left < 1:
            wait = max(1, round((1 - left) / self._rate))
            raise HTTPError(429, f"more than {self._rate:g} requests per second", fix="ask more slowly", retry_s=wait)
