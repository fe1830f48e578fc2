"""The migrations give just the tables that the code describes, with one head."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from lti_tool.app import create_app  # noqa: F401  (brings every table)
from lti_tool.core.database import Database, Table
from lti_tool.migrations.run import _config, is_current

NO_SCHOOL = {
    # what people are, or what a platform or a file is, rather than what somebody did
    "access_token",
    "alembic_version",
    "content",
    "deployment",
    "identity",
    "invitation",
    "line_item",
    "nonce",
    "person",
    "reachability",
    "registration",
    "teams_tenant",
    "worker_beat",
}


def test_one_head() -> None:
    assert len(ScriptDirectory.from_config(_config()).get_heads()) == 1


def test_a_migrated_database_is_what_the_models_describe(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Table.metadata)
    assert differences == []
    assert is_current(database.engine)


def test_every_table_of_what_people_did_has_a_school(database: Database) -> None:
    inspector = inspect(database.engine)
    tables = set(inspector.get_table_names())
    assert tables >= NO_SCHOOL | {"ledger_entry", "journey", "question", "score_outbox"}
    without = {
        table
        for table in tables
        if "school_id" not in {column["name"] for column in inspector.get_columns(table)}
    }
    assert without == NO_SCHOOL


def test_nothing_cascades(database: Database) -> None:
    """Removing a person or a school can never take evidence along."""
    inspector = inspect(database.engine)
    for table in inspector.get_table_names():
        for key in inspector.get_foreign_keys(table):
            assert not key["options"].get("ondelete"), (table, key)
