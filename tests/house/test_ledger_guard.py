"""The ledger's tables are attacked in plain SQL, after every migration there is."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import DBAPIError

from lti_tool.core import ledger
from lti_tool.core.database import Database

SCHOOL = "hemswell-cliff"
COLUMNS = "school_id, sequence, record_id, kind, recorded_at, body, hash"
CHANGES = (
    "UPDATE ledger_entry SET kind = 'other'",
    "UPDATE ledger_entry SET hash = hash WHERE sequence = 1",
    "UPDATE ledger_entry SET sequence = 9 WHERE sequence = 1",
    "DELETE FROM ledger_entry",
    "DELETE FROM ledger_entry WHERE sequence = 2",
    "DELETE FROM ledger_head",
    "UPDATE ledger_head SET sequence = 1",
    "UPDATE ledger_head SET hash = 'x'",
    "UPDATE ledger_head SET school_id = 'glenmere', sequence = 9",
)
SQLITE_ONLY = (
    f"INSERT OR REPLACE INTO ledger_entry SELECT {COLUMNS} FROM ledger_entry",
    f"REPLACE INTO ledger_entry SELECT {COLUMNS} FROM ledger_entry WHERE sequence = 1",
    "INSERT OR REPLACE INTO ledger_entry SELECT 'glenmere', 1, record_id, kind, recorded_at, "
    "body, hash FROM ledger_entry WHERE sequence = 1",
    "UPDATE OR REPLACE ledger_entry SET sequence = 2 WHERE sequence = 1",
    f"INSERT INTO ledger_entry SELECT {COLUMNS} FROM ledger_entry WHERE true "
    "ON CONFLICT DO UPDATE SET kind = 'other'",
)
POSTGRES_ONLY = (
    "TRUNCATE ledger_entry",
    "TRUNCATE ledger_entry, ledger_head CASCADE",
    "TRUNCATE ledger_head",
    f"INSERT INTO ledger_entry SELECT {COLUMNS} FROM ledger_entry "
    "ON CONFLICT (school_id, sequence) DO UPDATE SET kind = 'other'",
    "MERGE INTO ledger_entry USING (SELECT 1 AS one) AS other ON sequence = one "
    "WHEN MATCHED THEN DELETE",
)


@pytest.fixture
def written(database: Database) -> Database:
    with database.transaction() as session:
        for number in (1, 2):
            ledger.append(
                session,
                school_id=SCHOOL,
                kind="test",
                facts={"number": number},
                now=datetime(2026, 11, 23, 9, tzinfo=UTC),
            )
    return database


def intact(database: Database) -> None:
    with database.reading() as session:
        assert ledger.verify(session, school_id=SCHOOL) == (2, None)
        assert list(ledger.schools(session)) == [SCHOOL]


def attack(database: Database, statement: str) -> None:
    with (
        pytest.raises(DBAPIError, match="append-only"),
        database.engine.execution_options(writes=True).begin() as connection,
    ):
        connection.exec_driver_sql(statement)
    intact(database)


@pytest.mark.parametrize("statement", CHANGES)
def test_no_change_is_let_through(written: Database, statement: str) -> None:
    attack(written, statement)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("statement", SQLITE_ONLY)
def test_sqlite_lets_no_replacement_through(written: Database, statement: str) -> None:
    attack(written, statement)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("statement", SQLITE_ONLY)
def test_a_connection_without_our_settings_is_refused_as_well(
    written: Database, statement: str
) -> None:
    """REPLACE fires no delete trigger where ``recursive_triggers`` is off, as it is by default."""
    with (
        closing(sqlite3.connect(str(written.engine.url.database))) as connection,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        connection.execute(statement)
    intact(written)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_passes_a_replaced_head_by(written: Database) -> None:
    """Refused without an error, because the first entry of a school inserts its head so."""
    with written.engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql(f"REPLACE INTO ledger_head VALUES ('{SCHOOL}', 9, 'x')")
    intact(written)


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("statement", POSTGRES_ONLY)
def test_postgresql_lets_no_truncation_through(written: Database, statement: str) -> None:
    attack(written, statement)
