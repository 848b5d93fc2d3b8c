"""The prediction store: what was answered is written before the answer is sent, labels find their prediction.

A label names a prediction or a case. A case may be predicted more than once, so a case's label goes to all its
predictions that have none yet; if all have one, it replaces the newest. A label without a prediction waits for it.
"""

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, func, insert, select, update

from noria.predictions.matching import attach_pending, targets
from noria.predictions.plain import plain
from noria.predictions.records import SMOKE, Counts, Feedback, PredictionRecord, new_id
from noria.predictions.tables import connect, labels, predictions, reading, writing

if TYPE_CHECKING:
    import pandas as pd

_ASKED_FOR = predictions.c.variant != SMOKE
_BEFORE = ("prediction_id", "at", "version", "variant", "entity")
_AFTER = ("prediction", "probability", "decision", "latency_ms", "label", "labelled_at")
_OWN = frozenset((*_BEFORE, *_AFTER))
_CLASH = "input."  # before the name of an input column that is called like one of ours


class PredictionStore:
    """Predictions and labels in a SQL database; SQLite in WAL mode by default.

    Safe for several threads and, with the same URL, for several processes. Every method raises NoriaError when the
    database cannot be reached, read or written.
    """

    def __init__(self, url: str) -> None:
        self._engine = connect(url)
        self._turn = threading.Lock()  # threads queue fairly here; SQLite's own lock makes them poll

    def append(self, records: Sequence[PredictionRecord]) -> None:
        """Keep the records, all or none; they are on disk when this returns."""
        if not records:
            return
        rows = [_row(record) for record in records]
        with self._turn, writing(self._engine) as connection:
            connection.execute(insert(predictions), rows)
            attach_pending(connection, records)

    def label(self, feedbacks: Sequence[Feedback]) -> list[bool]:
        """Keep the labels, all or none. For each, in order: is its prediction known?

        The label of an unknown one waits and is joined when the prediction arrives. A repeated label replaces the
        one before, which stays in the table `labels`.
        """
        if not feedbacks:
            return []
        with self._turn, writing(self._engine) as connection:
            found = targets(connection, feedbacks)
            keys = [new_id() for _ in feedbacks]
            known = [bool(hits) for hits in found]
            connection.execute(
                insert(labels),
                [
                    {
                        "id": key,
                        "prediction_id": feedback.id,
                        "entity": feedback.entity,
                        "label": plain(feedback.label),
                        "at": feedback.at,
                        "pending": not hit,
                    }
                    for key, feedback, hit in zip(keys, feedbacks, known, strict=True)
                ],
            )
            _attach(connection, zip(keys, feedbacks, found, strict=True))
        return known

    def window(
        self,
        since: datetime,
        until: datetime | None = None,
        limit: int | None = None,
        version: str | None = None,
        labelled: bool | None = None,
    ) -> "pd.DataFrame":
        """Predictions with `since` ≤ at < `until`, oldest first; both times must carry a zone.

        Columns: prediction_id, at (UTC), version, variant, entity, each input column, prediction, probability,
        decision, latency_ms, label, labelled_at. An input column that is named like one of these is called
        `input.NAME`; `inputs_of` gives the inputs under their own names.
        If there are more than `limit`, a random sample of that many, the same each time. `labelled` keeps only the
        rows with a label (True) or without (False). Smoke tests are left out.
        """
        chosen = select(predictions).where(_ASKED_FOR, predictions.c.at >= since)
        if until is not None:
            chosen = chosen.where(predictions.c.at < until)
        if version is not None:
            chosen = chosen.where(predictions.c.version == version)
        if labelled is not None:
            chosen = chosen.where(predictions.c.label_id.is_not(None) == labelled)
        if limit is not None:  # identifiers are random, so the first ones in their order are a random sample
            sample = chosen.with_only_columns(predictions.c.id).order_by(predictions.c.id).limit(limit)
            chosen = select(predictions).where(predictions.c.id.in_(sample))
        with reading(self._engine) as connection:
            rows = connection.execute(chosen.order_by(predictions.c.at, predictions.c.seq)).mappings().all()
        return _frame(rows)

    def counts(self, version: str | None = None) -> Counts:
        """How much is kept, in all or of one model version (labels without a prediction belong to no version)."""
        chosen: Select[Any] = select(
            func.count(predictions.c.request_id.distinct()),
            func.count(),
            func.count(predictions.c.label_id),
            func.min(predictions.c.at),
            func.max(predictions.c.at),
        ).where(_ASKED_FOR)
        if version is not None:
            chosen = chosen.where(predictions.c.version == version)
        waiting = select(func.count()).select_from(labels).where(labels.c.pending)
        with reading(self._engine) as connection:
            requests, answered, labelled, first_at, last_at = connection.execute(chosen).one()
            unmatched = connection.execute(waiting).scalar_one() if version is None else 0
        return Counts(requests, answered, labelled, unmatched, first_at, last_at)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def inputs_of(window: "pd.DataFrame") -> "pd.DataFrame":
    """The input columns of a window, under the names they were received with; same rows and index."""
    inputs = window.drop(columns=[*_BEFORE, *_AFTER])
    return inputs.rename(columns=lambda name: name.removeprefix(_CLASH) if name[len(_CLASH) :] in _OWN else name)


def _row(record: PredictionRecord) -> dict[str, object]:
    return {
        "id": record.id,
        "at": record.at,
        "request_id": record.request_id,
        "model": record.model,
        "version": record.version,
        "variant": record.variant,
        "entity": record.entity,
        "features": {name: plain(value) for name, value in record.features.items()},
        "prediction": plain(record.prediction),
        "probability": plain(record.probability),
        "decision": record.decision,
        "warning": record.warning,
        "latency_ms": record.latency_ms,
    }


def _attach(connection: Connection, matched: Iterable[tuple[str, Feedback, list[str]]]) -> None:
    changes = [
        {"target": target, "key": key, "truth": plain(feedback.label), "when": feedback.at}
        for key, feedback, hits in matched
        for target in hits
    ]
    if changes:
        statement = update(predictions).where(predictions.c.id == bindparam("target"))
        connection.execute(
            statement.values(label_id=bindparam("key"), label=bindparam("truth"), labelled_at=bindparam("when")),
            changes,
        )


def _frame(rows: Sequence[RowMapping]) -> "pd.DataFrame":
    import pandas as pd

    columns: dict[str, Any] = {
        name: [row["id" if name == "prediction_id" else name] for row in rows] for name in _BEFORE
    }
    inputs = pd.DataFrame([row["features"] for row in rows])
    for name in inputs.columns:
        columns[_CLASH + name if name in _OWN else name] = inputs[name]
    columns |= {name: [row[name] for row in rows] for name in _AFTER}
    frame = pd.DataFrame(columns, columns=list(columns))
    for name in ("at", "labelled_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    for name in ("probability", "latency_ms"):
        frame[name] = frame[name].astype("float64")
    return frame
