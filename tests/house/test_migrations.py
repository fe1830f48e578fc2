"""The migrations give just the tables that the code describes, with one head."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from lti_tool.app import create_app  # noqa: F401  (brings every table)
from lti_tool.core.database import Database, Table
from lti_tool.migrations.run import _config, head, upgrade_on
from lti_tool.migrations.standing import can_serve, ours

LIVING = "0016"
"""From here on a migration may find an old version running, and only adds."""
NO_SCHOOL = {
    # what people are, or what a platform or a file is, rather than what somebody did
    "access_token",
    "alembic_version",
    "content",
    "deployment",
    "drawer_item",
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
    assert ours()[-1] == head()


def test_a_migrated_database_is_what_the_models_describe(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Table.metadata)
    assert differences == []
    assert can_serve(database.engine)


def test_a_migration_only_adds(tmp_path: Path) -> None:
    """So that the old version, still running, neither misses anything nor has anything refused."""
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    scripts = reversed(list(ScriptDirectory.from_config(_config()).walk_revisions()))
    steps = [script.revision for script in scripts if script.revision >= LIVING]
    assert steps
    before: Layout | None = None
    for step in steps:
        with database.engine.execution_options(writes=True).begin() as connection:
            upgrade_on(connection, step)
        after = _layout(database)
        assert before is None or (fault := _what_breaks(before, after)) == [], (step, fault)
        before = after
    database.engine.dispose()


@dataclass(frozen=True)
class Layout:
    """What a statement of the old version can meet."""

    columns: Mapping[tuple[str, str], tuple[str, bool, bool]]
    """By table and name: type, whether it may be empty, whether it has a default."""
    demands: frozenset[tuple[str, str]]
    """By table: what is unique, and what other table is pointed to."""


def _layout(database: Database) -> Layout:
    inspector = inspect(database.engine)
    columns, demands = {}, set()
    for table in inspector.get_table_names():
        for one in inspector.get_columns(table):
            facts = (str(one["type"]), bool(one["nullable"]), one["default"] is not None)
            columns[table, str(one["name"])] = facts
        keys = [*inspector.get_unique_constraints(table), *inspector.get_indexes(table)]
        demands |= {(table, str(one["column_names"])) for one in keys if one.get("unique", True)}
        demands |= {
            (table, f"{one['constrained_columns']} of {one['referred_table']}")
            for one in inspector.get_foreign_keys(table)
        }
    return Layout(columns, frozenset(demands))


def _what_breaks(before: Layout, after: Layout) -> list[str]:
    tables = {table for table, _ in before.columns}
    found = [f"{place} is gone" for place in before.columns if place not in after.columns]
    for place, (kind, may_be_empty, has_default) in after.columns.items():
        was = before.columns.get(place)
        if was is None and place[0] in tables and not (may_be_empty or has_default):
            found.append(f"{place} must be filled")
        if was is not None and (kind != was[0] or may_be_empty < was[1] or has_default < was[2]):
            found.append(f"{place} was {was}, is {(kind, may_be_empty, has_default)}")
    new = [one for one in after.demands - before.demands if one[0] in tables]
    return found + [f"{one} is asked for" for one in new]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("CREATE TABLE t (a TEXT NOT NULL, b TEXT, c TEXT)", ""),
        ("CREATE TABLE t (a TEXT NOT NULL, b TEXT, c TEXT NOT NULL DEFAULT '')", ""),
        ("CREATE TABLE t (a TEXT, b TEXT)", ""),
        ("CREATE TABLE t (a TEXT NOT NULL, b TEXT, c TEXT NOT NULL)", "must be filled"),
        ("CREATE TABLE t (a TEXT NOT NULL, b TEXT NOT NULL)", "was"),
        ("CREATE TABLE t (a TEXT NOT NULL)", "is gone"),
        ("CREATE TABLE t (a INTEGER NOT NULL, b TEXT)", "was"),
        ("CREATE TABLE t (a TEXT NOT NULL UNIQUE, b TEXT)", "is asked for"),
        ("CREATE TABLE u (a TEXT NOT NULL, b TEXT)", "is gone"),
    ],
)
def test_what_only_adds_is_told_from_what_does_not(tmp_path: Path, change: str, fault: str) -> None:
    layouts = []
    for number, made in enumerate(("CREATE TABLE t (a TEXT NOT NULL, b TEXT)", change)):
        database = Database(f"sqlite:///{tmp_path / str(number)}")
        with database.engine.begin() as connection:
            connection.exec_driver_sql(made)
        layouts.append(_layout(database))
        database.engine.dispose()
    found = " ".join(_what_breaks(*layouts))
    assert fault in found if fault else not found


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
