"""The access log: what managers did, and whom it concerned"""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations import guards

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "act",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(length=60), nullable=False),
        sa.Column("names_everybody", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_act_actor_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act")),
    )
    op.create_index("ix_act_school", "act", ["school_id", "at"])
    op.create_table(
        "act_concerns",
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["act_id"], ["act.id"], name=op.f("fk_act_concerns_act_id_act")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_act_concerns_person_id_person")
        ),
        sa.PrimaryKeyConstraint("act_id", "person_id", name=op.f("pk_act_concerns")),
    )
    op.create_index("ix_act_concerns_person", "act_concerns", ["school_id", "person_id"])
    guards.guard_appended(op.get_bind(), guards.ACTS)
