"""Queries that erase old rows, or the rows of one case."""

import json
import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, bindparam, cast, delete, func, or_, select, update

from noria.predictions.records import EntityRecords
from noria.predictions.sql_dialects import is_one_of
from noria.predictions.sql_tables import events, indexable_name, labels, predictions

_TRANSIENT_KINDS = ("error", "dropped", "corrupt", "label")
"""Kinds of events that may contain data of rows; changes of traffic and policy are never erased."""
ERASED = "(erased)"


def erase_old(connection: Connection, moment: datetime, limit: int | None) -> EntityRecords:
    """Erase what is older than `moment`, up to `limit` each: predictions with their labels, labels, events."""
    row = predictions.c
    found = connection.execute(select(row.id, row.label_id).where(row.at < moment).order_by(row.at).limit(limit)).all()
    erased = _erase(connection, [each.id for each in found], [each.label_id for each in found])
    old_labels = select(labels.c.seq).where(labels.c.at < moment).limit(limit)
    old_events = select(events.c.seq).where(events.c.at < moment, events.c.kind.in_(_TRANSIENT_KINDS)).limit(limit)
    return erased + EntityRecords(
        labels=connection.execute(delete(labels).where(labels.c.seq.in_(old_labels))).rowcount,
        events=connection.execute(delete(events).where(events.c.seq.in_(old_events))).rowcount,
    )


def entity_records(connection: Connection, cases: Collection[str]) -> tuple[EntityRecords, list[str]]:
    """Counts of the rows of a case, known under any of these names, and the ids of its predictions and shadows."""
    ids = _ids(connection, cases)
    named = _labels_of(connection, cases, ids)
    return (
        EntityRecords(
            predictions=len(ids),
            labels=connection.execute(select(func.count()).select_from(labels).where(named)).scalar_one(),
            events=len(_events_naming(connection, [*cases, *ids])),
        ),
        ids,
    )


def stored_inputs(connection: Connection, ids: Collection[str]) -> list[dict[str, Any]]:
    """The inputs of these predictions, column → value."""
    row = predictions.c
    return list(connection.scalars(select(row.features).where(is_one_of(connection, row.id, ids))).all())


def erase_entity(connection: Connection, cases: Collection[str]) -> EntityRecords:
    """Erase the predictions and labels of a case, and the details of the events that name it."""
    ids = _ids(connection, cases)
    naming = _events_naming(connection, [*cases, *ids])
    if naming:
        statement = update(events).where(events.c.seq == bindparam("which")).values(detail=ERASED)
        connection.execute(statement, [{"which": seq} for seq in naming])
    deleted = connection.execute(delete(labels).where(_labels_of(connection, cases, ids))).rowcount
    return _erase(connection, ids, []) + EntityRecords(labels=deleted, events=len(naming))


def count_mentions(connection: Connection, texts: Collection[str]) -> int:
    """The number of rows that contain one of the texts in any column."""
    searched = [
        (predictions, (predictions.c.entity, predictions.c.features, predictions.c.prediction, predictions.c.warning)),
        (labels, (labels.c.entity, labels.c.prediction_id, labels.c.label)),
        (events, (events.c.detail,)),
    ]
    forms = {form for text in texts for form in (indexable_name(text), json.dumps(text)[1:-1])}
    found = 0
    for table, columns in searched:
        contains = or_(*(cast(column, String).contains(form, autoescape=True) for column in columns for form in forms))
        found += connection.execute(select(func.count()).select_from(table).where(contains)).scalar_one()
    return found


def _ids(connection: Connection, cases: Collection[str]) -> list[str]:
    row = predictions.c
    own = connection.scalars(select(row.id).where(is_one_of(connection, row.entity, cases))).all()
    shadows = connection.scalars(select(row.id).where(is_one_of(connection, row.shadow_of, own))).all()
    return list(dict.fromkeys([*own, *shadows]))


def _labels_of(connection: Connection, cases: Collection[str], ids: Collection[str]) -> ColumnElement[bool]:
    attached = select(predictions.c.label_id).where(is_one_of(connection, predictions.c.id, ids))
    return or_(
        is_one_of(connection, labels.c.entity, cases),
        is_one_of(connection, labels.c.prediction_id, ids),
        labels.c.id.in_(attached.where(predictions.c.label_id.is_not(None))),
    )


def _events_naming(connection: Connection, texts: Sequence[str]) -> list[int]:
    """The events whose detail contains one of the texts as a whole word."""
    words = set(texts)
    patterns = [re.compile(rf"(?<!\w){re.escape(text)}(?!\w)") for text in texts if not text.isalnum()]
    found = connection.execute(select(events.c.seq, events.c.detail).where(events.c.detail != ERASED))
    return [
        int(seq)
        for seq, detail in found
        if not words.isdisjoint(re.findall(r"\w+", detail)) or any(pattern.search(detail) for pattern in patterns)
    ]


def _erase(connection: Connection, ids: Collection[str], label_ids: Sequence[Any]) -> EntityRecords:
    attached = [each for each in label_ids if each is not None]
    targets = or_(is_one_of(connection, labels.c.prediction_id, ids), is_one_of(connection, labels.c.id, attached))
    return EntityRecords(
        labels=connection.execute(delete(labels).where(targets)).rowcount,
        predictions=connection.execute(
            delete(predictions).where(is_one_of(connection, predictions.c.id, ids))
        ).rowcount,
    )
