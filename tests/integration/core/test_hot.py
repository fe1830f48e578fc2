"""Statements that go straight to the driver say and fault what a session's would."""

from typing import Any

import pytest
from sqlalchemy import bindparam, event, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from lti_tool.core.database import Database
from lti_tool.core.hot import Hot
from lti_tool.core.ids import new_id
from lti_tool.core.jobs import after_commit
from lti_tool.core.ledger import LedgerEntry, append
from lti_tool.people.models import Membership, Person
from tests.conftest import SetClock

PERSON, MEMBERSHIP = (Person.metadata.tables[name] for name in ("person", "membership"))
ADD = Hot(insert(PERSON), "id", "name", "email", "created_at", "corrected_name")
JOIN = Hot(
    insert(MEMBERSHIP),
    *("id", "school_id", "person_id", "site", "role_group", "payroll_number"),
    *("created_at", "confirmed_at"),
)
FIND = Hot(select(PERSON).where(PERSON.c.id == bindparam("id")))
EVERYBODY = Hot(select(PERSON).where(PERSON.c.email != "nobody@school.example"))
NAME = Hot(update(PERSON).where(PERSON.c.id == bindparam("which")), "name")
FIND_MEMBER = Hot(select(MEMBERSHIP).where(MEMBERSHIP.c.person_id == bindparam("person_id")))


def test_what_is_written_is_read_as_a_session_reads_it(database: Database, clock: SetClock) -> None:
    person_id, now = new_id(), clock()
    with database.transaction() as session:
        connection = session.connection()
        ADD.run(
            connection,
            {
                "id": person_id,
                "name": "Siân % ? :x",
                "email": "",
                "created_at": now,
                "corrected_name": "",
            },
        )
        JOIN.run(
            connection,
            {
                "id": new_id(),
                "school_id": "llanidloes",
                "person_id": person_id,
                "site": "",
                "role_group": "teaching",
                "payroll_number": "",
                "created_at": now,
                "confirmed_at": None,
            },
        )
        assert FIND.one(connection, {"id": person_id}).name == "Siân % ? :x"
    with database.reading() as session:
        mapped = session.get_one(Person, person_id)
        member = session.scalars(select(Membership)).one()
    found = _asked(database, FIND, {"id": person_id})
    assert {name: getattr(mapped, name) for name in found._fields} == found._asdict()
    joined = _asked(database, FIND_MEMBER, {"person_id": person_id})
    assert {name: getattr(member, name) for name in joined._fields} == joined._asdict()
    assert joined.created_at.tzinfo is not None


def _row(clock: SetClock) -> dict[str, Any]:
    return {
        "id": new_id(),
        "name": "Kim Amberley",
        "email": "",
        "created_at": clock(),
        "corrected_name": "",
    }


def _asked(database: Database, statement: Hot, values: dict[str, Any]) -> Any:
    with database.reading() as session:
        return statement.one(session, values)


def test_nothing_is_nothing(database: Database) -> None:
    assert _asked(database, FIND, {"id": new_id()}) is None


def test_a_database_that_is_gone_is_said_as_a_session_says_it() -> None:
    gone = Database("postgresql+psycopg://nobody@127.0.0.1:9/none")
    with pytest.raises(OperationalError):
        _asked(gone, FIND, {"id": new_id()})


def test_a_second_row_of_one_key_is_refused_as_a_session_refuses_it(
    database: Database, clock: SetClock
) -> None:
    row = _row(clock)
    with database.reading() as session:
        ADD.run(session.connection(), row)
        with pytest.raises(IntegrityError) as fault:
            ADD.run(session.connection(), row)
    assert "Kim" not in str(fault.value)
    assert _asked(database, FIND, row) is None


def test_it_sees_what_its_session_has_not_sent_yet(database: Database, clock: SetClock) -> None:
    with database.writing() as session:
        person = Person(name="Kim Amberley", email="", created_at=clock())
        session.add(person)
        session.flush()
        person.email = "kim@school.example"
        assert FIND.one(session, {"id": person.id}).email == "kim@school.example"
        assert NAME.run(session, {"which": person.id, "name": "Kim Osei"}) == 1
        assert NAME.run(session, {"which": new_id(), "name": "Kim Osei"}) == 0
        assert [one.name for one in EVERYBODY.all(session, {})] == ["Kim Osei"]
    assert _asked(database, FIND, {"id": person.id}) is None


def test_whoever_watches_statements_sees_these(database: Database) -> None:
    seen: list[str] = []

    def note(*details: Any) -> None:
        seen.append(details[2])

    event.listen(database.engine, "before_cursor_execute", note)
    _asked(database, FIND, {"id": new_id()})
    event.remove(database.engine, "before_cursor_execute", note)
    assert len(seen) == 1
    assert "FROM person" in seen[0]


def test_who_reads_has_one_connection_for_rows_and_objects(database: Database) -> None:
    with database.reading() as session:
        FIND.one(session, {"id": new_id()})
        session.get(Person, new_id())
        FIND.one(session, {"id": new_id()})
        assert session.connection() is session.get_bind()
    with database.reading() as session:
        FIND.one(session, {"id": new_id()})
        session.invalidate()
    assert _asked(database, FIND, {"id": new_id()}) is None


def test_a_look_up_leaves_no_transaction_behind(database: Database) -> None:
    for _ in range(30):  # more than the pool has
        _asked(database, FIND, {"id": new_id()})
    with database.transaction() as session:  # nobody holds a lock
        ADD.run(
            session.connection(),
            {
                "id": new_id(),
                "name": "",
                "email": "",
                "created_at": SetClock()(),
                "corrected_name": "",
            },
        )


def test_what_nothing_but_these_wrote_is_kept(database: Database, clock: SetClock) -> None:
    first, second = _row(clock), _row(clock)
    with database.transaction() as session:
        ADD.run(session, first)
    with database.writing() as session:
        ADD.run(session, second)
        session.commit()
        assert _asked(database, FIND, second) is not None, "and seen by others from then on"
        session.rollback()
    assert len(_everybody(database)) == 2


@pytest.mark.parametrize("how", ["fault", "rollback", "close"])
def test_what_is_not_committed_is_gone_however_it_was_written(
    database: Database, clock: SetClock, how: str
) -> None:
    acts: list[str] = []
    with database.writing() as session:
        ADD.run(session, _row(clock))
        session.add(Person(name="Kim Osei", email="", created_at=clock()))
        session.flush()
        ADD.run(session, _row(clock))
        after_commit(session, lambda: acts.append("done"))
        _note(session, clock)
        if how == "rollback":
            session.rollback()
            session.commit()
        elif how == "close":
            session.close()
    if how == "fault":
        with pytest.raises(RuntimeError):
            _write_and_fail(database, clock)
    assert _everybody(database) == []
    assert acts == []
    with database.reading() as session:
        assert session.scalars(select(LedgerEntry)).all() == []


def test_an_entry_and_an_act_go_with_what_these_wrote(database: Database, clock: SetClock) -> None:
    row, seen = _row(clock), list[Any]()
    with database.transaction() as session:
        ADD.run(session, row)
        _note(session, clock)
        after_commit(session, lambda: seen.append(_asked(database, FIND, row)))
    assert seen[0].id == row["id"], "an act comes when others can see what was written"
    with database.reading() as session:
        assert len(session.scalars(select(LedgerEntry)).all()) == 1


def test_an_act_alone_comes_after_what_these_wrote(database: Database, clock: SetClock) -> None:
    row, seen = _row(clock), list[Any]()
    with database.transaction() as session:
        ADD.run(session, row)
        after_commit(session, lambda: seen.append(_asked(database, FIND, row)))
    assert seen[0].id == row["id"]


def test_a_savepoint_takes_back_what_these_wrote_in_it(database: Database, clock: SetClock) -> None:
    kept, taken_back = _row(clock), _row(clock)
    with database.transaction() as session:
        ADD.run(session, kept)
        savepoint = session.begin_nested()
        ADD.run(session, taken_back)
        savepoint.rollback()
    assert [one.id for one in _everybody(database)] == [kept["id"]]


def _write_and_fail(database: Database, clock: SetClock) -> None:
    with database.transaction() as session:
        ADD.run(session, _row(clock))
        _note(session, clock)
        raise RuntimeError


def _note(session: Session, clock: SetClock) -> None:
    append(session, school_id="llanidloes", kind="noted", facts={"number": 1}, now=clock())


def _everybody(database: Database) -> list[Any]:
    with database.reading() as session:
        return EVERYBODY.all(session, {})
