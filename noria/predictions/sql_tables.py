"""The store's tables; `migrations/` holds the steps from older revisions."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    false,
    func,
)
from sqlalchemy.types import TypeDecorator

_COUNTER = BigInteger().with_variant(Integer, "sqlite")
_MAX_LENGTH = 255


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept as UTC without its offset: SQLite has no type for offsets."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to the database's type."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert from the database's type."""
        return None if value is None else value.replace(tzinfo=UTC)


metadata = MetaData()

predictions = Table(
    "predictions",
    metadata,
    Column("seq", _COUNTER, primary_key=True, autoincrement=True),
    Column("id", String, nullable=False, unique=True),
    Column("at", UtcTime, nullable=False),
    Column("request_id", String, nullable=False),
    Column("model", String, nullable=False),
    Column("version", String, nullable=False),
    Column("variant", String, nullable=False),
    Column("entity", String, index=True),
    Column("features", JSON, nullable=False),
    Column("prediction", JSON, nullable=False),
    Column("probability", Float),
    Column("decision", String, nullable=False),
    Column("warning", String, nullable=False),
    Column("latency_ms", Float, nullable=False),
    Column("label_id", String),
    Column("label", JSON(none_as_null=True)),
    Column("labelled_at", UtcTime),
    Column("policy", String, nullable=False, server_default="1"),
    Column("shadow_of", String),
    Column("is_test", Boolean, nullable=False, server_default=false()),
    Column("event_at", UtcTime),  # missing: the time of the request stands in, see `event_time`
    Column("label_changes", Integer, nullable=False, server_default="0"),
)
event_time = func.coalesce(predictions.c.event_at, predictions.c.at, type_=UtcTime)
"""When a case happens: by the use case's `data.time` or, without one, when the request arrived."""
_shadows, _labelled = predictions.c.shadow_of.is_not(None), predictions.c.label_id.is_not(None)
Index("predictions_shadow_of", predictions.c.shadow_of, sqlite_where=_shadows, postgresql_where=_shadows)
Index("predictions_at_variant", predictions.c.at, predictions.c.variant)
_timed = predictions.c.event_at.is_not(None)  # use cases without a time pay for no further index
Index("predictions_event_at", predictions.c.event_at, sqlite_where=_timed, postgresql_where=_timed)
Index(
    "predictions_labelled",
    predictions.c.variant,
    predictions.c.at,
    sqlite_where=_labelled,
    postgresql_where=_labelled,
)

# Labels are only added here, so a replaced one stays; `predictions.label` is the current one.
labels = Table(
    "labels",
    metadata,
    Column("seq", _COUNTER, primary_key=True, autoincrement=True),
    Column("id", String, nullable=False),
    Column("prediction_id", String, index=True),
    Column("entity", String, index=True),
    Column("label", JSON, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("pending", Boolean, nullable=False),
    Column("given_by", String),
    Column("selected_by", String),
    Column("selection_probability", Float),
)
Index("labels_pending", labels.c.pending, sqlite_where=labels.c.pending, postgresql_where=labels.c.pending)
Index("labels_id", labels.c.id, unique=True)

events = Table(
    "events",
    metadata,
    Column("seq", _COUNTER, primary_key=True, autoincrement=True),
    Column("key", String, nullable=False, unique=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("variant", String, nullable=False),
    Column("version", String, nullable=False),
    Column("detail", String, nullable=False),
    Column("count", Integer, nullable=False),
)


def indexable_name(text: str) -> str:
    """A name or an identifier in a form that the store can index, the same for the same text.

    PostgreSQL accepts neither NUL characters nor long texts in an index: long texts become a prefix and a digest.
    """
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    if len(text) <= _MAX_LENGTH:
        return text
    from hashlib import sha256

    return f"{text[:190]}…{sha256(text.encode()).hexdigest()}"
