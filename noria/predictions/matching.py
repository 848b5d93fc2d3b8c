"""Which predictions a label belongs to."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from sqlalchemy import Column, Connection, Row, select, update

from noria.predictions.records import Feedback, PredictionRecord
from noria.predictions.tables import labels, predictions

_CHUNK = 500  # SQLite's older versions allow 999 parameters in a statement


def targets(connection: Connection, feedbacks: Sequence[Feedback]) -> list[list[str]]:
    """For each label, in order, the ids of the predictions it belongs to; none if they are not known (yet)."""
    known = {row.id for row in _rows(connection, predictions.c.id, [f.id for f in feedbacks if f.id is not None])}
    cases = _by_case(connection, [f.entity for f in feedbacks if f.entity is not None])
    found = []
    for feedback in feedbacks:
        if feedback.id is not None:
            found.append([feedback.id] if feedback.id in known else [])
        else:
            found.append(cases.get(feedback.entity or "", []))
    return found


def attach_pending(connection: Connection, records: Sequence[PredictionRecord]) -> None:
    """Join labels that came before their prediction."""
    if connection.execute(select(labels.c.seq).where(labels.c.pending).limit(1)).first() is None:
        return
    waiting = _waiting(connection, labels.c.prediction_id, [record.id for record in records])
    waiting += _waiting(connection, labels.c.entity, [record.entity for record in records if record.entity])
    for label in sorted(waiting, key=lambda row: row.seq):
        by_id = predictions.c.id == label.prediction_id
        of_label = by_id if label.prediction_id is not None else predictions.c.entity == label.entity
        connection.execute(
            update(predictions).where(of_label).values(label_id=label.id, label=label.label, labelled_at=label.at)
        )
        connection.execute(update(labels).where(labels.c.seq == label.seq).values(pending=False))


def _by_case(connection: Connection, entities: Sequence[str]) -> dict[str, list[str]]:
    rows: dict[str, list[Row[tuple[str, str, str]]]] = defaultdict(list)
    for row in _rows(connection, predictions.c.entity, entities):
        rows[row.entity].append(row)
    return {entity: _open_or_newest(found) for entity, found in rows.items()}


def _open_or_newest(rows: Sequence[Row[tuple[str, str, str]]]) -> list[str]:
    """Predictions of one case, oldest first → those without a label, or those the newest label went to."""
    unlabelled = [row.id for row in rows if row.label_id is None]
    return unlabelled or [row.id for row in rows if row.label_id == rows[-1].label_id]


def _rows(connection: Connection, column: Column[str], values: Sequence[str]) -> Iterator[Row[tuple[str, str, str]]]:
    wanted = select(predictions.c.id, predictions.c.entity, predictions.c.label_id).order_by(predictions.c.seq)
    for start in range(0, len(values), _CHUNK):
        yield from connection.execute(wanted.where(column.in_(values[start : start + _CHUNK])))


def _waiting(connection: Connection, column: Column[str], values: Sequence[str]) -> list[Row[tuple[object, ...]]]:
    found: list[Row[tuple[object, ...]]] = []
    for start in range(0, len(values), _CHUNK):
        chunk = values[start : start + _CHUNK]
        found += connection.execute(select(labels).where(labels.c.pending, column.in_(chunk))).all()
    return found
