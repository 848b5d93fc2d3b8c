"""Taking over what the spool holds: many entries at once, each of them once however often they come."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection

from noria.predictions.label_matching import NewPrediction, attach_waiting_labels
from noria.predictions.label_store import store_labels
from noria.predictions.records import SMOKE, Feedback, Value
from noria.predictions.spool.events import AuditEvent, Entry, LabelEvent, PredictionEvent
from noria.predictions.sql_dialects import insert_new, utc_text
from noria.predictions.sql_tables import name_of
from noria.system.errors import NoriaError

_COLUMNS = (
    *("id", "entity", "shadow_of", "features", "prediction", "probability", "decision", "warning"),
    *("at", "request_id", "model", "version", "variant", "policy", "latency_ms"),
)
_VARIANT = _COLUMNS.index("variant")
_Row = tuple[Any, ...]
_JSON = msgspec.json.Encoder()


@dataclass
class _Batch:
    """Entries that may be kept in any order."""

    answered: list[PredictionEvent] = field(default_factory=list)
    labelled: list[LabelEvent] = field(default_factory=list)
    happened: list[AuditEvent] = field(default_factory=list)


def ingest_events(connection: Connection, entries: Sequence[Entry]) -> int:
    """Keep the entries, each once; returns how many predictions were new."""
    new = 0
    for batch in _in_order(entries):
        new += _keep_answers(connection, batch.answered)
        feedbacks, refused = _feedbacks(batch.labelled)
        store_labels(connection, feedbacks)
        _keep_events(connection, [*batch.happened, *refused])
    return new


def _in_order(entries: Sequence[Entry]) -> Iterator[_Batch]:
    """As few batches as possible: a case's label must not reach a prediction that was made after it."""
    batch, labelled_cases = _Batch(), set[str]()
    for entry in entries:
        if isinstance(entry, PredictionEvent):
            if labelled_cases and not labelled_cases.isdisjoint(entry.entities):
                yield batch
                batch, labelled_cases = _Batch(), set()
            batch.answered.append(entry)
        elif isinstance(entry, LabelEvent):
            batch.labelled.append(entry)
            if entry.entity is not None:
                labelled_cases.add(entry.entity)
        else:
            batch.happened.append(entry)
    yield batch


def _keep_answers(connection: Connection, answered: Sequence[PredictionEvent]) -> int:
    if not answered:
        return 0
    rows = [row for entry in answered for row in _rows(entry)]
    new = insert_new(connection, "predictions", _COLUMNS, rows)
    arrived = (NewPrediction(row[0], None if row[_VARIANT] == SMOKE else row[1], row[2]) for row in rows)
    attach_waiting_labels(connection, arrived)
    return new


def _rows(entry: PredictionEvent) -> list[_Row]:
    shared = (
        *(utc_text(datetime.fromtimestamp(entry.at, UTC)), entry.request_id, entry.model, entry.version),
        *(entry.variant, entry.policy, float(entry.latency_ms)),
    )
    cases = [None if case is None else name_of(case) for case in entry.entities]
    own: Sequence[str | None] = entry.shadow_of or [None] * len(entry.ids)
    predictions = [_text(prediction) for prediction in entry.predictions]
    probabilities = [None if each is None else float(each) for each in entry.probabilities]
    warnings = [warning.replace("\x00", "\ufffd") for warning in entry.warnings]
    columns = (entry.ids, cases, own, _features(entry), predictions, probabilities, entry.decisions, warnings)
    return [(*row, *shared) for row in zip(*columns, strict=True)]


def _features(entry: PredictionEvent) -> list[str]:
    """Each row as a JSON object; ValueError if it has not as many values as there are names."""
    named = _named(tuple(entry.names))
    try:
        return [_text(named(*values)) for values in entry.features]
    except TypeError as error:
        raise ValueError("a row has not as many features as there are names") from error


def _feedbacks(labelled: Sequence[LabelEvent]) -> tuple[list[Feedback], list[AuditEvent]]:
    """Labels, and what cannot be one: it is kept as an event, because what is in the spool must find an end."""
    feedbacks, refused = [], []
    for entry in labelled:
        try:
            if entry.label is None:
                raise ValueError
            at = datetime.fromtimestamp(entry.at, UTC)
            feedbacks.append(Feedback(key=entry.key, at=at, id=entry.id, entity=entry.entity, label=entry.label))
        except (NoriaError, ValueError):
            refused.append(AuditEvent(entry.key, entry.at, "label", "", "", _text(entry)))
    return feedbacks, refused


def _keep_events(connection: Connection, happened: Sequence[AuditEvent]) -> None:
    rows = [
        (
            *(entry.key, utc_text(datetime.fromtimestamp(entry.at, UTC)), entry.kind, entry.variant, entry.version),
            *(entry.detail.replace("\x00", "\ufffd"), entry.count),
        )
        for entry in happened
    ]
    insert_new(connection, "events", ("key", "at", "kind", "variant", "version", "detail", "count"), rows)


@lru_cache(maxsize=64)
def _named(names: tuple[str, ...]) -> type[msgspec.Struct]:
    """A row's features under their names, as JSON wants them; takes a quarter of the time of a dictionary."""
    fields = [f"c{place}" for place in range(len(names))]
    rename = dict(zip(fields, names, strict=True))
    return msgspec.defstruct("Features", fields, rename=rename, gc=False)


def _text(value: Value | msgspec.Struct) -> str:
    return _JSON.encode(value).decode()
