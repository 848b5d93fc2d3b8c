"""The ASGI application: routes, guards and handlers."""

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
from service.feedback import read_labels, store_feedback
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
from service.http.metrics import BACKLOG, BACKLOG_AGE, DROPPED, LABELS, READY, count_request
from service.http.openapi import DOCS_PAGE, openapi
from service.page import respond
from service.prediction import table_requests
from service.prediction.explain import explain as explain_rows
from service.prediction.loaded_models import LoadedModels
from service.prediction.microbatching import MicroBatcher
from service.prediction.predict import PredictedRequest, Predictions, predict, score_shadows
from service.runtime import Runtime

PURPOSE = b"x-noria-purpose"
"""Header that marks the predictions of a deployment's smoke test (`smoke`)."""
VARIANT = b"x-noria-variant"
"""Header that names the variant under test."""
_INLINE_BYTES = 12_800
"""A longer request, of some thirty rows, is answered in a thread: two of them can then use two cores."""
_RETRY_S = 1
logger = logging.getLogger("noria.service")
Handler = Callable[[Request, float], Awaitable[Response]]
_encode_predictions = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Route:
    """A route of the service."""

    handler: Handler
    methods: tuple[str, ...]
    scope: str | None
    """The scope of the token that it needs; None: it needs none."""
    limited: bool = True
    """Whether rate and number of requests are limited."""


class App:
    """The service as an ASGI application.

    Frequent requests must not pass through a framework's layers; everything that is not a route here goes to `inner`,
    BentoML's own application.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.inner: Callable[[Scope, Receive, Send], Awaitable[None]] | None = None
        self._requests_under_way = 0
        self._micro_batcher = MicroBatcher()
        self._row_threads = ThreadPoolExecutor(len(os.sched_getaffinity(0)), "noria-rows")
        self._shadow_tasks: set[asyncio.Future[None]] = set()
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
        """Set the limits, once the runtime has read them."""
        logging.getLogger("uvicorn.access").propagate = False  # its lines would be built and thrown away
        settings = self.runtime.settings
        limits = settings.limits
        self._tokens, self._rate_limiter = BearerTokens(settings.tokens), RateLimiter(limits.requests_per_second)
        self._max_concurrent, self._max_body_bytes = limits.max_concurrent, int(limits.max_body_mb * 1e6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or one of the server's own events."""
        if scope["type"] != "http":
            await self._delegate(scope, receive, send)
            return
        route = self.routes.get(scope["path"])
        if route is not None:
            await self._answer(route, Request(scope, receive), send)
        else:
            await self._answer_other(scope, receive, send)

    async def predict(self, request: Request, began: float) -> Response:
        """POST /predict."""
        active, runtime = self.runtime.active, self.runtime
        body = await request.body(self._max_body_bytes)
        tested = _tested_variant(active, request)
        if table_requests.is_bulk(request):
            answer, parts = await asyncio.to_thread(table_requests.predict, request, body, active, runtime, began)
            for part in parts if active.assigner.shadows else ():
                self._start_shadows(active, part)
            return answer
        if len(body) > _INLINE_BYTES:  # other requests must not wait for it
            work = partial(self._read_and_predict, active, body, began, tested)
            done = await asyncio.get_running_loop().run_in_executor(self._row_threads, work)
        else:
            rows = active.predictors[tested or 0].reader.read(body)
            if tested is None:
                await self._micro_batcher.score(active, rows)
            done = predict(active, rows, runtime.spool, began, tested=tested)
        if done.position is not None:
            await runtime.spool.durable(done.position)
        if active.assigner.shadows and tested is None:
            self._start_shadows(active, done)
        return Response(_encode_predictions(Predictions(done.predictions, done.rows.ignored)))

    def _read_and_predict(
        self, active: LoadedModels, body: bytes, began: float, tested: int | None
    ) -> PredictedRequest:
        rows = active.predictors[tested or 0].reader.read(body)
        return predict(active, rows, self.runtime.spool, began, tested=tested)

    async def explain(self, request: Request, _: float) -> Response:
        """POST /explain."""
        active = self.runtime.active
        body = await request.body(self._max_body_bytes)
        found = await asyncio.to_thread(lambda: explain_rows(active, active.champion.reader.read(body)))
        return Response(found.model_dump_json().encode())

    async def feedback(self, request: Request, _: float) -> Response:
        """POST /feedback."""
        active = self.runtime.active
        body = await request.body(self._max_body_bytes)
        labels = read_labels(body, active.champion.manifest, self.runtime.settings.serving.max_rows)
        known = await asyncio.to_thread(store_feedback, self.runtime, active, labels)
        for one in known:
            LABELS.labels({True: "True", False: "False", None: "later"}[one]).inc()
        return json_response({"known": known})

    async def model(self, request: Request, _: float) -> Response:
        """GET or POST /model."""
        active = self.runtime.active
        manifest = active.champion.manifest.model_dump(mode="json")
        names = ("name", "version", "kind", "task", "target", "id", "case", "classes", "positive", "metric")
        facts = {name: manifest[name] for name in (*names, "metrics", "data_fingerprint", "created_at")}
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

    async def traffic(self, request: Request, _: float) -> Response:
        """GET and PUT /traffic: variants and their shares."""
        self._tokens.require("admin")
        if request.method != "PUT":
            return json_response(traffic_admin.traffic(self.runtime.active))
        change = traffic_admin.decode_body(traffic_admin.SharesRequest, await request.body(self._max_body_bytes))
        return json_response(await asyncio.to_thread(traffic_admin.change_shares, self.runtime, change))

    async def policy(self, request: Request, _: float) -> Response:
        """PUT /policy: the decision policy of one variant."""
        self._tokens.require("admin")
        change = traffic_admin.decode_body(traffic_admin.PolicyRequest, await request.body(self._max_body_bytes))
        return json_response(await asyncio.to_thread(traffic_admin.change_policy, self.runtime, change))

    async def document(self, request: Request, _: float) -> Response:
        """GET /openapi.json, and /docs.json where BentoML's page expects it."""
        active = self.runtime.active
        # real rows are only shown to clients that may request predictions
        example = active.examples[0] if self._tokens.allows(request, "predict") else None
        return json_response(openapi(active.champion.manifest, example, self.runtime.settings))

    async def docs(self, _: Request, __: float) -> Response:
        """GET /docs: the document as a page."""
        return Response(DOCS_PAGE.encode(), media_type=b"text/html; charset=utf-8")

    async def readyz(self, _: Request, __: float) -> Response:
        """GET /readyz: whether predictions are made and recorded."""
        problem = self.runtime.not_ready
        if problem:
            raise HTTPError(503, problem, code="service.not_ready", fix="see the service's log", retry_s=_RETRY_S)
        return Response(b'{"ready":true}')

    async def _answer(self, route: Route, request: Request, send: Send) -> None:
        began = time.perf_counter()
        try:
            answer = await self._guarded(route, request, began)
        except ClientDisconnected:
            return
        if route.limited:  # probes are not counted
            count_request(request.path, answer.status, time.perf_counter() - began)
        await send_response(send, answer, head=request.method == "HEAD")

    async def _guarded(self, route: Route, request: Request, began: float) -> Response:
        if request.method not in route.methods:
            error = HTTPError(
                405,
                f"{request.method[:20]} is not a method of this address",
                code="request.method_not_allowed",
                fix="see /openapi.json",
            )
            answer = error_response(error)
            answer.headers.append((b"allow", ", ".join(route.methods).encode()))
            return answer
        if route.limited and self._requests_under_way >= self._max_concurrent:
            return error_response(
                HTTPError(
                    503, "too many requests at once", code="service.busy", fix="try again in a moment", retry_s=_RETRY_S
                )
            )
        self._requests_under_way += 1
        try:
            if route.limited:
                self._rate_limiter.check(request)
            if route.scope is not None:
                self._tokens.check(request, route.scope)
            return await route.handler(request, began)
        except HTTPError as error:
            return error_response(error)
        except NoriaError as error:
            logger.error("%s %s: %s", request.method, request.path, error)
            what = "the service cannot do this at the moment"
            return error_response(HTTPError(503, what, code="service.failed", fix="try later", retry_s=_RETRY_S))
        except ClientDisconnected:
            raise
        except Exception:
            logger.exception("%s %s", request.method, request.path)
            return error_response(HTTPError(500, "an unexpected error; see the service's log", code="service.failed"))
        finally:
            self._requests_under_way -= 1

    def _start_shadows(self, active: LoadedModels, done: PredictedRequest) -> None:
        if len(self._shadow_tasks) >= self._max_concurrent:
            return
        task = asyncio.get_running_loop().run_in_executor(None, score_shadows, active, done, self.runtime.spool)
        self._shadow_tasks.add(task)
        task.add_done_callback(self._shadow_tasks.discard)

    async def _answer_other(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        headers = dict(scope["headers"])
        page = respond(path, headers.get(b"if-none-match", b"").decode("latin-1"))
        if page is not None and scope["method"] in {"GET", "HEAD"}:
            sent = [(name.encode(), value.encode()) for name, value in page.headers.items()]
            await send({"type": "http.response.start", "status": page.status, "headers": sent})
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else page.body})
        elif path in {"/metrics", "/healthz", "/livez"} or path.startswith("/static_content/"):
            self._update_gauges()
            await self._delegate(scope, receive, send)
        else:
            answer = error_response(
                HTTPError(
                    404, "there is nothing at this address", code="request.address_unknown", fix="see /openapi.json"
                )
            )
            await send_response(send, answer, head=scope["method"] == "HEAD")

    def _update_gauges(self) -> None:
        spool = self.runtime.spool
        BACKLOG.set(spool.backlog_bytes)
        BACKLOG_AGE.set(waiting_s(self.runtime.settings.spool_dir, time.time()))
        DROPPED.set(spool.dropped)
        READY.set(0 if self.runtime.not_ready else 1)

    async def _delegate(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.inner is not None  # noqa: S101 - set before the server starts
        await self.inner(scope, receive, send)


def _tested_variant(active: LoadedModels, request: Request) -> int | None:
    """The variant under test, by default the champion; None: the request is not a smoke test."""
    if request.headers.get(PURPOSE) != SMOKE.encode():
        return None
    name = request.headers.get(VARIANT, b"").decode("latin-1")
    names = [predictor.name for predictor in active.predictors]
    if name and name not in names:
        raise HTTPError(
            422,
            "no variant of that name answers",
            code="traffic.variant_unknown",
            fix=f"name one of {', '.join(names)}",
        )
    return names.index(name) if name else 0
