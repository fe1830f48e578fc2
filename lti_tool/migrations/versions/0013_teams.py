"""Microsoft Teams: organisations, their schools, and channels that are posted to"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "teams_tenant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("client_id", sa.String(length=36), nullable=False),
        sa.Column("in_outlook", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams_tenant")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_teams_tenant_tenant_id")),
    )
    op.create_table(
        "teams_tenant_school",
        sa.Column("tenant_row_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_row_id"],
            ["teams_tenant.id"],
            name=op.f("fk_teams_tenant_school_tenant_row_id_teams_tenant"),
        ),
        sa.PrimaryKeyConstraint("tenant_row_id", "school_id", name=op.f("pk_teams_tenant_school")),
    )
    op.create_index(op.f("ix_teams_tenant_school_school_id"), "teams_tenant_school", ["school_id"])
    op.create_table(
        "teams_channel",
        sa.Column("school_id", sa.String(length=80), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["person.id"], name=op.f("fk_teams_channel_changed_by_person")
        ),
        sa.PrimaryKeyConstraint("school_id", name=op.f("pk_teams_channel")),
    )
    op.create_table(
        "teams_post",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_status", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams_post")),
    )
    op.create_index(op.f("ix_teams_post_school_id"), "teams_post", ["school_id"])
    op.create_index("ix_teams_post_due", "teams_post", ["state", "next_at"])
