"""One line item a cycle, and whether platforms answer"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# An item that has been scored belongs to the first cycle that was scored in it.
KEEP = """
INSERT INTO line_item (resource_link_row_id, module, cycle, url, is_own)
SELECT DISTINCT resource_link.id, score_outbox.module, score_outbox.cycle,
       resource_link.line_item_url, (1 = 1)
FROM score_outbox JOIN resource_link ON resource_link.id = score_outbox.resource_link_row_id
WHERE resource_link.line_item_url <> ''
  AND score_outbox.id = (
    SELECT first.id FROM score_outbox AS first
    WHERE first.resource_link_row_id = resource_link.id
      AND first.line_item_url = resource_link.line_item_url
    ORDER BY first.timestamp, first.id LIMIT 1)
"""


def upgrade() -> None:
    op.create_table(
        "line_item",
        sa.Column("resource_link_row_id", sa.Uuid(), nullable=False),
        sa.Column("module", sa.String(length=40), nullable=False),
        sa.Column("cycle", sa.String(length=40), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("is_own", sa.Boolean(), nullable=False),
        sa.Column("sought_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["resource_link_row_id"],
            ["resource_link.id"],
            name=op.f("fk_line_item_resource_link_row_id_resource_link"),
        ),
        sa.PrimaryKeyConstraint(
            "resource_link_row_id", "module", "cycle", name=op.f("pk_line_item")
        ),
    )
    op.create_index(
        "uq_line_item_own",
        "line_item",
        ["resource_link_row_id"],
        unique=True,
        sqlite_where=sa.text("is_own"),
        postgresql_where=sa.text("is_own"),
    )
    op.create_table(
        "reachability",
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probe_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("compared_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.id"],
            name=op.f("fk_reachability_registration_id_registration"),
        ),
        sa.PrimaryKeyConstraint("registration_id", name=op.f("pk_reachability")),
    )
    op.add_column(
        "score_outbox",
        sa.Column("replaces", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "score_outbox", sa.Column("losses", sa.Integer(), nullable=False, server_default="0")
    )
    op.execute(KEEP)
