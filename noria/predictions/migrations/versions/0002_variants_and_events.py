"""Versions of the policy, shadow variants, labels that are kept once, and events."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add what serving several models side by side needs."""
    op.add_column("predictions", sa.Column("policy", sa.String, nullable=False, server_default="1"))
    op.add_column("predictions", sa.Column("shadow_of", sa.String))
    shadows, labelled = sa.text("shadow_of IS NOT NULL"), sa.text("label_id IS NOT NULL")
    op.create_index(
        "predictions_shadow_of", "predictions", ["shadow_of"], sqlite_where=shadows, postgresql_where=shadows
    )
    op.create_index("predictions_variant_at", "predictions", ["variant", "at"])
    op.create_index(
        "predictions_labelled", "predictions", ["variant", "at"], sqlite_where=labelled, postgresql_where=labelled
    )
    op.create_index("labels_id", "labels", ["id"], unique=True)
    op.create_table(
        "events",
        sa.Column("seq", _COUNTER, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String, nullable=False, unique=True),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("variant", sa.String, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("detail", sa.String, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
    )
    op.create_index("ix_events_at", "events", ["at"])
