"""Read queries of the prediction store."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from noria.predictions.ids import RANDOM_FROM
from noria.predictions.records import SMOKE, StoreCounts
from noria.predictions.sql_dialects import is_one_of
from noria.predictions.sql_tables import labels, predictions

_REAL = predictions.c.variant != SMOKE
_SENT = and_(_REAL, predictions.c.shadow_of.is_(None))


def window_query(
    since: datetime,
    until: datetime | None,
    limit: int | None,
    version: str | None,
    labelled: bool | None,
    *,
    variants: Sequence[str] | None,
    shadows: bool,
) -> Select[Any]:
    """The rows that `PredictionStore.window` describes, oldest first."""
    chosen = select(predictions).where(_REAL if shadows else _SENT, predictions.c.at >= since)
    if until is not None:
        chosen = chosen.where(predictions.c.at < until)
    if version is not None:
        chosen = chosen.where(predictions.c.version == version)
    if labelled is not None:
        chosen = chosen.where(predictions.c.label_id.is_not(None) == labelled)
    if variants is not None:
        chosen = chosen.where(predictions.c.variant.in_(variants))
    if limit is not None:  # identifiers end at random, so the first ones in the order of their ends are a sample
        end = func.substr(predictions.c.id, RANDOM_FROM)
        sample = chosen.with_only_columns(predictions.c.id).order_by(end, predictions.c.id).limit(limit)
        chosen = select(predictions).where(predictions.c.id.in_(sample))
    return chosen.order_by(predictions.c.at, predictions.c.seq)


def store_counts(connection: Connection, version: str | None) -> StoreCounts:
    """The number of stored predictions, overall or of one version."""
    row = predictions.c
    chosen: Select[Any] = select(
        func.count(row.request_id.distinct()),
        func.count(),
        func.count(row.label_id),
        func.min(row.at),
        func.max(row.at),
    ).where(_SENT)
    if version is not None:
        chosen = chosen.where(row.version == version)
    waiting = select(func.count()).select_from(labels).where(labels.c.pending)
    requests, sent, labelled, first_at, last_at = connection.execute(chosen).one()
    unmatched = connection.execute(waiting).scalar_one() if version is None else 0
    return StoreCounts(requests, sent, labelled, unmatched, first_at, last_at)


def known_ids(connection: Connection, ids: Collection[str]) -> set[str]:
    """The identifiers that stored predictions have."""
    return set(connection.scalars(select(predictions.c.id).where(is_one_of(connection, predictions.c.id, ids))))
