"""Guards: bearer tokens and a rate limit."""

import hmac
import time
from collections import OrderedDict

from noria.serving.http_errors import HTTPError
from service.http.messages import Request

_CLIENTS = 10_000
"""Clients whose rate is tracked; the least recently seen is dropped first."""


class BearerTokens:
    """Bearer tokens (RFC 6750), one for each scope."""

    def __init__(self, tokens: dict[str, str]) -> None:
        self._tokens = {scope: token.encode() for scope, token in tokens.items()}

    def check(self, request: Request, scope: str) -> None:
        """Raise HTTPError unless the request has the token for `scope`: 401 without a token, 403 with another one."""
        wanted = self._tokens.get(scope)
        if wanted is None:
            return
        kind, _, given = request.headers.get(b"authorization", b"").partition(b" ")
        if kind.lower() != b"bearer" or not given:
            raise HTTPError(
                401,
                f"this needs the token for `{scope}`",
                code="request.token_missing",
                fix="send it in a header: Authorization: Bearer TOKEN",
            )
        # all are compared, so that the time reveals nothing about partial matches
        matches = {name: hmac.compare_digest(given.strip(), token) for name, token in self._tokens.items()}
        if not matches[scope]:
            known = any(matches.values())
            error = f"this token is not the one for `{scope}`" if known else "this token is not known"
            raise HTTPError(
                403 if known else 401, error, code="request.token_refused", fix=f"send the token for `{scope}`"
            )

    def require(self, scope: str) -> None:
        """Raise HTTPError (403) if no token is set for `scope`, because it is never open."""
        if scope not in self._tokens:
            raise HTTPError(
                403,
                f"no token for `{scope}` is set, so it is disabled",
                code="request.token_not_set",
                fix="start it with tokens",
            )

    def allows(self, request: Request, scope: str) -> bool:
        """Whether `check` would pass."""
        try:
            self.check(request, scope)
        except HTTPError:
            return False
        return True


class RateLimiter:
    """Limits the requests per second of each client, with a token bucket."""

    def __init__(self, per_second: float | None) -> None:
        self._rate = per_second
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, request: Request) -> None:
        """Raise HTTPError (429) if this client exceeds the rate. Bursts of one second's worth are allowed."""
        if self._rate is None:
            return
        client = (request.scope.get("client") or ("", 0))[0]
        now, most = time.monotonic(), max(self._rate, 1.0)
        left, seen = self._buckets.pop(client, (most, now))
        left = min(most, left + (now - seen) * self._rate)
        self._buckets[client] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > _CLIENTS:
            self._buckets.popitem(last=False)
        if left < 1:
            wait = max(1, round((1 - left) / self._rate))
            raise HTTPError(
                429,
                f"more than {self._rate:g} requests per second",
                code="request.rate_exceeded",
                fix="send fewer requests",
                retry_s=wait,
            )
