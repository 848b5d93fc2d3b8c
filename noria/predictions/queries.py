"""Read queries of the prediction store."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from noria.predictions.ids import RANDOM_FROM
from noria.predictions.records import SMOKE, GivenLabel, StoreCounts
from noria.predictions.sql_dialects import is_one_of
from noria.predictions.sql_tables import event_time, labels, predictions

_REAL = and_(predictions.c.variant != SMOKE, predictions.c.is_test.is_(False))
SENT = and_(_REAL, predictions.c.shadow_of.is_(None))
"""Predictions that somebody got: without smoke tests, test requests and shadows."""


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
    chosen = select(predictions).where(_REAL if shadows else SENT, happened(since, until))
    if version is not None:
        chosen = chosen.where(predictions.c.version == version)
    if labelled is not None:
        label_id = predictions.c.label_id  # written out, so that the index of labelled predictions can be used
        chosen = chosen.where(label_id.is_not(None) if labelled else label_id.is_(None))
    if variants is not None:
        chosen = chosen.where(predictions.c.variant.in_(variants))
    if limit is not None:  # identifiers end at random, so the first ones in the order of their ends are a sample
        end = func.substr(predictions.c.id, RANDOM_FROM)
        sample = chosen.with_only_columns(predictions.c.id).order_by(end, predictions.c.id).limit(limit)
        chosen = select(predictions).where(predictions.c.id.in_(sample))
    return chosen.order_by(event_time, predictions.c.seq)


def count_of(chosen: Select[Any]) -> Select[tuple[int]]:
    """How many rows a query has."""
    return select(func.count()).select_from(chosen.with_only_columns(predictions.c.seq).order_by(None).subquery())


def rows_query(connection: Connection, ids: Collection[str]) -> Select[Any]:
    """The rows with these identifiers, oldest first."""
    return (
        select(predictions).where(is_one_of(connection, predictions.c.id, ids)).order_by(event_time, predictions.c.seq)
    )


def happened(since: datetime, until: datetime | None) -> ColumnElement[bool]:
    """The case happens at `since` or later and, if given, before `until`; each part has an index."""
    event_at, at = predictions.c.event_at, predictions.c.at
    if until is None:
        return or_(event_at >= since, and_(event_at.is_(None), at >= since))
    return or_(
        and_(event_at >= since, event_at < until),
        and_(event_at.is_(None), at >= since, at < until),
    )


def outside_counts(
    connection: Connection, since: datetime, until: datetime, version: str
) -> tuple[int, datetime | None, datetime | None]:
    """Predictions of a version that were asked in this time of cases that do not happen in it; first and last time."""
    row = predictions.c
    if connection.execute(select(row.seq).where(row.event_at.is_not(None)).limit(1)).first() is None:
        return 0, None, None  # quick to see in the index
    chosen = select(func.count(), func.min(row.event_at), func.max(row.event_at)).where(
        *(SENT, row.version == version, row.at >= since, row.at < until),
        or_(row.event_at < since, row.event_at >= until),
    )
    count, first, last = connection.execute(chosen).one()
    return count, first, last


def case_span(connection: Connection, version: str) -> tuple[int, datetime | None, datetime | None]:
    """Predictions of a version, and when the first and the last of their cases happen."""
    chosen = select(func.count(), func.min(event_time), func.max(event_time))
    count, first, last = connection.execute(chosen.where(SENT, predictions.c.version == version)).one()
    return count, first, last


def store_counts(connection: Connection, version: str | None) -> StoreCounts:
    """The number of stored predictions, overall or of one version."""
    row = predictions.c
    chosen: Select[Any] = select(
        func.count(row.request_id.distinct()),
        func.count(),
        func.count(row.label_id),
        func.min(row.at),
        func.max(row.at),
    ).where(SENT)
    if version is not None:
        chosen = chosen.where(row.version == version)
    waiting = select(func.count()).select_from(labels).where(labels.c.pending)
    requests, sent, labelled, first_at, last_at = connection.execute(chosen).one()
    unmatched = connection.execute(waiting).scalar_one() if version is None else 0
    return StoreCounts(requests, sent, labelled, unmatched, first_at, last_at)


def given_labels(connection: Connection, ids: Collection[str]) -> list[GivenLabel]:
    """What people have said of these predictions, the earliest first."""
    row = labels.c
    wanted = select(row.prediction_id, row.label, row.given_by, row.at).where(
        row.given_by.is_not(None), is_one_of(connection, row.prediction_id, ids)
    )
    return [GivenLabel(*found) for found in connection.execute(wanted.order_by(row.seq))]


def unlabelled(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of these predictions that are known and have no label."""
    row = predictions.c
    return set(
        connection.scalars(select(row.id).where(_REAL, row.label_id.is_(None), is_one_of(connection, row.id, ids)))
    )


def for_review(connection: Connection, model: str, limit: int) -> list[tuple[str, dict[str, Any]]]:
    """The newest predictions of a model that a person decides and that have no label: id and inputs."""
    row = predictions.c
    wanted = select(row.id, row.features).where(SENT, row.model == model, row.decision == "ask", row.label_id.is_(None))
    return [(each.id, each.features) for each in connection.execute(wanted.order_by(row.at.desc()).limit(limit))]


def predicted_models(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    """Prediction → the name of the model that made it, of those ids that are known; tests are not."""
    row = predictions.c
    found = connection.execute(select(row.id, row.model).where(_REAL, is_one_of(connection, row.id, ids)))
    return {each.id: each.model for each in found}


def has_own_labels(connection: Connection) -> bool:
    """Whether any label has come by itself, without a person who was asked."""
    return connection.execute(select(labels.c.seq).where(labels.c.given_by.is_(None)).limit(1)).first() is not None


def known_ids(connection: Connection, ids: Collection[str]) -> set[str]:
    """The identifiers that stored predictions have."""
    return set(connection.scalars(select(predictions.c.id).where(is_one_of(connection, predictions.c.id, ids))))
