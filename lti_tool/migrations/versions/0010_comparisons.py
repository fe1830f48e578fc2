"""What a journey is compared with: a policy declared before, here or at another school"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

LENGTHS = {
    "since_sha256": 64,
    "since_role_group": 20,
    "beside_school": 80,
    "beside_number": 20,
    "beside_sha256": 64,
    "beside_role_group": 20,
}


def upgrade() -> None:
    for name, length in LENGTHS.items():
        column = sa.Column(name, sa.String(length=length), nullable=False, server_default="")
        op.add_column("journey", column)
    for name in ("since_at", "beside_at"):
        op.add_column("journey", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
