"""Journeys are found by their cycle"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_journey_cycle", "journey", ["school_id", "cycle"])
