"""What the store is asked."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from noria.predictions.ids import RANDOM_FROM
from noria.predictions.records import SMOKE, StoreCounts
from noria.predictions.sql_dialects import among
from noria.predictions.sql_tables import labels, predictions

_ASKED_FOR = predictions.c.variant != SMOKE
_ANSWERED = and_(_ASKED_FOR, predictions.c.shadow_of.is_(None))


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
    chosen = select(predictions).where(_ASKED_FOR if shadows else _ANSWERED, predictions.c.at >= since)
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


def counts_of(connection: Connection, version: str | None) -> StoreCounts:
    """How many answers are kept, in all or of one version."""
    row = predictions.c
    chosen: Select[Any] = select(
        func.count(row.request_id.distinct()),
        func.count(),
        func.count(row.label_id),
        func.min(row.at),
        func.max(row.at),
    ).where(_ANSWERED)
    if version is not None:
        chosen = chosen.where(row.version == version)
    waiting = select(func.count()).select_from(labels).where(labels.c.pending)
    requests, answered, labelled, first_at, last_at = connection.execute(chosen).one()
    unmatched = connection.execute(waiting).scalar_one() if version is None else 0
    return StoreCounts(requests, answered, labelled, unmatched, first_at, last_at)


def known_ids(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of the identifiers that a kept prediction has."""
    return set(connection.scalars(select(predictions.c.id).where(among(connection, predictions.c.id, ids))))
