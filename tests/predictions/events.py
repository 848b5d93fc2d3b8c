"""Entries of the spool for tests of the store."""

from datetime import UTC, datetime

from noria.predictions.ids import new_id
from noria.predictions.spool.events import AuditEvent, LabelEvent, PredictionEvent, Value

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
EPOCH = NOON.timestamp()


def answered(*ids: str, second: float = 0.0, **changes: object) -> PredictionEvent:
    """An answer to a request of as many rows as there are ids; without any, of one row."""
    names = list(ids) or [new_id()]
    given: dict[str, object] = {
        "at": EPOCH + second,
        "request_id": new_id(),
        "model": "churn",
        "version": "1",
        "variant": "champion",
        "policy": "1",
        "latency_ms": 2.5,
        "names": ["tenure", "contract"],
        "features": [[3.0, "One year"] for _ in names],
        "ids": names,
        "entities": [None for _ in names],
        "predictions": ["Yes" for _ in names],
        "probabilities": [0.7 for _ in names],
        "decisions": ["act" for _ in names],
        "warnings": ["" for _ in names],
    }
    return PredictionEvent(**(given | changes))  # type: ignore[arg-type]


def labelled(
    label: Value, key: str | None = None, second: float = 1.0, id: str | None = None, entity: str | None = None
) -> LabelEvent:
    """A label for a prediction or a case."""
    return LabelEvent(key or new_id(), EPOCH + second, id, entity, label)


def failed(variant: str, count: int = 1, second: float = 0.0, detail: str = "it broke") -> AuditEvent:
    """An error of a variant."""
    return AuditEvent(new_id(), EPOCH + second, "error", variant, "1", detail, count)
