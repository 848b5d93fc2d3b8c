"""Which predictions a label belongs to.

Shadow rows are never looked up, because they get the label of their prediction. Labels of cases do not reach smoke
tests and test requests, which are made with rows of real cases.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Row, String, and_, bindparam, case, cast, or_, select, update

from noria.predictions.queries import known_ids
from noria.predictions.records import SMOKE, Feedback, Value
from noria.predictions.sql_dialects import is_one_of
from noria.predictions.sql_tables import labels, predictions


class NewPrediction(NamedTuple):
    """The names that a label may use for a new prediction; the entity of a smoke test or test request is None."""

    id: str
    entity: str | None
    shadow_of: str | None


class LabelMatch(NamedTuple):
    """A label and the prediction that it belongs to."""

    prediction: str
    label_id: str
    label: Value
    at: datetime


def matching_predictions(
    connection: Connection, feedbacks: Sequence[Feedback], *, tests: bool = False
) -> list[list[str]]:
    """For each label, in order, the ids of the predictions it belongs to; none if they are not known (yet).

    With `tests`, cases are those of test requests.
    """
    ids = {feedback.id for feedback in feedbacks if feedback.id is not None}
    known = known_ids(connection, ids) if ids else set()
    entities = {feedback.entity for feedback in feedbacks if feedback.entity is not None}
    cases = _ids_by_entity(connection, entities, tests=tests)
    return [
        cases.get(feedback.entity or "", []) if feedback.id is None else [feedback.id] if feedback.id in known else []
        for feedback in feedbacks
    ]


def attach_labels(connection: Connection, matches: Iterable[LabelMatch]) -> None:
    """Set the labels of predictions and their shadows, in the given order; a label of another value is counted."""
    changes = [
        {
            "target": each.prediction,
            "key": each.label_id,
            "truth": each.label,
            "text": json.dumps(each.label),  # as SQLAlchemy writes it: JSON of PostgreSQL cannot be compared
            "when": each.at,
        }
        for each in matches
    ]
    if changes:
        row, target = predictions.c, bindparam("target", type_=String)
        differs = and_(row.label_id.is_not(None), cast(row.label, String) != bindparam("text", type_=String))
        statement = update(predictions).where(or_(row.id == target, row.shadow_of == target))
        connection.execute(
            statement.values(
                label_changes=row.label_changes + case((differs, 1), else_=0),
                label_id=bindparam("key"),
                label=bindparam("truth"),
                labelled_at=bindparam("when"),
            ),
            changes,
        )


def attach_waiting_labels(connection: Connection, new: Iterable[NewPrediction]) -> None:
    """Join labels that arrived before their prediction, and labels of predictions whose shadows arrived later."""
    if connection.execute(select(labels.c.seq).limit(1)).first() is None:
        return
    ids, cases, shadowed = set(), defaultdict(list), set()
    for each in new:
        if each.shadow_of is not None:
            shadowed.add(each.shadow_of)
            continue
        ids.add(each.id)
        if each.entity is not None:
            cases[each.entity].append(each.id)
    _copy_to_shadows(connection, shadowed)
    found = [(label, [label.prediction_id]) for label in _pending_labels(connection, labels.c.prediction_id, ids)]
    found += [(label, cases[label.entity]) for label in _pending_labels(connection, labels.c.entity, cases)]
    found.sort(key=lambda pair: int(pair[0].seq))
    attach_labels(
        connection, [LabelMatch(each, label.id, label.label, label.at) for label, hits in found for each in hits]
    )
    if found:
        which = [{"which": label.seq} for label, _ in found]
        connection.execute(update(labels).where(labels.c.seq == bindparam("which")).values(pending=False), which)


def _copy_to_shadows(connection: Connection, shadowed: Collection[str]) -> None:
    """Give new shadows the labels that their predictions have already."""
    if shadowed:
        row = predictions.c
        labelled = select(row.id, row.label_id, row.label, row.labelled_at).where(
            row.label_id.is_not(None), is_one_of(connection, row.id, shadowed)
        )
        attach_labels(connection, [LabelMatch(*found) for found in connection.execute(labelled)])


def _pending_labels(connection: Connection, column: Column[str], values: Collection[str]) -> Sequence[Row[Any]]:
    return connection.execute(select(labels).where(labels.c.pending, is_one_of(connection, column, values))).all()


def _ids_by_entity(connection: Connection, entities: Collection[str], *, tests: bool) -> dict[str, list[str]]:
    if not entities:
        return {}
    row = predictions.c
    wanted = select(row.id, row.entity, row.label_id).where(
        row.shadow_of.is_(None),
        row.variant != SMOKE,
        row.is_test.is_(tests),
        is_one_of(connection, row.entity, entities),
    )
    rows: dict[str, list[Row[Any]]] = defaultdict(list)
    for found in connection.execute(wanted.order_by(row.seq)):
        rows[found.entity].append(found)
    return {entity: _unlabelled_or_newest(found) for entity, found in rows.items()}


def _unlabelled_or_newest(rows: Sequence[Row[Any]]) -> list[str]:
    """Predictions of one case, oldest first → those without a label, or those with the newest label."""
    unlabelled = [row.id for row in rows if row.label_id is None]
    return unlabelled or [row.id for row in rows if row.label_id == rows[-1].label_id]
