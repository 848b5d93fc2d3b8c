"""Predictions of test requests, which are no part of production."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """All predictions so far count as production; so do those that an earlier version adds during an upgrade."""
    op.add_column("predictions", sa.Column("is_test", sa.Boolean, nullable=False, server_default=sa.false()))
