"""The ledger: entries that chain, hide what is personal, and show any later change."""

import hashlib
import json
import threading
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, select, text

from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.core.ledger import Disclosure, LedgerEntry, LedgerHead

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SCHOOL = "hemswell-cliff"
GUARDED = ("ledger_entry", "ledger_head", "checkpoint", "ledger_tile", "disclosure")


def write(database: Database, number: int = 1, school: str = SCHOOL) -> list[UUID]:
    """Append this many entries, each in a transaction of its own."""
    records = []
    for index in range(number):
        with database.transaction() as session:
            person = uuid4()
            records.append(
                ledger.append(
                    session,
                    school_id=school,
                    kind="completion",
                    facts={"score": 90 + index},
                    person_id=person,
                    personal={"name": "Siân Pugh", "answers": ["a", "c"]},
                    now=NOW,
                )
            )
    return records


def bodies(database: Database, school: str = SCHOOL) -> list[dict[str, Any]]:
    with database.reading() as session:
        entries = session.scalars(
            select(LedgerEntry)
            .where(LedgerEntry.school_id == school)
            .order_by(LedgerEntry.sequence)
        )
        return [json.loads(entry.body) for entry in entries]


def verify(database: Database, school: str = SCHOOL) -> tuple[int, ledger.Break | None]:
    with database.reading() as session:
        return ledger.verify(session, school_id=school)


def disarm(connection: Connection) -> None:
    """Take the guards away, as somebody who holds the file or the server can."""
    if connection.dialect.name == "sqlite":
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for name in names.scalars().all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        return
    for table in GUARDED:
        connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")


def tamper(database: Database, statement: str, **values: object) -> None:
    with database.engine.execution_options(writes=True).begin() as connection:
        disarm(connection)
        assert connection.execute(text(statement), values).rowcount == 1


def test_entries_follow_one_another_and_link_by_hash(database: Database) -> None:
    write(database, 3)
    with database.reading() as session:
        entries = session.scalars(select(LedgerEntry).order_by(LedgerEntry.sequence)).all()
        head = session.get_one(LedgerHead, SCHOOL)
    assert [entry.sequence for entry in entries] == [1, 2, 3]
    previous = ledger.NO_HASH
    for entry in entries:
        assert json.loads(entry.body)["previous"] == previous
        assert hashlib.sha256(entry.body).hexdigest() == entry.hash
        previous = entry.hash
    assert (head.sequence, head.hash) == (3, previous)
    assert verify(database) == (3, None)


def test_an_entry_keeps_its_canonical_bytes(database: Database) -> None:
    write(database)
    with database.reading() as session:
        body = session.scalars(select(LedgerEntry.body)).one()
    assert body == ledger.canonical(json.loads(body))
    assert json.loads(body)["at"] == "2026-11-23T09:00:00.000+00:00"


def test_what_is_personal_enters_only_as_a_commitment_with_its_own_salt(
    database: Database,
) -> None:
    first, second = write(database, 2)
    with database.reading() as session:
        raw = b"".join(session.scalars(select(LedgerEntry.body)))
        kept = {(row.record_id, row.field): row for row in session.scalars(select(Disclosure))}
    assert "Siân".encode() not in raw
    assert len({row.salt for row in kept.values()}) == 4
    assert all(len(row.salt) == ledger.SALT_BYTES for row in kept.values())
    said = {body["record"]: body["personal"] for body in bodies(database)}
    for record in (first, second):
        row = kept[record, "name"]
        assert said[str(record)]["name"] == ledger.commitment(row.salt, row.value)
        assert json.loads(row.value) == "Siân Pugh"
    assert said[str(first)]["name"] != said[str(second)]["name"]


def test_nothing_is_written_when_the_transaction_is_rolled_back(database: Database) -> None:
    with database.writing() as session:
        ledger.append(session, school_id=SCHOOL, kind="test", facts={}, now=NOW)
        session.rollback()
        session.commit()  # what was forgotten must not come with the next commit
    with database.reading() as session:
        assert session.scalars(select(LedgerEntry)).all() == []
        assert session.scalars(select(Disclosure)).all() == []


def test_an_entry_waits_for_the_commit(database: Database) -> None:
    with database.writing() as session:
        ledger.append(session, school_id=SCHOOL, kind="test", facts={}, now=NOW)
        session.flush()
        assert session.scalars(select(LedgerEntry)).all() == []
        session.commit()
    assert verify(database) == (1, None)


def test_a_savepoint_writes_nothing_early(database: Database) -> None:
    with database.writing() as session:
        with session.begin_nested():
            ledger.append(session, school_id=SCHOOL, kind="inner", facts={}, now=NOW)
        assert session.scalars(select(LedgerEntry)).all() == []
        ledger.append(session, school_id=SCHOOL, kind="outer", facts={}, now=NOW)
        session.commit()
    assert [body["kind"] for body in bodies(database)] == ["inner", "outer"]


def test_a_rollback_to_a_savepoint_takes_back_what_was_appended_since(database: Database) -> None:
    with database.writing() as session:
        ledger.append(session, school_id=SCHOOL, kind="before", facts={}, now=NOW)
        savepoint = session.begin_nested()
        with session.begin_nested():
            ledger.append(session, school_id=SCHOOL, kind="lost", facts={}, now=NOW)
        savepoint.rollback()
        ledger.append(session, school_id=SCHOOL, kind="after", facts={}, now=NOW)
        session.commit()
    assert [body["kind"] for body in bodies(database)] == ["before", "after"]


def test_each_school_has_a_chain_of_its_own(database: Database) -> None:
    with database.transaction() as session:
        for school in ("wren-spinney", SCHOOL, "wren-spinney"):
            ledger.append(session, school_id=school, kind="test", facts={}, now=NOW)
    assert [body["sequence"] for body in bodies(database, "wren-spinney")] == [1, 2]
    assert [body["sequence"] for body in bodies(database)] == [1]
    with database.reading() as session:
        assert list(ledger.schools(session)) == [SCHOOL, "wren-spinney"]


@pytest.mark.parametrize("value", [1.5, True, None, {"a": [False]}, {"a": b"b"}])
def test_values_on_which_json_writers_differ_are_refused(database: Database, value: Any) -> None:
    with database.writing() as session, pytest.raises(TypeError):
        ledger.append(session, school_id=SCHOOL, kind="test", facts={"a": value}, now=NOW)


def test_personal_values_need_their_person(database: Database) -> None:
    with database.writing() as session, pytest.raises(ValueError, match="person"):
        ledger.append(
            session, school_id=SCHOOL, kind="test", facts={}, personal={"name": "x"}, now=NOW
        )


def test_concurrent_writers_on_several_schools_neither_lose_nor_deadlock(
    database: Database,
) -> None:
    """Each transaction touches two schools, half of them in the other order."""
    writers, each = 8, 12
    faults: list[BaseException] = []
    start = threading.Barrier(writers)

    def run(number: int) -> None:
        schools = ["glenmere", "llanidloes"]
        try:
            start.wait()
            for _ in range(each):
                with database.transaction() as session:
                    for school in schools if number % 2 else reversed(schools):
                        ledger.append(session, school_id=school, kind="test", facts={}, now=NOW)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    assert verify(database, "glenmere") == (writers * each, None)
    assert verify(database, "llanidloes") == (writers * each, None)


def test_a_value_that_was_taken_away_is_found(database: Database) -> None:
    records = write(database, 3)
    tamper(
        database,
        "DELETE FROM disclosure WHERE field = 'name' AND record_id = :id",
        id=records[1].hex if database.is_sqlite else records[1],
    )
    count, fault = verify(database)
    assert count == 1
    assert fault == ledger.Break(
        2, str(records[1]), "the kept value of “name” is gone, and was not disposed of"
    )


def resealed(database: Database, sequence: int, **changes: object) -> dict[str, object]:
    """An entry's bytes with something changed, and the hash that fits them."""
    body = ledger.canonical(bodies(database)[sequence - 1] | changes)
    return {"body": body, "hash": hashlib.sha256(body).hexdigest(), "sequence": sequence}


def test_changed_bytes_are_found(database: Database) -> None:
    records = write(database, 3)
    body = resealed(database, 2, facts={"score": 100})["body"]
    tamper(database, "UPDATE ledger_entry SET body = :body WHERE sequence = 2", body=body)
    count, fault = verify(database)
    assert (count, fault) == (
        1,
        ledger.Break(2, str(records[1]), "its bytes do not give its hash"),
    )


def test_changed_bytes_with_a_fitting_hash_are_found_at_the_next_entry(
    database: Database,
) -> None:
    write(database, 3)
    forged = resealed(database, 2, facts={"score": 100})
    tamper(
        database,
        "UPDATE ledger_entry SET body = :body, hash = :hash WHERE sequence = :sequence",
        **forged,
    )
    count, fault = verify(database)
    assert count == 2
    assert fault is not None
    assert (fault.sequence, fault.reason) == (3, "it does not link to the entry before it")


@pytest.mark.parametrize("forged", [b"", b"[]", b"{}", b"not JSON", b"\xff"])
def test_bytes_that_are_no_entry_at_all_are_named_and_not_a_crash(
    database: Database, forged: bytes
) -> None:
    write(database, 2)
    tamper(
        database,
        "UPDATE ledger_entry SET body = :body, hash = :hash WHERE sequence = 2",
        body=forged,
        hash=hashlib.sha256(forged).hexdigest(),
    )
    count, fault = verify(database)
    assert (count, fault and fault.sequence) == (1, 2)


def test_a_changed_column_is_found(database: Database) -> None:
    write(database, 2)
    tamper(database, "UPDATE ledger_entry SET kind = 'other' WHERE sequence = 2")
    _, fault = verify(database)
    assert fault is not None
    assert (fault.sequence, fault.reason) == (2, "its columns differ from its bytes")


def test_a_missing_entry_is_found(database: Database) -> None:
    write(database, 3)
    tamper(database, "DELETE FROM ledger_entry WHERE sequence = 2")
    count, fault = verify(database)
    assert count == 1
    assert fault is not None
    assert fault.reason == "entry 2 is missing"


def test_entries_cut_off_at_the_end_are_found(database: Database) -> None:
    write(database, 3)
    tamper(database, "DELETE FROM ledger_entry WHERE sequence = 3")
    count, fault = verify(database)
    assert count == 2
    assert fault is not None
    assert fault.sequence == 3


def test_a_changed_personal_value_is_found(database: Database) -> None:
    records = write(database, 2)
    tamper(
        database,
        "UPDATE disclosure SET value = :value WHERE field = 'name' AND record_id = :id",
        value=ledger.canonical("Somebody Else"),
        id=records[1].hex if database.is_sqlite else records[1],
    )
    count, fault = verify(database)
    assert count == 1
    assert fault == ledger.Break(
        2, str(records[1]), "the kept value of “name” is not the one recorded"
    )
