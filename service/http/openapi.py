"""The OpenAPI document of the service, with the model's own columns and an example row."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from noria.serving.api import (
    LONGEST_ENTITY,
    ErrorResponse,
    ExplainResponse,
    FeedbackRequest,
    FeedbackResponse,
    ModelResponse,
    PredictRequest,
    PredictResponse,
    Row,
)
from noria.serving.event_time import EventClock

if TYPE_CHECKING:
    from noria.bundle.manifest import Manifest
    from noria.schema import Column
    from service.settings import Settings

_REF = "#/components/schemas/"
_MODELS: list[type[BaseModel]] = [
    ExplainResponse,
    FeedbackRequest,
    FeedbackResponse,
    ModelResponse,
    PredictRequest,
    PredictResponse,
    ErrorResponse,
]
_DESCRIPTIONS = {
    400: "The body cannot be read",
    401: "A token is required",
    403: "Another token is required, or a web page of another site sent this",
    408: "The request did not arrive in time",
    409: "Nothing can be changed here",
    413: "The request is too large",
    415: "The body's type or encoding is not named or not known",
    421: "Without tokens the service is not asked under this name",
    422: "Rows or fields are wrong; each is named",
    429: "Too many requests or unknown tokens in a short time",
    431: "Address and headers are too long",
    503: "The service is temporarily unavailable",
}
_ERRORS = (401, 403, 408, 421, 429, 431, 503)
_BODY_ERRORS = (400, *_ERRORS, 413, 415, 422)
_REQUEST = {"Explain": "Predict"}
_TEST = {
    "name": "X-Noria-Test",
    "in": "header",
    "description": "`1`: the service is only tried out; the request is answered, and counts nowhere",
    "schema": {"type": "string", "maxLength": 10},
}
_RETRY = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}}

STATIC_FILES = frozenset({"/static_content/swagger-ui.css", "/static_content/swagger-ui-bundle.js"})
"""What the page needs; BentoML counts every other address that it is asked for, so these are all that reach it."""
DOCS_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Prediction service: the interface</title>
<link rel="icon" href="./page/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="./static_content/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="./static_content/swagger-ui-bundle.js"></script>
<script src="./page/docs.js"></script>
</body>
</html>
"""


def openapi(manifest: "Manifest", example: Row | None, settings: "Settings") -> dict[str, Any]:
    """OpenAPI 3.1 of the service as it answers with this model.

    Args:
        manifest: the champion's.
        example: a row that it can predict; None: the client may not see one.
        settings: limits, and whether tokens are needed.
    """
    _, definitions = models_json_schema([(model, "validation") for model in _MODELS], ref_template=_REF + "{model}")
    schemas = definitions["$defs"]
    schemas["Row"] = _row(manifest, settings)
    _narrow(schemas, manifest, settings)
    case = _object({"id": {"type": "string"}, "reason": {"type": "string"}, "inputs": {"type": "object"}}, ["id"])
    schemas["LabelCases"] = _object({"facts": {"type": "object"}, "cases": {"type": "array", "items": case}}, ["cases"])
    rows = None if example is None else {"rows": [example]}
    label = {"id": "0" * 32, "label": manifest.classes[-1] if manifest.classes else 0.0}
    secured = bool(settings.tokens)
    paths = {
        "/predict": {"post": _post("Predict rows", "predict", "Predict", rows, secured=secured)},
        "/explain": {"post": _post("Explain at most 10 rows", "explain", "Explain", rows, secured=secured)},
        "/feedback": {"post": _post("Send true labels", "feedback", "Feedback", {"labels": [label]}, secured=secured)},
        "/label/cases": {"get": _get("Cases that wait for a label", "labelCases", "LabelCases", secured=secured)},
        "/model": {"get": _get("Which models answer", "model", "ModelResponse", secured=secured)},
        "/healthz": {"get": _probe("The process is alive", "healthz")},
        "/readyz": {"get": _probe("Predictions are made and recorded", "readyz", unready=True)},
        "/metrics": {"get": _probe("Metrics for Prometheus", "metrics")},
    }
    components: dict[str, Any] = {"schemas": schemas}
    if secured:
        paths |= _admin(schemas)
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    description = f"Predicts `{manifest.target}` of one {manifest.case} or many ({manifest.kind})."
    info = {"title": manifest.name, "version": manifest.version, "description": description}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": components}


def _admin(schemas: dict[str, Any]) -> dict[str, Any]:
    """The paths that always need a token."""
    share = {"type": "number", "minimum": 0, "maximum": 1}
    shares = {"type": "object", "additionalProperties": share}
    schemas["TrafficRequest"] = _object({"shares": shares}, ["shares"])
    policy = {"type": "object", "additionalProperties": {"type": "number"}}
    schemas["PolicyRequest"] = _object({"policy": policy, "variant": {"type": "string"}}, ["policy"])
    text = {"type": "string"}
    schemas["Changed"] = _object({"serial": text, "now": text, "before": text}, ["serial", "now", "before"])
    variants = {"type": "array", "items": {"type": "object"}}
    schemas["Traffic"] = _object({"variants": variants, "canary": {"type": ["object", "null"]}}, ["variants", "canary"])
    put = {"requestBody": _json_body("TrafficRequest"), "responses": _responses("Changed", (*_BODY_ERRORS, 409))}
    decide = {"requestBody": _json_body("PolicyRequest"), "responses": _responses("Changed", (*_BODY_ERRORS, 409))}
    return {
        "/traffic": {
            "get": _get("Variants and their shares", "traffic", "Traffic", secured=True),
            "put": {"summary": "Change shares", "operationId": "setTraffic", **put, **_security(True)},
        },
        "/policy": {"put": {"summary": "Change a policy", "operationId": "setPolicy", **decide, **_security(True)}},
    }


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _json_body(name: str) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": {"$ref": _REF + name}}}}


def _narrow(schemas: dict[str, Any], manifest: "Manifest", settings: "Settings") -> None:
    """Constraints of this model that are narrower than the types."""
    rows = schemas["PredictRequest"]["properties"]["rows"]
    rows["items"] = {"$ref": _REF + "Row"}
    rows["maxItems"] = settings.serving.max_rows
    label = schemas["TrueLabel"]
    label["properties"]["label"] = {"enum": manifest.classes} if manifest.classes else {"type": "number"}
    label["oneOf"] = [{"required": ["id"]}, {"required": ["entity"]}]
    for name in ("id", "entity", "by"):  # given or left out, but not null
        variants = [kind for kind in label["properties"][name]["anyOf"] if kind != {"type": "null"}]
        label["properties"][name] = variants[0] if len(variants) == 1 else {"anyOf": variants}
    schemas["FeedbackRequest"]["properties"]["labels"]["maxItems"] = settings.serving.max_rows


def _post(summary: str, name: str, about: str, example: object, *, secured: bool) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": f"{_REF}{_REQUEST.get(about, about)}Request"}}
    if example is not None:
        content["example"] = example
    found = {
        "summary": summary,
        "operationId": name,
        "parameters": [_TEST],
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": _responses(f"{about}Response", _BODY_ERRORS),
    }
    return found | _security(secured)


def _get(summary: str, name: str, response: str, *, secured: bool) -> dict[str, Any]:
    responses = _responses(response, _ERRORS)
    return {"summary": summary, "operationId": name, "responses": responses} | _security(secured)


def _probe(summary: str, name: str, *, unready: bool = False) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": {"description": "Done"}}
    if unready:
        responses["503"] = _described(503)
    return {"summary": summary, "operationId": name, "responses": responses}


def _security(secured: bool) -> dict[str, Any]:
    return {"security": [{"token": []}]} if secured else {}


def _responses(name: str, errors: tuple[int, ...]) -> dict[str, Any]:
    done = {"description": "Done", "content": {"application/json": {"schema": {"$ref": _REF + name}}}}
    return {"200": done} | {str(status): _described(status) for status in errors}


def _described(status: int) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": _REF + "ErrorResponse"}}}
    found: dict[str, Any] = {"description": _DESCRIPTIONS[status], "content": content}
    return found | ({"headers": _RETRY} if status in {429, 503} else {})


def _row(manifest: "Manifest", settings: "Settings") -> dict[str, Any]:
    longest = settings.limits.max_text
    columns = {column.name: _column(column, longest) for column in manifest.schema_.asked}
    if manifest.id is not None:
        description = f"Identifier of the {manifest.case}"
        columns[manifest.id] = {
            "type": ["string", "integer", "null"],
            "maxLength": LONGEST_ENTITY,
            "description": description,
        }
    clock = EventClock.of(manifest)
    if clock is not None and clock.column not in columns:
        columns[clock.column] = {
            "type": ["string", "number", "null"],
            "maxLength": longest,
            "description": f"When the {manifest.case} happens; without it, the time of the request counts",
        }
    required = [column.name for column in manifest.schema_.asked]
    return {"type": "object", "properties": columns, "required": required}


def _column(column: "Column", longest: int) -> dict[str, Any]:
    if column.kind == "category":
        description = f"In training: {', '.join(column.categories)}" if column.categories else "A text"
        return {"type": ["string", "number", "boolean", "null"], "maxLength": longest, "description": description}
    if column.kind == "number":
        known = column.minimum is not None and column.maximum is not None
        seen = f"{column.minimum:g} to {column.maximum:g}" if known else "not said"
        return {
            "type": ["number", "null"],
            "minimum": -3.4e38,
            "maximum": 3.4e38,
            "description": f"In training: {seen}",
        }
    return {"type": ["string", "null"], "maxLength": longest, "description": "A date, ISO 8601"}
