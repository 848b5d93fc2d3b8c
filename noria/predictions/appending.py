"""Keeping records one call at a time, as tests and small tools do; what is served comes through `keep`."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert

from noria.predictions.json_values import json_value
from noria.predictions.label_matching import NewPrediction, attach_waiting_labels
from noria.predictions.records import SMOKE, PredictionRecord
from noria.predictions.sql_tables import name_of, predictions


def append_records(connection: Connection, records: Sequence[PredictionRecord]) -> None:
    """Keep the records; one whose identifier is there already is an error."""
    connection.execute(insert(predictions), [_row(record) for record in records])
    attach_waiting_labels(connection, [_arrived(record) for record in records])


def _row(record: PredictionRecord) -> dict[str, object]:
    return {
        "id": record.id,
        "at": record.at,
        "request_id": record.request_id,
        "model": record.model,
        "version": record.version,
        "variant": record.variant,
        "policy": record.policy,
        "entity": _case(record),
        "shadow_of": record.shadow_of,
        "features": {name: json_value(value) for name, value in record.features.items()},
        "prediction": json_value(record.prediction),
        "probability": json_value(record.probability),
        "decision": record.decision,
        "warning": record.warning,
        "latency_ms": record.latency_ms,
    }


def _case(record: PredictionRecord) -> str | None:
    return None if record.entity is None else name_of(record.entity)


def _arrived(record: PredictionRecord) -> NewPrediction:
    return NewPrediction(record.id, None if record.variant == SMOKE else _case(record), record.shadow_of)
