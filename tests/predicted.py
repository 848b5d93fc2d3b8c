"""Prediction events of one row each, for tests that fill a prediction store."""

from datetime import datetime

from noria.predictions.ids import new_id
from noria.predictions.json_values import json_value
from noria.predictions.spool.events import PredictionEvent


def prediction_event(
    at: datetime,
    features: dict[str, object] | None = None,
    *,
    entity: str | None = None,
    prediction: object = "Yes",
    probability: object = 0.7,
    decision: str = "act",
    id: str | None = None,
    **changes: object,
) -> PredictionEvent:
    """The prediction of one row; `changes` are fields of the event."""
    row = features or {}
    fields: dict[str, object] = {
        "at": at.timestamp(),
        "request_id": "r",
        "model": "m",
        "version": "1",
        "variant": "champion",
        "policy": "1",
        "latency_ms": 1.0,
        "names": list(row),
        "features": [[json_value(value) for value in row.values()]],
        "ids": [id or new_id()],
        "entities": [entity],
        "predictions": [json_value(prediction)],
        "probabilities": [json_value(probability)],
        "decisions": [decision],
        "warnings": [""],
    }
    return PredictionEvent(**(fields | changes))
