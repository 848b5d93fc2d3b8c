"""The HTTP side: which request goes where, and what it is answered."""

import logging
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from noria.api import FeedbackRequest, FeedbackResponse, ModelFacts, PredictRequest, PredictResponse, Refusal
from noria.errors import NoriaError
from noria.predictions import SMOKE
from service.document import INDEX_PAGE, openapi
from service.metrics import LABELS, REQUESTS, count_predictions
from service.reading import body_of, parsed
from service.refused import Refused
from service.runtime import Runtime

MAX_ROWS = "NORIA_MAX_ROWS"
PURPOSE = "x-noria-purpose"
"""Header by which a deployment's test says that nobody asked for its predictions (`smoke`)."""

Endpoint = Callable[[Request], Awaitable[Response]]
logger = logging.getLogger("noria.service")
runtime = Runtime()


def answered(endpoint: Endpoint) -> Endpoint:
    """Count the endpoint's requests and answer its errors; nothing of the inside is told."""

    async def guarded(request: Request) -> Response:
        response = await _guarded(endpoint, request)
        REQUESTS.labels(request.url.path, response.status_code).inc()
        return response

    return guarded


async def predict(request: Request) -> Response:
    """POST /predict."""
    began = time.perf_counter()
    max_rows = int(os.environ.get(MAX_ROWS, "1000"))
    body = await body_of(request, max_rows)
    smoke = request.headers.get(PURPOSE) == SMOKE
    return _json(await run_in_threadpool(_predict, body, max_rows, began, smoke=smoke))


async def feedback(request: Request) -> Response:
    """POST /feedback."""
    max_rows = int(os.environ.get(MAX_ROWS, "1000"))
    body = await body_of(request, max_rows)
    return _json(await run_in_threadpool(_feedback, body, max_rows))


async def model(_: Request) -> Response:
    """GET or POST /model."""
    active = runtime.active
    manifest = active.bundle.manifest.model_dump(mode="json")
    return _json(
        ModelFacts(
            **{name: manifest[name] for name in ModelFacts.model_fields if name in manifest},
            variant=active.variant,
            inputs=manifest["schema"]["columns"],
            active_since=active.since.isoformat(),
            worker=os.getpid(),
        )
    )


async def document(_: Request) -> Response:
    """GET /openapi.json, and /docs.json where BentoML's page looks for it."""
    active = runtime.active
    return JSONResponse(openapi(active.bundle.manifest, active.example))


async def index(_: Request) -> Response:
    """GET /: the document for people. It replaces BentoML's own page, which loads a tracker."""
    return HTMLResponse(INDEX_PAGE)


def _predict(body: bytes, max_rows: int, began: float, *, smoke: bool) -> PredictResponse:
    from service.predict import predict

    request = parsed(PredictRequest, body)
    _refuse_many(len(request.rows), max_rows, "rows")
    active = replace(runtime.active, variant=SMOKE) if smoke else runtime.active
    response = predict(active, request.rows, runtime.store, began)
    count_predictions(response)
    return response


def _feedback(body: bytes, max_rows: int) -> FeedbackResponse:
    from service.predict import feedback

    request = parsed(FeedbackRequest, body)
    _refuse_many(len(request.labels), max_rows, "labels")
    response = feedback(runtime.active, request, runtime.store)
    for known in response.known:
        LABELS.labels(known).inc()
    return response


async def wrong_method(request: Request, error: Exception) -> Response:
    """405, in the words of every other error."""
    said = f"{request.method} is no method of this address"
    response = _json(Refusal(error=said, fix="see /openapi.json for those that are"), 405)
    response.headers.update(getattr(error, "headers", None) or {})
    return response


def _refuse_many(sent: int, allowed: int, what: str) -> None:
    if sent > allowed:
        raise Refused(413, f"{sent} {what} in one request; at most {allowed}", fix="send them in several requests")


async def _guarded(endpoint: Endpoint, request: Request) -> Response:
    try:
        return await endpoint(request)
    except Refused as refused:
        return _json(refused.body, refused.status)
    except ClientDisconnect:
        return Response(status_code=400)
    except NoriaError as error:
        logger.error("%s %s: %s", request.method, request.url.path, error)
        sorry = Refusal(error="the service cannot record its answers at the moment, so it gives none", fix="try later")
        return _json(sorry, 503)
    except Exception:
        logger.exception("%s %s", request.method, request.url.path)
        return _json(Refusal(error="an unexpected error; the service's log tells more"), 500)


def _json(body: BaseModel, status: int = 200) -> Response:
    return Response(body.model_dump_json(), status, media_type="application/json")


app = Starlette(
    routes=[
        Route("/predict", answered(predict), methods=["POST"]),
        Route("/feedback", answered(feedback), methods=["POST"]),
        Route("/model", answered(model), methods=["GET", "POST"]),
        Route("/openapi.json", answered(document)),
        Route("/docs.json", answered(document)),
        Route("/", index),
    ],
    exception_handlers={405: wrong_method},
)
