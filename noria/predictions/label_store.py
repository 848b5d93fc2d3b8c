"""Keeping labels: each once, with the predictions it belongs to."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import msgspec
from sqlalchemy import Connection, select

from noria.predictions.json_values import json_value
from noria.predictions.label_matching import LabelMatch, attach_labels, matching_predictions
from noria.predictions.records import Feedback
from noria.predictions.sql_dialects import among, insert_new, utc_text
from noria.predictions.sql_tables import labels, name_of


def store_labels(connection: Connection, feedbacks: Sequence[Feedback]) -> list[bool]:
    """Keep labels whose key is not there yet. For each, in order: is its prediction known?

    Labels that name the same thing are taken in the order given, so the last one holds.
    """
    known: list[bool] = []
    for group in _apart([_indexable(feedback) for feedback in feedbacks]):
        known += _keep_group(connection, group)
    return known


def _apart(feedbacks: Sequence[Feedback]) -> Iterator[list[Feedback]]:
    """As few groups as possible: what a case's label goes to depends on the labels by id before it."""
    group: list[Feedback] = []
    after_id = False
    for feedback in feedbacks:
        if feedback.entity is not None and after_id:
            yield group
            group, after_id = [], False
        group.append(feedback)
        after_id = after_id or feedback.id is not None
    if group:
        yield group


def _keep_group(connection: Connection, feedbacks: Sequence[Feedback]) -> list[bool]:
    found = matching_predictions(connection, feedbacks)
    seen = set(connection.scalars(select(labels.c.id).where(among(connection, labels.c.id, _keys(feedbacks)))))
    fresh = []
    for feedback, hits in zip(feedbacks, found, strict=True):
        if feedback.key not in seen:
            seen.add(feedback.key)
            fresh.append((feedback, hits))
    rows = [
        (
            each.key,
            each.id,
            each.entity,
            msgspec.json.encode(json_value(each.label)).decode(),
            utc_text(each.at),
            not hits,
        )
        for each, hits in fresh
    ]
    insert_new(connection, "labels", ("id", "prediction_id", "entity", "label", "at", "pending"), rows)
    attach_labels(
        connection, [LabelMatch(hit, each.key, json_value(each.label), each.at) for each, hits in fresh for hit in hits]
    )
    return [bool(hits) for hits in found]


def _indexable(feedback: Feedback) -> Feedback:
    prediction, case = feedback.id, feedback.entity
    return replace(
        feedback,
        id=None if prediction is None else name_of(prediction),
        entity=None if case is None else name_of(case),
        key=name_of(feedback.key),
    )


def _keys(feedbacks: Iterable[Feedback]) -> list[str]:
    return [feedback.key for feedback in feedbacks]
