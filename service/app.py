"""The ASGI application: routes, guards and handlers."""

import asyncio
import logging
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Literal

import msgspec

from noria.predictions import SMOKE
from noria.predictions.spool.heartbeat import waiting_s
from noria.serving.http_errors import HTTPError
from noria.system.errors import NoriaError
from noria.traffic.smoke_key import is_smoke_key
from service import traffic_admin
from service.feedback import take_feedback
from service.http.connections import ConnectionLimits
from service.http.cross_site import SAFE, CrossSiteGuard
from service.http.guards import BearerTokens, RateLimiter
from service.http.log_limit import RepeatFilter
from service.http.messages import (
    JSON,
    BodyBudget,
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
from service.http.metrics import BACKLOG, BACKLOG_AGE, DROPPED, LABELS, READY, count_request, traffic_label
from service.http.openapi import DOCS_PAGE, STATIC_FILES, openapi
from service.label_cases import cases_to_label
from service.page import DOCS_HEADERS, respond
from service.prediction import table_requests
from service.prediction.explain import explain as explain_rows
from service.prediction.loaded_models import LoadedModels
from service.prediction.microbatching import MicroBatcher
from service.prediction.predict import PredictedRequest, Predictions, predict, score_shadows
from service.runtime import Runtime

PURPOSE = b"x-noria-purpose"
"""Header that marks the predictions of a deployment's smoke test (`smoke`)."""
SMOKE_KEY = b"x-noria-smoke-key"
"""Header that shows the right to mark them: the key of the deployment under way, or the token for `admin`."""
VARIANT = b"x-noria-variant"
"""Header that names the variant under test."""
_INLINE_BYTES = 12_800
"""A longer request, of some thirty rows, is answered in a thread: two of them can then use two cores."""
_RETRY_S = 1
_PROBES = frozenset({"/readyz", "/healthz", "/livez"})
"""Answered under any name: probes ask by an address, and learn nothing of models and data."""
_ARRIVING_BYTES = 256_000_000
"""Memory for large bodies that are still arriving; at least four of the longest."""
_REPEATS = RepeatFilter()
_LABEL_THREADS = 8
"""They mostly wait, for a flush or for the store."""
_NOSNIFF = "x-content-type-options"
"""A header that every response has."""
_MODEL_FACTS = (
    *("name", "version", "kind", "task", "target", "id", "case", "classes", "positive", "metric"),
    *("metrics", "metrics_from", "learned", "data_fingerprint", "created_at"),
)
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
    body: Literal["none", "json", "rows"] = "none"
    """What a request carries: nothing that is read, JSON, or JSON or a table."""
    places: str = "other"
    """Whose places it takes: requests of one kind never keep another kind waiting."""
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
        self.connections = ConnectionLimits()
        self._under_way: Counter[str] = Counter()
        self._micro_batcher = MicroBatcher()
        processors = len(os.sched_getaffinity(0))
        # a pool for each kind of work, so that none waits for another one
        self._row_threads = ThreadPoolExecutor(processors, "noria-rows")
        self._table_threads = ThreadPoolExecutor(processors, "noria-tables")
        self._explain_threads = ThreadPoolExecutor(processors, "noria-explain")
        self._label_threads = ThreadPoolExecutor(_LABEL_THREADS, "noria-labels")
        self._shadow_threads = ThreadPoolExecutor(processors, "noria-shadows")
        self._shadow_tasks: set[asyncio.Future[None]] = set()
        get, post = ("GET", "HEAD"), ("POST",)
        self.routes = {
            "/predict": Route(self.predict, post, "predict", "rows", "predict"),
            "/explain": Route(self.explain, post, "predict", "json", "explain"),
            "/feedback": Route(self.feedback, post, "feedback", "json", "feedback"),
            "/label/cases": Route(self.label_cases, get, "feedback", places="feedback"),
            "/model": Route(self.model, (*get, "POST"), "predict"),
            "/traffic": Route(self.traffic, (*get, "PUT"), "admin", "json", "admin"),
            "/policy": Route(self.policy, ("PUT",), "admin", "json", "admin"),
            "/openapi.json": Route(self.document, get, None),
            "/docs.json": Route(self.document, get, None),
            "/docs": Route(self.docs, get, None),
            "/readyz": Route(self.readyz, get, None, limited=False),
        }

    def started(self) -> None:
        """Set the limits, once the runtime has read them."""
        logging.getLogger("uvicorn.access").propagate = False  # its lines would be built and thrown away
        for name in ("uvicorn.error", logger.name):
            logging.getLogger(name).addFilter(_REPEATS)
        settings = self.runtime.settings
        limits = settings.limits
        self._tokens, self._rate_limiter = BearerTokens(settings.tokens), RateLimiter(limits.requests_per_second)
        self._max_concurrent, self._max_body_bytes = limits.max_concurrent, int(limits.max_body_mb * 1e6)
        self.connections.limits = limits
        self._arriving = BodyBudget(max(_ARRIVING_BYTES, 4 * self._max_body_bytes))
        serving = settings.serving
        self._cross_site = CrossSiteGuard(serving.hosts, serving.host, any_host=bool(settings.tokens))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or one of the server's own events."""
        if scope["type"] != "http":
            await self._delegate(scope, receive, send)
            return
        route = self.routes.get(scope["path"])
        if route is not None:
            await self._answer(route, Request(scope, receive), send)
        elif scope["path"] not in _PROBES and (refused := self._wrong_host(scope)) is not None:
            await send_response(send, refused, head=scope["method"] == "HEAD")
        else:
            await self._answer_other(scope, receive, send)

    async def predict(self, request: Request, began: float) -> Response:
        """POST /predict."""
        active, runtime = self.runtime.active, self.runtime
        body = await request.body(self._max_body_bytes)
        tested = self._tested_variant(active, request)
        if request.media_type in table_requests.MEDIA_TYPES:
            work = partial(table_requests.predict, request, body, active, runtime, began)
            answer, parts = await asyncio.get_running_loop().run_in_executor(self._table_threads, work)
            for part in parts if active.assigner.shadows else ():
                self._start_shadows(active, part)
            return answer
        if len(body) > _INLINE_BYTES:  # other requests must not wait for it
            rows_work = partial(self._read_and_predict, active, body, began, tested, request.is_test)
            done = await asyncio.get_running_loop().run_in_executor(self._row_threads, rows_work)
        else:
            rows = active.predictors[tested or 0].reader.read(body)
            if tested is None:
                await self._micro_batcher.score(active, rows)
            done = predict(active, rows, runtime.spool, began, tested=tested, is_test=request.is_test)
        if done.position is not None:
            await runtime.spool.durable(done.position)
        if active.assigner.shadows and tested is None:
            self._start_shadows(active, done)
        return Response(_encode_predictions(Predictions(done.predictions, done.rows.ignored)))

    def _read_and_predict(
        self, active: LoadedModels, body: bytes, began: float, tested: int | None, is_test: bool
    ) -> PredictedRequest:
        rows = active.predictors[tested or 0].reader.read(body)
        return predict(active, rows, self.runtime.spool, began, tested=tested, is_test=is_test)

    def _tested_variant(self, active: LoadedModels, request: Request) -> int | None:
        """The variant under test, by default the champion; None: the request is not a smoke test."""
        if request.headers.get(PURPOSE) != SMOKE.encode():
            return None
        key = request.headers.get(SMOKE_KEY, b"")
        if not (self._tokens.is_known(key, "admin") or is_smoke_key(self.runtime.settings.service_dir, key)):
            raise HTTPError(
                403,
                "only a deployment may send smoke tests",
                code="request.smoke_refused",
                fix="to try the service out, send the header X-Noria-Test: 1 instead",
            )
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

    async def explain(self, request: Request, _: float) -> Response:
        """POST /explain."""
        active = self.runtime.active
        body = await request.body(self._max_body_bytes)
        found = await asyncio.get_running_loop().run_in_executor(
            self._explain_threads, lambda: explain_rows(active, active.champion.reader.read(body))
        )
        return Response(found.model_dump_json().encode())

    async def feedback(self, request: Request, _: float) -> Response:
        """POST /feedback."""
        active = self.runtime.active
        body = await request.body(self._max_body_bytes)
        # read in the thread, too: large ones would hold up predictions
        work = partial(take_feedback, self.runtime, active, body, is_test=request.is_test)
        known = await asyncio.get_running_loop().run_in_executor(self._label_threads, work)
        for one in known:
            LABELS.labels({True: "True", False: "False", None: "later"}[one], traffic_label(request.is_test)).inc()
        return json_response({"known": known})

    async def label_cases(self, request: Request, _: float) -> Response:
        """GET /label/cases: the cases that people are asked to label."""
        work = partial(cases_to_label, self.runtime, self.runtime.active)
        return json_response(await asyncio.get_running_loop().run_in_executor(self._label_threads, work))

    async def model(self, request: Request, _: float) -> Response:
        """GET or POST /model."""
        active = self.runtime.active
        manifest = active.shown.model_dump(mode="json")
        facts = {name: manifest[name] for name in _MODEL_FACTS}
        facts |= {
            "variant": active.champion.name,
            "inputs": [column.model_dump(mode="json") for column in active.shown.schema_.asked],
            "active_since": active.since.isoformat(),
            "worker": os.getpid(),
            "examples": active.examples,
            "variants": [active.variant(place) for place in range(len(active.predictors))],
            "policy": active.champion.policy.model_dump(),
        }
        return json_response(facts)

    async def traffic(self, request: Request, _: float) -> Response:
        """GET and PUT /traffic: variants and their shares."""
        if request.method != "PUT":
            return json_response(traffic_admin.traffic(self.runtime.active))
        change = traffic_admin.decode_body(traffic_admin.SharesRequest, await request.body(self._max_body_bytes))
        return json_response(await asyncio.to_thread(traffic_admin.change_shares, self.runtime, change))

    async def policy(self, request: Request, _: float) -> Response:
        """PUT /policy: the decision policy of one variant."""
        change = traffic_admin.decode_body(traffic_admin.PolicyRequest, await request.body(self._max_body_bytes))
        return json_response(await asyncio.to_thread(traffic_admin.change_policy, self.runtime, change))

    async def document(self, request: Request, _: float) -> Response:
        """GET /openapi.json, and /docs.json where BentoML's page expects it."""
        active = self.runtime.active
        # rows are only shown to clients that may request predictions
        may_see = active.examples and self._tokens.allows(request, "predict")
        return json_response(openapi(active.shown, active.examples[0] if may_see else None, self.runtime.settings))

    async def docs(self, _: Request, __: float) -> Response:
        """GET /docs: the document as a page."""
        headers = [(name.encode(), value.encode()) for name, value in DOCS_HEADERS.items() if name != _NOSNIFF]
        return Response(DOCS_PAGE.encode(), media_type=b"text/html; charset=utf-8", headers=headers)

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
            count_request(request.path, answer.status, time.perf_counter() - began, request.is_test)
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
        places: str | None = None
        try:
            places = await self._admit(route, request)
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
            if places is not None:
                self._under_way[places] -= 1

    async def _admit(self, route: Route, request: Request) -> str:
        """Take a place for a request that may pass, once its body is there: one that sends none takes no place.

        Returns whose places it takes.
        """
        if route.limited:  # probes ask by any name, and as often as they like
            self._cross_site.check_host(request.headers)
            self._cross_site.check_site(request)
            self._rate_limiter.check(request)
        if route.scope is not None:
            if route.scope == "admin":
                self._tokens.require("admin")
            self._tokens.check(request, route.scope)
        if route.body != "none" and request.method not in SAFE:
            _check_media_type(route, request)
            await request.receive_body(self._max_body_bytes, self._arriving)
        places = route.places if request.media_type not in table_requests.MEDIA_TYPES else "tables"
        if route.limited and self._under_way[places] >= self._max_concurrent:
            raise HTTPError(
                503, "too many requests at once", code="service.busy", fix="try again in a moment", retry_s=_RETRY_S
            )
        self._under_way[places] += 1
        return places

    def _wrong_host(self, scope: Scope) -> Response | None:
        try:
            self._cross_site.check_host(dict(scope["headers"]))
        except HTTPError as error:
            return error_response(error)
        return None

    def _start_shadows(self, active: LoadedModels, done: PredictedRequest) -> None:
        if len(self._shadow_tasks) >= self._max_concurrent:
            return
        task = asyncio.get_running_loop().run_in_executor(
            self._shadow_threads, score_shadows, active, done, self.runtime.spool
        )
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
        elif path in {"/metrics", "/healthz", "/livez"} or path in STATIC_FILES:
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


def _check_media_type(route: Route, request: Request) -> None:
    """Raise HTTPError (415) unless the body is named as something that is read.

    Without this any web page could send one: a browser asks the service first only for types that forms cannot send.
    """
    if request.is_json or (route.body == "rows" and request.media_type in table_requests.MEDIA_TYPES):
        return
    kinds = [JSON, *sorted(table_requests.MEDIA_TYPES)] if route.body == "rows" else [JSON]
    named = request.media_type.decode("latin-1")
    raise HTTPError(
        415,
        f"{named[:80]} cannot be read" if named else "the request has no content type",
        code="request.media_type_unknown",
        fix=f"send it with the header Content-Type: {' or '.join(kind.decode() for kind in kinds)}",
    )
