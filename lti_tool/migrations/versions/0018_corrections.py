"""The name as it was before a manager corrected it"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "person",
        sa.Column("corrected_name", sa.String(length=255), nullable=False, server_default=""),
    )
