"""The addresses of the service: which request goes where, and what it is answered."""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import msgspec

from noria.predictions import SMOKE
from noria.predictions.spool.heartbeat import waiting_s
from noria.serving.http_errors import HTTPError
from noria.system.errors import NoriaError
from service import traffic_admin
from service.feedback import keep_labels, read_labels
from service.http.guards import BearerTokens, RateLimiter
from service.http.messages import (
    ClientDisconnected,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    error_response,
    json_response,
    send_response,
)
from service.http.metrics import BACKLOG, DROPPED, LABELS, READY, WAITS, count_request
from service.http.openapi import DOCS_PAGE, openapi
from service.page import respond
from service.prediction import table_requests
from service.prediction.explain import explain as explained
from service.prediction.loaded_models import LoadedModels
from service.prediction.microbatching import MicroBatcher
from service.prediction.predict import PredictedRequest, Predictions, predict, score_shadows
from service.runtime import Runtime

PURPOSE = b"x-noria-purpose"
"""Header by which a deployment's test says that nobody asked for its predictions (`smoke`)."""
VARIANT = b"x-noria-variant"
"""Header by which that test names the variant that it asks."""
_INLINE_BYTES = 12_800
"""A longer request, of some thirty rows, is answered in a thread: the trees of two such take two cores."""
_RETRY_S = 1
logger = logging.getLogger("noria.service")
Handler = Callable[[Request, float], Awaitable[Response]]
_predictions = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Route:
    """An address."""

    handler: Handler
    methods: tuple[str, ...]
    scope: str | None
    """What its token allows; None: everybody may."""
    limited: bool = True
    """Whether pace and number of requests are limited."""


class App:
    """The service as an ASGI application.

    What is answered a thousand times a second must not pass through a framework's layers; everything that is not
    listed here goes to `inner`, BentoML's own application.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.inner: Callable[[Scope, Receive, Send], Awaitable[None]] | None = None
        self._busy = 0
        self._together = MicroBatcher()
        self._aside = ThreadPoolExecutor(len(os.sched_getaffinity(0)), "noria-rows")
        self._shadows: set[asyncio.Future[None]] = set()
        get, post = ("GET", "HEAD"), ("POST",)
        self.routes = {
            "/predict": Route(self.predict, post, "predict"),
            "/explain": Route(self.explain, post, "predict"),
            "/feedback": Route(self.feedback, post, "feedback"),
            "/model": Route(self.model, (*get, "POST"), "predict"),
            "/traffic": Route(self.traffic, (*get, "PUT"), "admin"),
            "/policy": Route(self.policy, ("PUT",), "admin"),
            "/openapi.json": Route(self.document, get, None),
            "/docs.json": Route(self.document, get, None),
            "/docs": Route(self.docs, get, None),
            "/readyz": Route(self.readyz, get, None, limited=False),
        }

    def started(self) -> None:
        """Take over the limits, once the runtime has read them."""
        logging.getLogger("uvicorn.access").propagate = False  # the server would put a line together for nobody
        settings = self.runtime.settings
        limits = settings.limits
        self._tokens, self._pace = BearerTokens(settings.tokens), RateLimiter(limits.requests_per_second)
        self._most_busy, self._most_bytes = limits.max_concurrent, int(limits.max_body_mb * 1e6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or one of the server's own events."""
        if scope["type"] != "http":
            await self._pass_on(scope, receive, send)
            return
        route = self.routes.get(scope["path"])
        if route is not None:
            await self._answer(route, Request(scope, receive), send)
        else:
            await self._elsewhere(scope, receive, send)

    async def predict(self, exchange: Request, began: float) -> Response:
        """POST /predict."""
        active, runtime = self.runtime.active, self.runtime
        body = await exchange.body(self._most_bytes)
        tested = _tested(active, exchange)
        if table_requests.is_bulk(exchange):
            answer, parts = await asyncio.to_thread(table_requests.predict, exchange, body, active, runtime, began)
            for part in parts if active.assigner.shadows else ():
                self._follow_up(active, part)
            return answer
        if len(body) > _INLINE_BYTES:  # others must not wait for it
            aside = partial(self._predicted, active, body, began, tested)
            done = await asyncio.get_running_loop().run_in_executor(self._aside, aside)
        else:
            rows = active.predictors[tested or 0].reader.read(body)
            if tested is None:
                await self._together.score(active, rows)
            done = predict(active, rows, runtime.spool, began, tested=tested)
        if done.position is not None:
            await runtime.spool.durable(done.position)
        if active.assigner.shadows and tested is None:
            self._follow_up(active, done)
        return Response(_predictions(Predictions(done.predictions, done.rows.ignored)))

    def _predicted(self, active: LoadedModels, body: bytes, began: float, tested: int | None) -> PredictedRequest:
        rows = active.predictors[tested or 0].reader.read(body)
        return predict(active, rows, self.runtime.spool, began, tested=tested)

    async def explain(self, exchange: Request, _: float) -> Response:
        """POST /explain."""
        active = self.runtime.active
        body = await exchange.body(self._most_bytes)
        found = await asyncio.to_thread(lambda: explained(active, active.champion.reader.read(body)))
        return Response(found.model_dump_json().encode())

    async def feedback(self, exchange: Request, _: float) -> Response:
        """POST /feedback."""
        active = self.runtime.active
        body = await exchange.body(self._most_bytes)
        labels = read_labels(body, active.champion.manifest, self.runtime.settings.serving.max_rows)
        known = await asyncio.to_thread(keep_labels, self.runtime, active, labels)
        for one in known:
            LABELS.labels({True: "True", False: "False", None: "later"}[one]).inc()
        return json_response({"known": known})

    async def model(self, exchange: Request, _: float) -> Response:
        """GET or POST /model."""
        active = self.runtime.active
        manifest = active.champion.manifest.model_dump(mode="json")
        told = ("name", "version", "kind", "task", "target", "id", "case", "classes", "positive", "metric")
        facts = {name: manifest[name] for name in (*told, "metrics", "data_fingerprint", "created_at")}
        facts |= {
            "variant": active.champion.name,
            "inputs": manifest["schema"]["columns"],
            "active_since": active.since.isoformat(),
            "worker": os.getpid(),
            "examples": active.examples,
            "variants": [active.variant(place) for place in range(len(active.predictors))],
            "policy": active.champion.policy.model_dump(),
        }
        return json_response(facts)

    async def traffic(self, exchange: Request, _: float) -> Response:
        """GET and PUT /traffic: who answers what."""
        self._tokens.require("admin")
        if exchange.method != "PUT":
            return json_response(traffic_admin.traffic(self.runtime.active))
        wish = traffic_admin.read(traffic_admin.SharesRequest, await exchange.body(self._most_bytes))
        return json_response(await asyncio.to_thread(traffic_admin.change_shares, self.runtime, wish))

    async def policy(self, exchange: Request, _: float) -> Response:
        """PUT /policy: how one variant decides."""
        self._tokens.require("admin")
        wish = traffic_admin.read(traffic_admin.PolicyRequest, await exchange.body(self._most_bytes))
        return json_response(await asyncio.to_thread(traffic_admin.change_policy, self.runtime, wish))

    async def document(self, exchange: Request, _: float) -> Response:
        """GET /openapi.json, and /docs.json where BentoML's page looks for it."""
        active = self.runtime.active
        # real rows are shown to those alone who may ask for predictions
        example = active.examples[0] if self._tokens.allows(exchange, "predict") else None
        return json_response(openapi(active.champion.manifest, example, self.runtime.settings))

    async def docs(self, _: Request, __: float) -> Response:
        """GET /docs: the document for people."""
        return Response(DOCS_PAGE.encode(), media_type=b"text/html; charset=utf-8")

    async def readyz(self, _: Request, __: float) -> Response:
        """GET /readyz: whether answers are given and kept."""
        problem = self.runtime.not_ready
        if problem:
            raise HTTPError(503, problem, fix="see the service's log", retry_s=_RETRY_S)
        return Response(b'{"ready":true}')

    async def _answer(self, route: Route, exchange: Request, send: Send) -> None:
        began = time.perf_counter()
        try:
            answer = await self._guarded(route, exchange, began)
        except ClientDisconnected:
            return
        if route.limited:  # nobody asked for what probes ask for
            count_request(exchange.path, answer.status, time.perf_counter() - began)
        await send_response(send, answer, head=exchange.method == "HEAD")

    async def _guarded(self, route: Route, exchange: Request, began: float) -> Response:
        if exchange.method not in route.methods:
            wrong = HTTPError(405, f"{exchange.method[:20]} is no method of this address", fix="see /openapi.json")
            answer = error_response(wrong)
            answer.headers.append((b"allow", ", ".join(route.methods).encode()))
            return answer
        if route.limited and self._busy >= self._most_busy:
            return error_response(
                HTTPError(503, "too many requests at once", fix="try again in a moment", retry_s=_RETRY_S)
            )
        self._busy += 1
        try:
            if route.limited:
                self._pace.check(exchange)
            if route.scope is not None:
                self._tokens.check(exchange, route.scope)
            return await route.handler(exchange, began)
        except HTTPError as wrong:
            return error_response(wrong)
        except NoriaError as error:
            logger.error("%s %s: %s", exchange.method, exchange.path, error)
            sorry = "the service cannot do this at the moment"
            return error_response(HTTPError(503, sorry, fix="try later", retry_s=_RETRY_S))
        except ClientDisconnected:
            raise
        except Exception:
            logger.exception("%s %s", exchange.method, exchange.path)
            return error_response(HTTPError(500, "an unexpected error; the service's log tells more"))
        finally:
            self._busy -= 1

    def _follow_up(self, active: LoadedModels, done: PredictedRequest) -> None:
        if len(self._shadows) >= self._most_busy:
            return
        task = asyncio.get_running_loop().run_in_executor(None, score_shadows, active, done, self.runtime.spool)
        self._shadows.add(task)
        task.add_done_callback(self._shadows.discard)

    async def _elsewhere(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        headers = dict(scope["headers"])
        page = respond(path, headers.get(b"if-none-match", b"").decode("latin-1"))
        if page is not None and scope["method"] in {"GET", "HEAD"}:
            sent = [(name.encode(), value.encode()) for name, value in page.headers.items()]
            await send({"type": "http.response.start", "status": page.status, "headers": sent})
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else page.body})
        elif path in {"/metrics", "/healthz", "/livez"} or path.startswith("/static_content/"):
            self._measure()
            await self._pass_on(scope, receive, send)
        else:
            answer = error_response(HTTPError(404, "there is nothing at this address", fix="see /openapi.json"))
            await send_response(send, answer, head=scope["method"] == "HEAD")

    def _measure(self) -> None:
        spool = self.runtime.spool
        BACKLOG.set(spool.backlog_bytes)
        WAITS.set(waiting_s(self.runtime.settings.spool_dir, time.time()))
        DROPPED.set(spool.dropped)
        READY.set(0 if self.runtime.not_ready else 1)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.inner is not None  # noqa: S101 - set before the server starts
        await self.inner(scope, receive, send)


def _tested(active: LoadedModels, exchange: Request) -> int | None:
    """The variant that a deployment's test asks, the champion unless it names another; None: it is no test."""
    if exchange.headers.get(PURPOSE) != SMOKE.encode():
        return None
    name = exchange.headers.get(VARIANT, b"").decode("latin-1")
    names = [predictor.name for predictor in active.predictors]
    if name and name not in names:
        raise HTTPError(422, "no variant of that name answers", fix=f"name one of {', '.join(names)}")
    return names.index(name) if name else 0
