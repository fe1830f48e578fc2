"""Statements that go straight to the driver say and fault what a session's would."""

import pytest
from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from lti_tool.core.database import Database
from lti_tool.core.hot import Hot
from lti_tool.core.ids import new_id
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
    found = FIND.look_up(database.engine, {"id": person_id})
    assert {name: getattr(mapped, name) for name in found._fields} == found._asdict()
    joined = FIND_MEMBER.look_up(database.engine, {"person_id": person_id})
    assert {name: getattr(member, name) for name in joined._fields} == joined._asdict()
    assert joined.created_at.tzinfo is not None


def test_nothing_is_nothing(database: Database) -> None:
    assert FIND.look_up(database.engine, {"id": new_id()}) is None


def test_a_database_that_is_gone_is_said_as_a_session_says_it() -> None:
    gone = Database("postgresql+psycopg://nobody@127.0.0.1:9/none")
    with pytest.raises(OperationalError):
        FIND.look_up(gone.engine, {"id": new_id()})


def test_a_second_row_of_one_key_is_refused_as_a_session_refuses_it(
    database: Database, clock: SetClock
) -> None:
    row = {
        "id": new_id(),
        "name": "Kim Amberley",
        "email": "",
        "created_at": clock(),
        "corrected_name": "",
    }
    with database.reading() as session:
        ADD.run(session.connection(), row)
        with pytest.raises(IntegrityError) as fault:
            ADD.run(session.connection(), row)
    assert "Kim" not in str(fault.value)
    assert FIND.look_up(database.engine, row) is None


def test_a_look_up_leaves_no_transaction_behind(database: Database) -> None:
    for _ in range(30):  # more than the pool has
        FIND.look_up(database.engine, {"id": new_id()})
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
