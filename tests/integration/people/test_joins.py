"""Persons who turned out to be one: offered, made, seen as one, and taken apart again."""

import threading
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select, text

from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.core.errors import ToolError
from lti_tool.core.ledger import LedgerEntry
from lti_tool.evidence import records
from lti_tool.evidence import register as registers
from lti_tool.evidence.schemas import Filters
from lti_tool.people import joins, memberships, staff_lists
from lti_tool.people.joining import codes, offers
from lti_tool.people.models import Grant, Membership, Person, Visit
from lti_tool.training.staff.learned import in_order
from tests.factories.registers import (
    GLENMERE,
    HEMSWELL,
    NOW,
    Guest,
    arrive,
    browser,
    complete,
    csrf,
    make_manager,
    start_training,
)

TODAY = NOW.date()
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def join(database: Database, root: UUID, joined: UUID, *, by: UUID | None = None) -> UUID:
    with database.transaction() as session:
        made = joins.join(
            session, root_id=root, joined_id=joined, school_id=HEMSWELL, now=NOW, made_by=by
        )
        return made.id


def separate(database: Database, join_id: UUID, school_id: str = HEMSWELL) -> None:
    with database.transaction() as session:
        joins.separate(session, join_id=join_id, school_id=school_id, now=NOW)


def change(database: Database, person_id: UUID, **values: Any) -> None:
    with database.transaction() as session:
        member = memberships.membership(session, school_id=HEMSWELL, person_id=person_id)
        assert member is not None
        for name, value in values.items():
            setattr(member, name, value)


def member(database: Database, person_id: UUID, school_id: str = HEMSWELL) -> Membership | None:
    with database.reading() as session:
        return memberships.membership(session, school_id=school_id, person_id=person_id)


def one_with(database: Database) -> dict[str, str]:
    with database.reading() as session:
        names = {row.id: row.name for row in session.scalars(select(Person))}
        return {
            row.name: names[row.one_with] for row in session.scalars(select(Person)) if row.one_with
        }


def shown(database: Database) -> list[tuple[str, str, str]]:
    """The register's names, standings and states."""
    filters = Filters("induction", "2026-27")
    with database.reading() as session:
        lines, _ = registers.page(
            session, school_id=HEMSWELL, filters=filters, number=1, today=TODAY
        )
        counts = registers.count(session, school_id=HEMSWELL, filters=filters, today=TODAY)
    assert sum(counts.states.values()) + counts.waiting + counts.left == len(lines)
    return [(line.name, line.standing, line.state) for line in lines]


def test_two_are_one_line_with_what_either_did(database: Database) -> None:
    moodle = arrive(database, "Amara Osei")
    teams = arrive(database, "A. Osei", realm="teams", counted=True)
    complete(database, teams)
    start_training(database, moodle)
    made = join(database, moodle.person_id, teams.person_id)
    assert shown(database) == [("Amara Osei", "counted", "done")]
    with database.reading() as session:
        found = records.record(
            session, school_id=HEMSWELL, membership_id=moodle.membership_id, today=NOW.date()
        )
    assert len(found.taken) == 2
    separate(database, made)
    assert sorted(shown(database)) == [
        ("A. Osei", "counted", "done"),
        ("Amara Osei", "waiting", "in-progress"),
    ]


def test_arriving_either_way_leads_to_the_root_and_an_open_visit_follows(
    database: Database,
) -> None:
    moodle = arrive(database, "Amara Osei", subject="m")
    teams = arrive(database, "Amara Osei", realm="teams", subject="t")

    def visitor(guest: Guest) -> UUID:
        with database.reading() as session:
            return session.get_one(Visit, guest.admission.visit_id).person_id

    made = join(database, moodle.person_id, teams.person_id)
    assert visitor(teams) == moodle.person_id
    later = arrive(database, "Amara Osei", realm="teams", subject="t")
    assert later.person_id == moodle.person_id
    separate(database, made)
    assert visitor(later) == visitor(teams) == teams.person_id
    assert visitor(moodle) == moodle.person_id


@pytest.mark.parametrize("holder", ["root", "joined"])
def test_a_grant_goes_with_the_sign_in_it_was_given_to_and_with_no_other(
    app: Flask, database: Database, holder: str
) -> None:
    root = arrive(database, "Head", subject="m")
    joined = arrive(database, "Head", realm="teams", subject="t")
    head, other = (root, joined) if holder == "root" else (joined, root)
    make_manager(database, head)
    made = join(database, root.person_id, joined.person_id)

    def opens(guest: Guest) -> int:
        return browser(app, guest).get("/register", base_url="https://localhost").status_code

    again = [arrive(database, "Head", realm=realm, subject=subject)
             for realm, subject in (("realm-1", "m"), ("teams", "t"))]  # fmt: skip
    assert [guest.person_id for guest in again] == [root.person_id] * 2
    before = [200, 403] if holder == "root" else [403, 200]
    assert [opens(guest) for guest in again] == before
    assert [guest.admission.manages for guest in again] == [status == 200 for status in before]
    assert (opens(head), opens(other)) == (200, 403)
    separate(database, made)
    assert [opens(guest) for guest in again] == before
    with database.reading() as session:
        assert [row.person_id for row in session.scalars(select(Grant))] == [head.person_id]


def test_the_root_gains_what_it_lacked_and_gives_it_back(database: Database) -> None:
    moodle, filed = arrive(database, "Amara Osei"), arrive(database, "Osei, Amara", counted=True)
    change(database, moodle.person_id, role_group="teaching")
    change(
        database,
        filed.person_id,
        **{"role_group": "support", "payroll_number": "77", "starts_on": date(2026, 9, 1)},
    )
    made = join(database, moodle.person_id, filed.person_id)
    one = member(database, moodle.person_id)
    assert one is not None
    assert (one.role_group, one.payroll_number) == ("teaching", "77")
    assert one.starts_on == date(2026, 9, 1)
    assert one.confirmed_at == NOW
    change(database, moodle.person_id, starts_on=date(2026, 9, 2))  # corrected meanwhile
    separate(database, made)
    one = member(database, moodle.person_id)
    assert one is not None
    assert (one.role_group, one.payroll_number) == ("teaching", "")
    assert (one.confirmed_at, one.starts_on) == (None, date(2026, 9, 2))
    other = member(database, filed.person_id)
    assert other is not None
    assert (other.role_group, other.payroll_number) == ("support", "77")
    with database.reading() as session:
        kinds = session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.sequence)).all()
        assert kinds == ["persons-joined", "persons-separated"]
        assert ledger.verify(session, school_id=HEMSWELL) == (2, None)


def test_whoever_was_counted_first_has_been_counted_since_then(database: Database) -> None:
    moodle, filed = (arrive(database, "Amara Osei", counted=True) for _ in range(2))
    change(database, filed.person_id, confirmed_at=NOW - 28 * DAY)
    made = join(database, moodle.person_id, filed.person_id)
    one = member(database, moodle.person_id)
    assert one is not None
    assert one.confirmed_at == NOW - 28 * DAY
    separate(database, made)
    one = member(database, moodle.person_id)
    assert one is not None
    assert one.confirmed_at == NOW


def test_no_chains_and_undoing_one_of_several_leaves_the_others_right(database: Database) -> None:
    a, b, c, d = (arrive(database, name).person_id for name in "ABCD")
    first = join(database, b, c)
    second = join(database, a, c)  # C is B by now, so B is joined to A
    assert one_with(database) == {"B": "A", "C": "A"}
    third = join(database, d, a)
    assert one_with(database) == {"A": "D", "B": "D", "C": "D"}
    with database.reading() as session:
        assert joins.everybody_who_is(session, c) == {a, b, c, d}
        assert joins.families(session, [c]) == dict.fromkeys((a, b, c, d), d)
        assert session.scalar(select(joins.root_of(c))) == d
    separate(database, second)
    assert one_with(database) == {"A": "D", "C": "B"}
    separate(database, first)
    separate(database, third)
    assert one_with(database) == {}
    with pytest.raises(ToolError, match="page-not-found"):
        separate(database, third)


def test_nobody_is_joined_twice(database: Database) -> None:
    a, b = (arrive(database, name).person_id for name in "AB")
    join(database, a, b)
    for pair in ((a, b), (b, a), (a, a)):
        with pytest.raises(ToolError, match="joined-already"):
            join(database, *pair)


def test_a_join_holds_at_each_school_and_is_recorded_at_each(database: Database) -> None:
    here = arrive(database, "Amara Osei", counted=True)
    there = arrive(database, "Amara Osei", GLENMERE, realm="other", counted=True)
    made = join(database, here.person_id, there.person_id)
    copied = member(database, here.person_id, GLENMERE)
    assert copied is not None
    assert copied.confirmed_at == NOW
    with database.reading() as session:
        entries = session.execute(select(LedgerEntry.school_id, LedgerEntry.kind)).all()
    assert {(school, kind) for school, kind in entries} == {
        (HEMSWELL, "persons-joined"), (GLENMERE, "persons-joined"),
    }  # fmt: skip
    separate(database, made, GLENMERE)
    assert member(database, here.person_id, GLENMERE) is None
    assert member(database, there.person_id, GLENMERE) is not None


def test_a_membership_that_was_used_since_stays(database: Database) -> None:
    here = arrive(database, "Amara Osei", counted=True)
    arrive(database, "Amara Osei", GLENMERE, realm="other", subject="o")
    there = arrive(database, "Amara Osei", GLENMERE, realm="other", subject="o")
    made = join(database, here.person_id, there.person_id)
    again = arrive(database, "", GLENMERE, realm="other", subject="o", now=NOW + MINUTE)
    assert again.person_id == here.person_id
    separate(database, made)
    assert member(database, here.person_id, GLENMERE) is not None


def test_another_school_undoes_no_join_of_people_it_does_not_know(database: Database) -> None:
    a, b = (arrive(database, name).person_id for name in "AB")
    made = join(database, a, b)
    with pytest.raises(ToolError, match="page-not-found"):
        separate(database, made, GLENMERE)


def test_a_manager_joins_nobody_who_is_elsewhere_too(database: Database) -> None:
    here = arrive(database, "Amara Osei").person_id
    both = arrive(database, "Amara Osei", GLENMERE, subject="x").person_id
    arrive(database, "Amara Osei", HEMSWELL, subject="x")
    with database.reading() as session:
        with pytest.raises(ToolError, match="join-elsewhere"):
            joins.check_manager_may(session, school_ids=[HEMSWELL], person_ids=[here, both])
        joins.check_manager_may(session, school_ids=[HEMSWELL, GLENMERE], person_ids=[here, both])


def test_the_same_address_or_name_is_an_offer_unless_the_staff_file_says_they_are_two(
    database: Database,
) -> None:
    given = [
        ("Amara Osei", "a@school.example"), ("Osei, amara", ""), ("Beth Pugh", "A@school.example"),
        ("Cai Rees", "shared@school.example"), ("Dee Lund", "shared@school.example"),
        ("", ""), ("", ""),
    ]  # fmt: skip
    guests = [arrive(database, name, email=email) for name, email in given]
    change(database, guests[3].person_id, payroll_number="1")
    change(database, guests[4].person_id, payroll_number="2")
    arrive(database, "Amara Osei", GLENMERE)
    with database.reading() as session:
        found = offers.offers(session, school_id=HEMSWELL)
    assert {
        (frozenset((one.first.name, one.second.name)), one.same_email, one.same_name)
        for one in found
    } == {
        (frozenset(("Amara Osei", "Osei, amara")), False, True),
        (frozenset(("Amara Osei", "Beth Pugh")), True, False),
    }
    join(database, guests[0].person_id, guests[1].person_id)
    with database.reading() as session:
        assert len(offers.offers(session, school_id=HEMSWELL)) == 1


def test_a_code_shows_that_one_person_is_at_both(database: Database) -> None:
    guest = arrive(database, "Amara Osei")

    def ask(code: str, minutes: int = 0) -> UUID:
        with database.transaction() as session:
            return codes.by_code(session, code, now=NOW + timedelta(minutes=minutes))[1].id

    with database.transaction() as session:
        visit = session.get_one(Visit, guest.admission.visit_id)
        code = codes.make_code(session, visit, now=NOW)
    assert ask(code.lower().replace("-", " "), 9) == guest.person_id
    for wrong, minutes in ((code, 10), ("", 0), (code[:-1], 0)):
        with pytest.raises(ToolError, match="join-code-wrong"):
            ask(wrong, minutes)
    with database.transaction() as session:
        codes.by_code(session, code, now=NOW)[0].used_at = NOW
    with pytest.raises(ToolError, match="join-code-wrong"):
        ask(code)


def listed(subject: str, *, is_active: bool = True) -> staff_lists.Listed:
    return staff_lists.Listed(subject, "", "", is_active)


def test_a_staff_list_that_knows_the_joined_one_speaks_of_the_root(database: Database) -> None:
    root = arrive(database, "Amara Osei", counted=True)
    joined = arrive(database, "Amara Osei", realm="list", subject="2")
    join(database, root.person_id, joined.person_id)
    list_id = uuid4()
    with database.transaction() as session:
        staff_lists.leave(session, [joined.person_id], school_id=HEMSWELL, list_id=list_id, now=NOW)
    assert shown(database) == [("Amara Osei", "left", "not-due")]
    with database.transaction() as session:
        entered = staff_lists.enter(
            session, [listed("2")], school_id=HEMSWELL, realm="list", list_id=list_id, now=NOW
        )
    assert entered == {joined.person_id: True}
    assert shown(database) == [("Amara Osei", "counted", "not-due")]


def test_who_left_on_a_date_is_shown_as_having_left(app: Flask, database: Database) -> None:
    head = make_manager(database, arrive(database, "Head", counted=True))
    gone, last_day = (arrive(database, name, counted=True) for name in ("Gone", "Last Day"))
    change(database, gone.person_id, ends_on=TODAY - timedelta(days=1))
    change(database, last_day.person_id, ends_on=TODAY)
    standings = {name: standing for name, standing, _ in shown(database)}
    assert standings == {"Head": "counted", "Gone": "left", "Last Day": "counted"}
    client = browser(app, head)
    page = client.get("/register", base_url="https://localhost").text
    assert "Left on 22 November 2026" in page
    assert "Leaves on 23 November 2026" in page
    form = {"csrf_token": csrf(app, head.admission.visit_id), "person": str(gone.membership_id)}
    client.post("/register/confirm", data=form, base_url="https://localhost")
    assert {name: standing for name, standing, _ in shown(database)}["Gone"] == "counted"


def test_two_joins_at_once_make_no_ring(database: Database) -> None:
    a, b = (arrive(database, name).person_id for name in "AB")
    start, faults = threading.Barrier(2), list[str]()

    def act(root: UUID, joined: UUID) -> None:
        start.wait()
        try:
            join(database, root, joined)
        except ToolError as fault:
            faults.append(fault.code)

    threads = [threading.Thread(target=act, args=pair) for pair in ((a, b), (b, a))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert faults == ["joined-already"]
    assert len(one_with(database)) == 1


def test_who_is_joined_is_looked_up_even_where_sqlite_has_counted(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.transaction() as session:
        session.add_all([Person(name=f"Person {number}", created_at=NOW) for number in range(300)])
    with database.transaction() as session:
        session.execute(text("ANALYZE"))
    asked = text("EXPLAIN QUERY PLAN SELECT id FROM person WHERE one_with = :one")
    with database.reading() as session:
        plan = [row[3] for row in session.execute(asked, {"one": uuid4().hex})]
    assert plan == ["SEARCH person USING INDEX ix_person_joined (one_with=?)"]
    database.engine.dispose()


def test_who_has_learned_more_keeps_their_place(database: Database) -> None:
    """However many others have learned, and before whom they came."""
    early, late = arrive(database, "Ann Early"), arrive(database, "Ann Late")
    start_training(database, early)
    for module in ("induction", "annual-refresh"):
        start_training(database, late, module=module)
    start_training(database, arrive(database, "Somebody Else"))
    with database.reading() as session:
        found = in_order(session, (early.person_id, late.person_id))
    assert found == [late.person_id, early.person_id]
