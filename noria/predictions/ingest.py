"""Ingest of spooled events: many at once, each stored once however often it arrives."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection

from noria.predictions.label_matching import NewPrediction, attach_waiting_labels
from noria.predictions.label_store import contradicting, store_labels
from noria.predictions.records import SMOKE, Feedback, Value
from noria.predictions.spool.events import AuditEvent, Event, LabelEvent, PredictionEvent
from noria.predictions.sql_dialects import insert_new, utc_text
from noria.predictions.sql_tables import indexable_name
from noria.system.errors import NoriaError
from noria.tabular.names import can_be_fields

_COLUMNS = (
    *("id", "entity", "shadow_of", "features", "prediction", "probability", "decision", "warning"),
    *("at", "request_id", "model", "version", "variant", "policy", "latency_ms"),
    "is_test",
    "event_at",
)
_VARIANT, _IS_TEST = _COLUMNS.index("variant"), _COLUMNS.index("is_test")
_Row = tuple[Any, ...]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_JSON = msgspec.json.Encoder()


@dataclass
class _Batch:
    """Events that may be stored in any order."""

    predictions: list[PredictionEvent] = field(default_factory=list)
    labels: list[LabelEvent] = field(default_factory=list)
    audit: list[AuditEvent] = field(default_factory=list)


def ingest_events(connection: Connection, events: Sequence[Event]) -> int:
    """Store the events, each once; returns how many predictions were new."""
    new = 0
    for batch in _batches(events):
        new += _insert_predictions(connection, batch.predictions)
        feedbacks, rejected = _feedbacks(batch.labels)
        aside = {each.key for each in contradicting(connection, feedbacks)}
        store_labels(connection, feedbacks, aside=aside)
        rejected += [_rejection(each) for each in batch.labels if each.key in aside]
        _insert_audit_events(connection, [*batch.audit, *rejected])
    return new


def _batches(events: Sequence[Event]) -> Iterator[_Batch]:
    """As few batches as possible: the label of a case must not reach a prediction that was made after it."""
    batch, labelled_cases = _Batch(), set[str]()
    for event in events:
        if isinstance(event, PredictionEvent):
            if labelled_cases and not labelled_cases.isdisjoint(event.entities):
                yield batch
                batch, labelled_cases = _Batch(), set()
            batch.predictions.append(event)
        elif isinstance(event, LabelEvent):
            batch.labels.append(event)
            if event.entity is not None:
                labelled_cases.add(event.entity)
        else:
            batch.audit.append(event)
    yield batch


def _insert_predictions(connection: Connection, events: Sequence[PredictionEvent]) -> int:
    if not events:
        return 0
    rows = [row for event in events for row in _rows(event)]
    new = insert_new(connection, "predictions", _COLUMNS, rows)
    new_predictions = (
        NewPrediction(row[0], None if row[_VARIANT] == SMOKE or row[_IS_TEST] else row[1], row[2]) for row in rows
    )
    attach_waiting_labels(connection, new_predictions)
    return new


def _rows(event: PredictionEvent) -> list[_Row]:
    shared = (
        *(utc_text(datetime.fromtimestamp(event.at, UTC)), event.request_id, event.model, event.version),
        *(event.variant, event.policy, float(event.latency_ms), event.is_test),
    )
    cases = [None if case is None else indexable_name(case) for case in event.entities]
    own: Sequence[str | None] = event.shadow_of or [None] * len(event.ids)
    predictions = [_text(prediction) for prediction in event.predictions]
    probabilities = [None if each is None else float(each) for each in event.probabilities]
    warnings = [warning.replace("\x00", "\ufffd") for warning in event.warnings]
    columns = (event.ids, cases, own, _features(event), predictions, probabilities, event.decisions, warnings)
    times = [None] * len(event.ids) if event.event_times is None else map(_utc_text, event.event_times)
    return [(*row, *shared, time) for row, time in zip(zip(*columns, strict=True), times, strict=True)]


def _utc_text(seconds: float | None) -> str | None:
    return None if seconds is None else utc_text(_EPOCH + timedelta(seconds=seconds))


def _features(event: PredictionEvent) -> list[str]:
    """Each row as a JSON object; ValueError if the numbers of values and names differ."""
    named = _named(tuple(event.names))
    try:
        return [_text(named(*values)) for values in event.features]
    except TypeError as error:
        raise ValueError("a row's number of features differs from the number of names") from error


def _feedbacks(events: Sequence[LabelEvent]) -> tuple[list[Feedback], list[AuditEvent]]:
    """The labels, and audit events for those that are not valid, because the spool must drain."""
    feedbacks, rejected = [], []
    for event in events:
        try:
            if event.label is None:
                raise ValueError
            at = datetime.fromtimestamp(event.at, UTC)
            feedbacks.append(
                Feedback(
                    key=event.key,
                    at=at,
                    id=event.id,
                    entity=event.entity,
                    label=event.label,
                    given_by=event.given_by,
                    selected_by=event.selected_by,
                    selection_probability=event.selection_probability,
                )
            )
        except (NoriaError, ValueError):
            rejected.append(_rejection(event))
    return feedbacks, rejected


def _rejection(event: LabelEvent) -> AuditEvent:
    """That a label did not become that of its prediction."""
    return AuditEvent(event.key, event.at, "label", "", "", _text(event))


def _insert_audit_events(connection: Connection, events: Sequence[AuditEvent]) -> None:
    rows = [
        (
            *(event.key, utc_text(datetime.fromtimestamp(event.at, UTC)), event.kind, event.variant, event.version),
            *(event.detail.replace("\x00", "\ufffd"), event.count),
        )
        for event in events
    ]
    insert_new(connection, "events", ("key", "at", "kind", "variant", "version", "detail", "count"), rows)


@lru_cache(maxsize=64)
def _named(names: tuple[str, ...]) -> Callable[..., msgspec.Struct | dict[str, Value]]:
    """A row's features under their names, for JSON; a struct takes a quarter of the time of a dictionary."""
    if not can_be_fields(names):
        return lambda *values: dict(zip(names, values, strict=True))
    fields = [f"c{place}" for place in range(len(names))]
    rename = dict(zip(fields, names, strict=True))
    return msgspec.defstruct("Features", fields, rename=rename, gc=False)


def _text(value: Value | msgspec.Struct | dict[str, Value]) -> str:
    return _JSON.encode(value).decode()
