"""How the predictions of a version came by their labels, without their inputs."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from noria.predictions.ids import RANDOM_FROM
from noria.predictions.queries import SENT, happened
from noria.predictions.sql_tables import event_time, labels, predictions

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("prediction_id", "variant", "event_at", "decision", "score", "is_labelled", "selected_by")


def label_counts(
    connection: Connection, since: datetime, until: datetime, version: str
) -> dict[tuple[str, bool, bool], int]:
    """(decision, whether it has a label, whether somebody was asked for it) → predictions of a version."""
    row, asked = predictions.c, labels.c.selected_by.is_not(None)
    has_label = row.label_id.is_not(None)
    chosen = (
        select(row.decision, has_label, asked, func.count())
        .select_from(predictions.outerjoin(labels, labels.c.id == row.label_id))
        .where(SENT, row.version == version, happened(since, until))
        .group_by(row.decision, has_label, asked)
    )
    return {(decision, bool(has), bool(was)): count for decision, has, was, count in connection.execute(chosen)}


def label_sources(connection: Connection, since: datetime, until: datetime, version: str, limit: int) -> "pd.DataFrame":
    """The rows that `PredictionStore.label_sources` describes."""
    row = predictions.c
    chosen = (
        select(
            row.id,
            row.variant,
            event_time,
            row.decision,
            row.probability,
            row.prediction,
            row.label_id.is_not(None),
            labels.c.selected_by,
        )
        .select_from(predictions.outerjoin(labels, labels.c.id == row.label_id))
        .where(SENT, row.version == version, happened(since, until))
        .order_by(func.substr(row.id, RANDOM_FROM), row.id)  # identifiers end at random: a sample, the same each time
        .limit(limit)
    )
    return _table(connection.execute(chosen).all())


def _table(found: Sequence[Any]) -> "pd.DataFrame":
    import pandas as pd

    rows = [
        (id, variant, at, decision, _score(probability, prediction), bool(labelled), selected_by)
        for id, variant, at, decision, probability, prediction, labelled, selected_by in found
    ]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    frame["event_at"] = pd.to_datetime(frame["event_at"], utc=True)
    return frame.astype({"score": "float64", "is_labelled": "bool", "selected_by": object})


def _score(probability: float | None, prediction: Any) -> float | None:
    """The probability, or the number that was predicted."""
    if probability is not None:
        return probability
    return float(prediction) if isinstance(prediction, int | float) else None
