"""When a case happens, beside when it was asked; and how often its label changed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Cases so far happened when they were asked; so did those that an earlier version adds during an upgrade."""
    op.add_column("predictions", sa.Column("event_at", sa.DateTime))
    op.add_column("predictions", sa.Column("label_changes", sa.Integer, nullable=False, server_default="0"))
    timed = sa.text("event_at IS NOT NULL")
    op.create_index("predictions_event_at", "predictions", ["event_at"], sqlite_where=timed, postgresql_where=timed)
    differing = (
        "SELECT prediction_id FROM labels WHERE prediction_id IS NOT NULL AND NOT pending "
        "GROUP BY prediction_id HAVING count(DISTINCT CAST(label AS VARCHAR)) > 1"
    )
    op.execute(f"UPDATE predictions SET label_changes = 1 WHERE id IN ({differing})")  # noqa: S608 - no input
