"""Cycles, obligations, absences, and persons known to be one"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


# What a school taught last before versions were opened one by one is what it has in use.
IN_USE = """
INSERT INTO policy_opening (id, school_id, number, sha256, before, weight, proposed, reason,
                            clauses, binds, opened_on, opened_at)
SELECT journey.id, journey.school_id, journey.policy_number, journey.policy_sha256, '', 'first',
       '', '', '[]', '[]', date(journey.started_at), journey.started_at
FROM journey
WHERE journey.id = (
  SELECT last.id FROM journey AS last
  WHERE last.school_id = journey.school_id
  ORDER BY last.started_at DESC, last.id DESC LIMIT 1)
"""


def upgrade() -> None:
    op.create_table(
        "absence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["entered_by"], ["person.id"], name=op.f("fk_absence_entered_by_person")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_absence_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
    )
    op.create_index("ix_absence_person", "absence", ["school_id", "person_id"], unique=False)
    op.create_table(
        "calendar",
        sa.Column("school_id", sa.String(length=80), nullable=False),
        sa.Column("began_on", sa.Date(), nullable=False),
        sa.Column("opens_month", sa.Integer(), nullable=False),
        sa.Column("opens_day", sa.Integer(), nullable=False),
        sa.Column("closes_month", sa.Integer(), nullable=False),
        sa.Column("closes_day", sa.Integer(), nullable=False),
        sa.Column("induction_days", sa.Integer(), nullable=False),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["person.id"], name=op.f("fk_calendar_changed_by_person")
        ),
        sa.PrimaryKeyConstraint("school_id", name=op.f("pk_calendar")),
    )
    op.create_table(
        "cycle",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["opened_by"], ["person.id"], name=op.f("fk_cycle_opened_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cycle")),
        sa.UniqueConstraint("school_id", "name", name=op.f("uq_cycle_school_id_name")),
    )
    op.create_table(
        "holiday",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["entered_by"], ["person.id"], name=op.f("fk_holiday_entered_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holiday")),
    )
    op.create_index("ix_holiday_school", "holiday", ["school_id", "starts_on"], unique=False)
    op.create_table(
        "policy_opening",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.String(length=80), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("before", sa.String(length=20), nullable=False),
        sa.Column("weight", sa.String(length=10), nullable=False),
        sa.Column("proposed", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("clauses", sa.JSON(), nullable=False),
        sa.Column("binds", sa.JSON(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["opened_by"], ["person.id"], name=op.f("fk_policy_opening_opened_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_opening")),
    )
    op.create_index(
        "ix_policy_opening_school", "policy_opening", ["school_id", "opened_at"], unique=False
    )
    op.create_table(
        "obligation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("module", sa.String(length=40), nullable=False),
        sa.Column("cycle", sa.String(length=20), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("completion_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["completion_id"],
            ["completion.id"],
            name=op.f("fk_obligation_completion_id_completion"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_obligation_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligation")),
        sa.UniqueConstraint(
            "school_id",
            "person_id",
            "module",
            "cycle",
            name=op.f("uq_obligation_school_id_person_id_module_cycle"),
        ),
    )
    op.create_index(
        "ix_obligation_cycle", "obligation", ["school_id", "cycle", "module"], unique=False
    )
    op.create_index(op.f("ix_obligation_person_id"), "obligation", ["person_id"], unique=False)
    op.create_table(
        "due_date_move",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.String(length=80), nullable=False),
        sa.Column("obligation_id", sa.Uuid(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved_by", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["moved_by"], ["person.id"], name=op.f("fk_due_date_move_moved_by_person")
        ),
        sa.ForeignKeyConstraint(
            ["obligation_id"],
            ["obligation.id"],
            name=op.f("fk_due_date_move_obligation_id_obligation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_due_date_move")),
    )
    op.create_index("ix_due_date_move_obligation", "due_date_move", ["obligation_id"], unique=False)
    # Nobody refers to a completion yet but the obligations above, so SQLite may make it anew.
    with op.batch_alter_table("completion") as completion:
        for name in ("score", "first_score", "pass_mark"):
            completion.alter_column(name, existing_type=sa.Integer(), nullable=True)
    _add_person("declaration", "entered_by")
    op.add_column("declaration", sa.Column("entered_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "declaration",
        sa.Column("entered_reason", sa.String(length=1000), nullable=False, server_default=""),
    )
    op.add_column(
        "journey",
        sa.Column("since_number", sa.String(length=20), nullable=False, server_default=""),
    )
    op.add_column(
        "journey", sa.Column("changes_read_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "membership",
        sa.Column("payroll_number", sa.String(length=40), nullable=False, server_default=""),
    )
    _add_person("person", "one_with")
    op.create_index(op.f("ix_person_one_with"), "person", ["one_with"], unique=False)
    op.execute(IN_USE)


def _add_person(table: str, column: str) -> None:
    """Alembic would add the reference apart, which SQLite cannot."""
    uuid = sa.Uuid().compile(dialect=op.get_bind().dialect)
    op.execute(
        f"ALTER TABLE {table} ADD COLUMN {column} {uuid} "
        f"CONSTRAINT fk_{table}_{column}_person REFERENCES person (id)"
    )
