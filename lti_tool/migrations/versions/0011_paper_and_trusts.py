"""Declarations on paper that are taken back, and visits that look at another school"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "completion", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True)
    )
    uuid = sa.Uuid().compile(dialect=op.get_bind().dialect)
    op.execute(  # with its reference, which SQLite cannot be given apart
        f"ALTER TABLE completion ADD COLUMN withdrawn_by {uuid} "
        "CONSTRAINT fk_completion_withdrawn_by_person REFERENCES person (id)"
    )
    op.add_column(
        "completion",
        sa.Column("withdrawn_reason", sa.String(length=1000), nullable=False, server_default=""),
    )
    op.add_column("visit", sa.Column("home_school_id", sa.String(length=80), nullable=True))
    op.add_column("visit", sa.Column("home_place_id", sa.Uuid(), nullable=True))
