"""Guards: bearer tokens, a limit on guesses, and a rate limit."""

import hmac
import time
from collections import OrderedDict

from noria.serving.http_errors import HTTPError
from service.http.messages import Request

_CLIENTS = 10_000
"""Clients whose rate is tracked; the least recently seen is dropped first."""
_GUESSES = 10.0
"""Unknown tokens that a client may send at once, from a forgotten one to a typing error."""
_GUESSES_PER_S = 0.2
_ALL_GUESSES, _ALL_GUESSES_PER_S = 200.0, 20.0
"""The same for all clients together: behind a proxy on this machine a client may claim any address."""


class Buckets:
    """Token buckets, one for each client.

    Args:
        per_second: what a client gains per second.
        most: what it has at first, and at most.
    """

    def __init__(self, per_second: float, most: float) -> None:
        self._rate, self._most = per_second, most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> int:
        """Take one; 0: there was one. Otherwise the seconds until there is, at least 1."""
        now = time.monotonic()
        left, seen = self._buckets.pop(client, (self._most, now))
        left = min(self._most, left + (now - seen) * self._rate)
        self._buckets[client] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > _CLIENTS:
            self._buckets.popitem(last=False)
        return 0 if left >= 1 else max(1, round((1 - left) / self._rate))


class BearerTokens:
    """Bearer tokens (RFC 6750), one for each scope."""

    def __init__(self, tokens: dict[str, str]) -> None:
        self._tokens = {scope: token.encode() for scope, token in tokens.items()}
        self._guesses = Buckets(_GUESSES_PER_S, _GUESSES)
        self._all_guesses = Buckets(_ALL_GUESSES_PER_S, _ALL_GUESSES)

    def check(self, request: Request, scope: str) -> None:
        """Raise HTTPError unless the request has the token for `scope`: 401 without a token, 403 with another one.

        A client that sends many unknown tokens gets 429. A known token is never delayed by what others send.
        """
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
            if any(matches.values()):
                raise HTTPError(
                    403,
                    f"this token is not the one for `{scope}`",
                    code="request.token_refused",
                    fix=f"send the token for `{scope}`",
                )
            self._count_guess(request)
            raise HTTPError(
                401, "this token is not known", code="request.token_refused", fix=f"send the token for `{scope}`"
            )

    def _count_guess(self, request: Request) -> None:
        wait = self._guesses.take(_client(request)) or self._all_guesses.take("")
        if wait:
            raise HTTPError(
                429,
                "too many unknown tokens",
                code="request.token_guesses",
                fix="send the right token, which is answered at any time",
                retry_s=wait,
            )

    def is_known(self, token: bytes, scope: str) -> bool:
        """Whether this is the token for `scope`; False if none is set."""
        wanted = self._tokens.get(scope)
        return wanted is not None and hmac.compare_digest(token, wanted)

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
    """Limits the requests per second of each client."""

    def __init__(self, per_second: float | None) -> None:
        self._rate = per_second
        self._buckets = None if per_second is None else Buckets(per_second, max(per_second, 1.0))

    def check(self, request: Request) -> None:
        """Raise HTTPError (429) if this client exceeds the rate. Bursts of one second's worth are allowed."""
        wait = 0 if self._buckets is None else self._buckets.take(_client(request))
        if wait:
            raise HTTPError(
                429,
                f"more than {self._rate:g} requests per second",
                code="request.rate_exceeded",
                fix="send fewer requests",
                retry_s=wait,
            )


def _client(request: Request) -> str:
    """The client's address."""
    client: tuple[str, int] = request.scope.get("client") or ("", 0)
    return client[0]
