"""Who gave a label, and how its case was selected."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Labels so far came by themselves, as far as is known."""
    op.add_column("labels", sa.Column("given_by", sa.String))
    op.add_column("labels", sa.Column("selected_by", sa.String))
    op.add_column("labels", sa.Column("selection_probability", sa.Float))
