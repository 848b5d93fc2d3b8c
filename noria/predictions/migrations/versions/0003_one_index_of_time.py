"""One index of time and variant, where there were two: each index costs every row that is kept."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Time first, so that rows are added at the index's end, whatever their variant."""
    op.create_index("predictions_at_variant", "predictions", ["at", "variant"])
    op.drop_index("predictions_variant_at", "predictions")
    op.drop_index("ix_predictions_at", "predictions")
