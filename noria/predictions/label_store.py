"""Storing labels: each once, with the predictions it belongs to."""

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import msgspec
from sqlalchemy import Connection, select

from noria.predictions.ids import made_at
from noria.predictions.json_values import json_value
from noria.predictions.label_matching import LabelMatch, attach_labels, matching_predictions
from noria.predictions.queries import given_labels
from noria.predictions.records import Feedback, LabelsUnknown, Value
from noria.predictions.sql_dialects import insert_new, is_one_of, utc_text
from noria.predictions.sql_tables import indexable_name, labels

_UNDER_WAY_S = 600.0
"""A prediction that is younger may still wait in the spool of another server; clocks may differ, too."""


def store_labels(connection: Connection, feedbacks: Sequence[Feedback], *, aside: Collection[str] = ()) -> list[bool]:
    """Store labels whose key is new. For each, in order: is its prediction known?

    Labels for the same target are applied in the given order, so the last one counts. Those with a key in `aside` are
    stored only, and their predictions keep the label that they have.
    """
    known: list[bool] = []
    for group in _groups([_with_indexable_names(feedback) for feedback in feedbacks]):
        known += _store_group(connection, group, {indexable_name(key) for key in aside})
    return known


def contradicting(connection: Connection, feedbacks: Sequence[Feedback]) -> list[Feedback]:
    """Labels of people that contradict what somebody else has said of the same prediction, before or among them."""
    given = [each for each in feedbacks if each.given_by is not None and each.id is not None]
    if not given:
        return []
    said: dict[str, dict[str, Value]] = {}
    for earlier in given_labels(connection, {str(each.id) for each in given}):
        said.setdefault(earlier.prediction_id, {})[earlier.given_by] = earlier.label
    found = []
    for each in given:
        people = said.setdefault(str(each.id), {})
        label = json_value(each.label)
        if any(who != each.given_by and other != label for who, other in people.items()):
            found.append(each)
        else:
            people[str(each.given_by)] = label
    return found


def labels_known(connection: Connection, feedbacks: Sequence[Feedback]) -> list[bool]:
    """For each label of a test, in order: is its prediction known? Nothing is stored."""
    wanted = [_with_indexable_names(feedback) for feedback in feedbacks]
    return [bool(hits) for hits in matching_predictions(connection, wanted, tests=True)]


def _groups(feedbacks: Sequence[Feedback]) -> Iterator[list[Feedback]]:
    """As few groups as possible: the target of a case's label depends on earlier labels by id."""
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


def _store_group(connection: Connection, feedbacks: Sequence[Feedback], aside: Collection[str]) -> list[bool]:
    found = matching_predictions(connection, feedbacks)
    seen = set(
        connection.scalars(
            select(labels.c.id).where(is_one_of(connection, labels.c.id, [each.key for each in feedbacks]))
        )
    )
    new = []
    for feedback, hits in zip(feedbacks, found, strict=True):
        if feedback.key not in seen:
            seen.add(feedback.key)
            new.append((feedback, hits))
    rows = [
        (
            each.key,
            each.id,
            each.entity,
            msgspec.json.encode(json_value(each.label)).decode(),
            utc_text(each.at),
            not hits,
            each.given_by,
            each.selected_by,
            each.selection_probability,
        )
        for each, hits in new
    ]
    names = ("id", "prediction_id", "entity", "label", "at", "pending")
    insert_new(connection, "labels", (*names, "given_by", "selected_by", "selection_probability"), rows)
    attach_labels(
        connection,
        [
            LabelMatch(hit, each.key, json_value(each.label), each.at)
            for each, hits in new
            for hit in hits
            if each.key not in aside
        ],
    )
    return [bool(hits) for hits in found]


def _with_indexable_names(feedback: Feedback) -> Feedback:
    prediction, case = feedback.id, feedback.entity
    return replace(
        feedback,
        id=None if prediction is None else indexable_name(prediction),
        entity=None if case is None else indexable_name(case),
        key=indexable_name(feedback.key),
    )


def require_under_way(feedbacks: Sequence[Feedback]) -> None:
    """Check that at least one of these labels, whose predictions are not known, names one that was just made.

    Raises:
        LabelsUnknown: none does.
    """
    made = [made_at(each.id) for each in feedbacks if each.id is not None]
    if any(at is not None and abs(time.time() - at) < _UNDER_WAY_S for at in made):
        return
    nouns = "ids" if len(made) == len(feedbacks) else "ids and cases" if made else "cases"
    raise LabelsUnknown(
        f"none of the {len(feedbacks)} {nouns} is known" if len(feedbacks) > 1 else f"the {nouns[:-1]} is not known",
        code="predictions.labels_unknown",
        fix="give the `id` of each answer, or the identifier of the case exactly as it was sent with the row",
    )
