"""A stand-in for the service that answers with a real bundle, and that can be told to fail."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
import pandas as pd
import uvicorn
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from noria.bundle import Bundle
from noria.serving.explanation import explain, explain_values, groups_of
from service import page

_BACKGROUND = 50


@dataclass
class StandIn:
    """What the page talks to, and what it has heard."""

    bundle: Bundle
    facts: dict[str, Any] = field(default_factory=dict)
    """Put over what `/model` would say."""
    explained_by: dict[str, str] = field(default_factory=dict)
    """What `/explain` says of who gives the reasons."""
    failures: dict[str, Response] = field(default_factory=dict)
    """Path → what is answered there in the place of the truth."""
    tokens: dict[str, str] = field(default_factory=dict)
    """Path → the token that it wants."""
    cases: list[dict[str, Any]] = field(default_factory=list)
    """Cases that wait for a label."""
    examples: list[dict[str, Any]] = field(default_factory=list)
    """Rows that the form is filled with."""
    heard: list[tuple[str, Any]] = field(default_factory=list)
    """(path, body) of every POST."""
    trials: list[tuple[str, bool]] = field(default_factory=list)
    """(path, whether it says that it does not count) of every POST."""
    url: str = ""

    def said(self, path: str) -> list[Any]:
        return [body for heard, body in self.heard if heard == path]

    def app(self) -> Starlette:
        routes = [
            Route("/model", self._model),
            Route("/label/cases", self._label_cases),
            *(Route(f"/{name}", self._post, methods=["POST"]) for name in ("predict", "explain", "feedback")),
            Route("/{rest:path}", _static),
        ]
        return Starlette(routes=routes)

    async def _model(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        manifest = self.bundle.manifest.model_dump(mode="json")
        manifest |= {"variant": "champion", "inputs": manifest["schema"]["columns"], "examples": self.examples}
        return JSONResponse(manifest | self.facts)

    async def _label_cases(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        facts = self.bundle.manifest.model_dump(mode="json", include={"name", "task", "target", "case", "classes"})
        return JSONResponse({"facts": facts, "cases": self.cases})

    async def _post(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        body = await request.json()
        self.heard.append((request.url.path, body))
        self.trials.append((request.url.path, request.headers.get("x-noria-test") == "1"))
        return getattr(self, f"_{request.url.path[1:]}")(body)

    def _refused(self, request: Request) -> Response | None:
        path = request.url.path
        wanted = self.tokens.get(path)
        if wanted is not None and request.headers.get("authorization") != f"Bearer {wanted}":
            return JSONResponse({"error": "a token is needed"}, 401, {"www-authenticate": "Bearer"})
        return self.failures.get(path)

    def _predict(self, body: Any) -> Response:
        table = self._table(body["rows"])
        problems = [{"row": row, "problem": error} for row, error in enumerate(table["error"]) if error]
        if problems:
            return JSONResponse(
                {"error": "1 of 1 row cannot be predicted, so none was", "fix": "", "rows": problems}, 422
            )
        version = self.facts.get("version", self.bundle.manifest.version)
        rows = [
            {
                "id": f"{next(_NUMBERS):032x}",
                "prediction": one["prediction"],
                "probability": None if math.isnan(one["probability"]) else one["probability"],
                "decision": one["decision"],
                "warnings": one["warning"].split("; ") if one["warning"] else [],
                "version": version,
                "variant": "champion",
            }
            for one in table.to_dict("records")
        ]
        return JSONResponse({"predictions": rows, "ignored": []})

    def _explain(self, body: Any) -> Response:
        answers = self._table(body["rows"]).to_dict("records")
        found = [self._explanation(row, answer) for row, answer in zip(body["rows"], answers, strict=True)]
        return JSONResponse({"explanations": found, "unit": "probability"})

    def _feedback(self, body: Any) -> Response:
        return JSONResponse({"known": [True for _ in body["labels"]]})

    def _table(self, rows: list[dict[str, Any]]) -> pd.DataFrame:
        return self.bundle.predict(pd.DataFrame(rows, dtype=object))

    def _explanation(self, row: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        fitted, manifest = self.bundle.fitted, self.bundle.manifest
        place = manifest.classes.index(answer["prediction"]) if manifest.task == "multiclass" else 0
        one = manifest.schema_.check(pd.DataFrame([row], dtype=object))
        others = manifest.schema_.check(self.bundle.reference().iloc[:_BACKGROUND])

        def column(scores: NDArray[np.float64]) -> NDArray[np.float64]:
            return scores[:, place] if scores.ndim == 2 else scores

        if fitted.rules is not None:
            rules = fitted.rules
            found = explain_values(
                lambda values, n: column(rules.scores(dict(values), n)), one.values, others.values, 0
            )
        else:
            assert fitted.pipeline is not None
            prepare = fitted.pipeline[0].transform

            def score(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
                return column(fitted.scores_prepared(prepare(matrix)))

            found = explain(score, one.matrix[0], others.matrix, groups_of(manifest.schema_), 0)
        shares = zip(manifest.schema_.names, found.contributions.tolist(), strict=True)
        contributions = [{"feature": name, "value": row[name], "contribution": share} for name, share in shares]
        contributions.sort(key=lambda one: -abs(one["contribution"]))
        probability = None if math.isnan(answer["probability"]) else answer["probability"]
        told = {"prediction": answer["prediction"], "probability": probability, "decision": answer["decision"]}
        score_ = found.baseline + float(found.contributions.sum())
        told |= self.explained_by
        return told | {"baseline": found.baseline, "score": score_, "contributions": contributions}


_NUMBERS = count(1)


async def _static(request: Request) -> Response:
    found = page.respond(request.url.path, request.headers.get("if-none-match", ""))
    if found is None:
        return JSONResponse({"error": "nothing is here"}, 404)
    return Response(found.body, found.status, found.headers)


@contextmanager
def standing(standin: StandIn) -> Iterator[StandIn]:
    """The stand-in on a free port."""
    server = uvicorn.Server(uvicorn.Config(standin.app(), host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the stand-in did not start"
        time.sleep(0.02)
    standin.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    yield standin
    server.should_exit = True
    thread.join(10)
