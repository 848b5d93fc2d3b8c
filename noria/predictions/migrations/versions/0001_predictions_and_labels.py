"""Predictions and labels, as Noria kept them before revisions were counted."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "predictions",
        sa.Column("seq", _COUNTER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("request_id", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("variant", sa.String, nullable=False),
        sa.Column("entity", sa.String),
        sa.Column("features", sa.JSON, nullable=False),
        sa.Column("prediction", sa.JSON, nullable=False),
        sa.Column("probability", sa.Float),
        sa.Column("decision", sa.String, nullable=False),
        sa.Column("warning", sa.String, nullable=False),
        sa.Column("latency_ms", sa.Float, nullable=False),
        sa.Column("label_id", sa.String),
        sa.Column("label", sa.JSON),
        sa.Column("labelled_at", sa.DateTime),
    )
    op.create_index("ix_predictions_at", "predictions", ["at"])
    op.create_index("ix_predictions_entity", "predictions", ["entity"])
    op.create_table(
        "labels",
        sa.Column("seq", _COUNTER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("prediction_id", sa.String),
        sa.Column("entity", sa.String),
        sa.Column("label", sa.JSON, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("pending", sa.Boolean, nullable=False),
    )
    op.create_index("ix_labels_prediction_id", "labels", ["prediction_id"])
    op.create_index("ix_labels_entity", "labels", ["entity"])
    waits = sa.text("pending")
    op.create_index("labels_pending", "labels", ["pending"], sqlite_where=waits, postgresql_where=waits)
