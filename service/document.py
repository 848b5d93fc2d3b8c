"""The OpenAPI document of the service, with the model's own columns and a real row."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from noria.api import (
    FeedbackRequest,
    FeedbackResponse,
    ModelFacts,
    PredictRequest,
    PredictResponse,
    Refusal,
    Row,
)

if TYPE_CHECKING:
    from noria.bundle import Manifest
    from noria.schema import Column

_REF = "#/components/schemas/"
_MODELS: list[type[BaseModel]] = [
    FeedbackRequest,
    FeedbackResponse,
    ModelFacts,
    PredictRequest,
    PredictResponse,
    Refusal,
]
_JSON_TYPE = {"number": ["number", "null"], "category": ["string", "number", "boolean", "null"]}

INDEX_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Prediction service</title>
<link rel="stylesheet" href="./static_content/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="./static_content/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({url: "./openapi.json", dom_id: "#swagger-ui"})</script>
</body>
</html>
"""


def openapi(manifest: "Manifest", example: Row) -> dict[str, Any]:
    """OpenAPI 3.1 of the service as it answers with this model; `example` is a row it can predict."""
    _, definitions = models_json_schema([(model, "validation") for model in _MODELS], ref_template=_REF + "{model}")
    schemas = definitions["$defs"]
    schemas["Row"] = _row(manifest)
    schemas["PredictRequest"]["properties"]["rows"]["items"] = {"$ref": _REF + "Row"}
    label = {"id": "the prediction's id", "label": manifest.classes[-1] if manifest.classes else 0.0}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": manifest.name,
            "version": manifest.version,
            "description": f"Predicts `{manifest.target}` of one {manifest.case} or many ({manifest.kind}).",
        },
        "paths": {
            "/predict": {"post": _posts("Predict rows", "Predict", {"rows": [example]}, (400, 413, 422, 503))},
            "/feedback": {"post": _posts("Send true labels", "Feedback", {"labels": [label]}, (400, 413, 422, 503))},
            "/model": {"get": {"summary": "Which model answers", "responses": _responses("ModelFacts")}},
            "/healthz": {"get": {"summary": "The process lives", "responses": {"200": {"description": "It does"}}}},
            "/readyz": {"get": {"summary": "It can answer", "responses": {"200": {"description": "It can"}}}},
            "/metrics": {"get": {"summary": "Prometheus metrics", "responses": {"200": {"description": "As text"}}}},
        },
        "components": {"schemas": schemas},
    }


def _posts(summary: str, name: str, example: object, errors: tuple[int, ...]) -> dict[str, Any]:
    content = {"schema": {"$ref": f"{_REF}{name}Request"}, "example": example}
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": _responses(f"{name}Response", errors),
    }


def _responses(name: str, errors: tuple[int, ...] = ()) -> dict[str, Any]:
    found = {"200": _described("Done", name)}
    return found | {str(status): _described("Nothing was done", "Refusal") for status in errors}


def _described(text: str, name: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": {"$ref": _REF + name}}}}


def _row(manifest: "Manifest") -> dict[str, Any]:
    columns = {column.name: _column(column) for column in manifest.schema_.columns}
    if manifest.id is not None:
        columns[manifest.id] = {"type": ["string", "integer"], "description": f"Identifier of the {manifest.case}"}
    return {"type": "object", "properties": columns, "required": manifest.schema_.names}


def _column(column: "Column") -> dict[str, Any]:
    if column.kind == "category":
        return {"type": _JSON_TYPE["category"], "description": f"In training: {', '.join(column.categories)}"}
    if column.kind == "number":
        known = column.minimum is not None and column.maximum is not None
        seen = f"{column.minimum:g} to {column.maximum:g}" if known else "always missing"
        return {"type": _JSON_TYPE["number"], "description": f"In training: {seen}"}
    return {"type": ["string", "null"], "description": "A date, ISO 8601"}
