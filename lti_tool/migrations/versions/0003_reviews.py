"""What a visit from a platform's gradebook came to read"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("visit", sa.Column("review_of", sa.Uuid(), nullable=True))
