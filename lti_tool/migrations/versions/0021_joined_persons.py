"""Who is one with somebody is found, however few they are"""

from alembic import op
from sqlalchemy import text

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    joined = text("one_with IS NOT NULL")
    op.create_index(
        "ix_person_joined", "person", ["one_with"], sqlite_where=joined, postgresql_where=joined
    )
