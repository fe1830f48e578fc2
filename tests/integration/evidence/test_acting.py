"""What a manager does for others: papers and due dates. Nothing that was recorded changes."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.core.ledger import Disclosure, LedgerEntry
from lti_tool.people.models import Membership, Person
from lti_tool.training.cycles.models import DueDateMove, Obligation
from lti_tool.training.cycles.settling import settle
from lti_tool.training.models import Completion
from tests.factories.registers import (
    CATALOGUE,
    GLENMERE,
    HEMSWELL,
    NOW,
    Guest,
    arrive,
    browser,
    complete,
    csrf,
    make_manager,
    open_cycle,
    owe,
    place,
    start_training,
)

PAPER = {
    "training": "annual-refresh 2026-27",
    "signed_on-day": "7",
    "signed_on-month": "9",
    "signed_on-year": "2026",
    "policy_number": "2022-03",
    "reason": "Signed on the training day",
}
MOVE = {"to_on-day": "1", "to_on-month": "12", "to_on-year": "2026", "reason": "On a trip"}
RECORDS = ("journey", "completion", "declaration", "ledger_entry", "disclosure", "due_date_move")


@pytest.fixture
def head(database: Database) -> Guest:
    return make_manager(database, arrive(database, "Hedda Head", counted=True))


@pytest.fixture
def amara(database: Database) -> Guest:
    open_cycle(database)
    guest = arrive(database, "Amara Osei", counted=True, now=NOW.replace(month=8))
    settled(database)
    return guest


def settled(database: Database) -> None:
    with database.transaction() as session:
        settle(session, school=CATALOGUE.schools[HEMSWELL], now=NOW)


def post(app: Flask, by: Guest, path: str, **form: Any) -> tuple[int, str]:
    """The answer's status and its text, or where it leads."""
    data = {"csrf_token": csrf(app, by.admission.visit_id)} | form
    reply = browser(app, by).post(path, data=data)
    return reply.status_code, reply.location or reply.text


def enter(app: Flask, by: Guest, whom: Guest, **given: str) -> tuple[int, str]:
    return post(app, by, f"/register/{whom.membership_id}/paper", **PAPER | given)


def obligation(database: Database, guest: Guest) -> Obligation:
    with database.reading() as session:
        return session.scalars(
            select(Obligation).where(Obligation.person_id == guest.person_id)
        ).one()


def completions(database: Database, guest: Guest) -> Sequence[Completion]:
    with database.reading() as session:
        return session.scalars(
            select(Completion)
            .where(Completion.person_id == guest.person_id)
            .order_by(Completion.id)
        ).all()


def entries(database: Database, kind: str) -> list[dict[str, Any]]:
    with database.reading() as session:
        assert ledger.verify(session, school_id=HEMSWELL)[1] is None
        rows = session.scalars(
            select(LedgerEntry.body).where(LedgerEntry.kind == kind).order_by(LedgerEntry.sequence)
        )
        return [json.loads(body) for body in rows]


def everything(database: Database) -> Mapping[str, set[tuple[Any, ...]]]:
    """Every row of what people did and of what was recorded."""
    with database.engine.connect() as connection:
        return {
            table: {tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}"))}
            for table in RECORDS
        }


def test_a_paper_fulfils_what_is_asked_and_is_marked_everywhere(
    app: Flask, database: Database, head: Guest, amara: Guest
) -> None:
    start_training(database, amara, module="annual-refresh")
    before = everything(database)
    status, where = enter(app, head, amara)
    assert (status, where) == (303, f"/register/{amara.membership_id}?noted=paper")
    owed = obligation(database, amara)
    (done,) = completions(database, amara)
    assert (owed.outcome, owed.ended_on, owed.completion_id) == (
        "done",
        date(2026, 9, 7),
        done.id,
    )
    assert (done.score, done.first_score, done.pass_mark) == (None, None, None)
    client = browser(app, head)
    register = client.get("/register?module=annual-refresh").text
    assert "On paper" in register
    record = client.get(where).text
    for words in ("On paper", "7 September 2026", "Hedda Head", "Signed on the training day"):
        assert words in record
    file = client.get("/register.csv?module=annual-refresh&state=done", buffered=True).data
    (row,) = csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline=""))
    assert (row["Declared how"], row["Declared on"]) == ("On paper", "2026-09-07")
    assert (row["Score in per cent"], row["Due on"]) == ("", "2026-10-31")
    (entry,) = entries(database, "completion")
    assert entry["facts"]["declaration"]["method"] == "paper"
    assert entry["facts"]["declaration"]["signed_on"] == "2026-09-07"
    assert entry["facts"]["questions"] == []
    assert "Signed on the training day" not in json.dumps(entry)
    after = everything(database)
    assert all(before[table] <= after[table] for table in RECORDS)
    settled(database)
    assert obligation(database, amara).completion_id == done.id


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"signed_on-day": "24", "signed_on-month": "11"}, "cannot have been signed in the future"),
        ({"signed_on-day": "31"}, "Enter the day on which it was signed"),
        ({"signed_on-year": "２０２６"}, "Enter the day on which it was signed"),
        ({"signed_on-year": "2022", "signed_on-month": "2"}, "Nobody could sign this version"),
        ({"signed_on-month": "7"}, "before the person’s first day"),
        ({"policy_number": "1999-01"}, "hold no version of the policy"),
        ({"reason": " "}, "Say why"),
        ({"reason": "x" * 1001}, "Say why"),
        ({"training": ""}, "Choose the training"),
    ],
)
def test_a_paper_that_cannot_be_is_said_beside_its_field(
    app: Flask, database: Database, head: Guest, amara: Guest, given: dict[str, str], words: str
) -> None:
    with database.transaction() as session:
        session.execute(
            update(Membership)
            .where(Membership.id == amara.membership_id)
            .values(starts_on=date(2026, 8, 1) if "month" in str(given) else None)
        )
        if "signed_on-year" in given:
            session.execute(update(Membership).values(starts_on=None))
    status, page = enter(app, head, amara, **given)
    assert status == 400
    assert words in page
    assert "Error: " in page
    assert completions(database, amara) == []
    assert entries(database, "completion") == []


def test_a_paper_for_a_training_that_is_not_offered_is_refused(
    app: Flask, database: Database, head: Guest, amara: Guest
) -> None:
    for training in ("annual-refresh 2031-32", "astronomy 2026-27", "annual-refresh"):
        assert enter(app, head, amara, training=training)[0] == 400
    assert completions(database, amara) == []


def test_nobody_enters_a_paper_for_themselves_under_any_identity(
    app: Flask, database: Database, head: Guest, amara: Guest
) -> None:
    twin = arrive(database, "H. Head", counted=True)
    for one_with, whom in (({}, head), ({twin: head}, twin), ({head: twin}, twin)):
        with database.transaction() as session:
            session.execute(update(Person).values(one_with=None))
            for joined, root in one_with.items():
                session.get_one(Person, joined.person_id).one_with = root.person_id
        assert browser(app, head).get(f"/register/{whom.membership_id}/paper").status_code == 403
        status, page = enter(app, head, whom)
        assert status == 403
        assert "paper-for-oneself" in page
    assert entries(database, "completion") == []


def test_nobody_elses_school_can_be_reached(
    app: Flask, database: Database, head: Guest, amara: Guest
) -> None:
    other = arrive(database, "Other Person", GLENMERE, counted=True)
    owed = owe(database, other)
    assert enter(app, head, other)[0] == 404
    assert post(app, head, "/due-dates", obligation=str(owed), **MOVE)[0] == 404
    assert enter(app, arrive(database, "A Learner"), amara)[0] == 403
    assert "Other Person" not in browser(app, head).get(f"/due-dates?obligation={owed}").text


def test_a_mistake_is_taken_back_and_its_record_stays(
    app: Flask, database: Database, head: Guest, amara: Guest
) -> None:
    enter(app, head, amara)
    (wrong,) = completions(database, amara)
    before = everything(database)
    form = {"instead_of": str(wrong.id), "reason": "It was somebody else’s"}
    path = f"/register/{amara.membership_id}/paper/withdraw"
    assert post(app, head, path, **form | {"reason": ""})[0] == 400
    assert post(app, head, path, **form)[0] == 303
    assert post(app, head, path, **form)[0] == 404  # it has been done
    owed = obligation(database, amara)
    assert (owed.outcome, owed.ended_on, owed.completion_id) == ("", None, None)
    record = browser(app, head).get(f"/register/{amara.membership_id}").text
    assert "Counts no more" in record
    assert "It was somebody else’s" in record
    assert "Overdue" in browser(app, head).get("/register?module=annual-refresh&q=Amara").text
    (entry,) = entries(database, "paper-withdrawn")
    assert entry["facts"]["record"] == str(wrong.record_id)
    after = everything(database)
    changed = {table for table in RECORDS if not before[table] <= after[table]}
    assert changed == {"completion"}  # the mark alone
    (now,) = completions(database, amara)
    mark = {"withdrawn_at", "withdrawn_by", "withdrawn_reason"}
    columns = {column.key for column in Completion.__table__.columns} - mark
    assert all(getattr(now, name) == getattr(wrong, name) for name in columns)
    assert enter(app, head, amara)[0] == 303
    assert obligation(database, amara).outcome == "done"


def test_a_correction_is_a_new_entry(
    app: Flask, database: Database, head: Guest, amara: Guest
) -> None:
    enter(app, head, amara)
    (wrong,) = completions(database, amara)
    status, page = enter(app, head, amara)
    assert status == 400  # offered no more
    instead = {"instead_of": str(wrong.id)}
    status, page = enter(app, head, amara, **instead | {"policy_number": "1999-01"})
    assert (status, "hold no version" in page) == (400, True)
    assert completions(database, amara)[0].withdrawn_at is None  # all of it or nothing
    day = {"signed_on-day": "8", "reason": "The day was misread"}
    assert enter(app, head, amara, **instead | day)[0] == 303
    first, second = completions(database, amara)
    assert (first.withdrawn_at, first.withdrawn_by) == (NOW, head.person_id)
    owed = obligation(database, amara)
    assert (owed.completion_id, owed.ended_on) == (second.id, date(2026, 9, 8))
    assert len(entries(database, "completion")) == 2
    text = browser(app, head).get("/register?module=annual-refresh&q=Amara").text
    assert "8 September 2026" in text


def test_what_was_done_on_the_screen_is_never_taken_back(
    app: Flask, database: Database, head: Guest, amara: Guest
) -> None:
    complete(database, amara, module="annual-refresh")
    (done,) = completions(database, amara)
    form = {"instead_of": str(done.id), "reason": "x"}
    path = f"/register/{amara.membership_id}/paper/withdraw"
    assert post(app, head, path, **form)[0] == 404
    assert completions(database, amara)[0].withdrawn_at is None


def test_a_date_is_moved_and_moved_again_and_no_record_changes(
    app: Flask, database: Database, head: Guest, amara: Guest
) -> None:
    complete(database, arrive(database, "Bethan Done", counted=True), module="annual-refresh")
    owed, before = obligation(database, amara), everything(database)
    path = f"/due-dates?obligation={owed.id}&back={amara.membership_id}"
    assert "Amara Osei" in browser(app, head).get(path).text
    assert post(app, head, "/due-dates", obligation=str(owed.id), **MOVE) == (
        303,
        "/chase?moved=1",
    )
    again = MOVE | {"to_on-day": "15", "reason": "A longer trip"}
    back = {"back": str(amara.membership_id)}
    status, where = post(app, head, "/due-dates", obligation=str(owed.id), **again, **back)
    assert (status, where) == (303, f"/register/{amara.membership_id}?noted=moved")
    settled(database)
    now = obligation(database, amara)
    assert (now.due_on, now.outcome) == (date(2026, 12, 15), "")
    assert now.reason["moved_from"] == "2026-10-31"
    record = browser(app, head).get(where).text
    for words in ("On a trip", "A longer trip", "15 December 2026", "by Hedda Head"):
        assert words in record
    assert "it was 31 October 2026" in record
    facts = [entry["facts"] for entry in entries(database, "due-date-moved")]
    assert [(one["from"], one["to"]) for one in facts] == [
        ("2026-10-31", "2026-12-01"),
        ("2026-12-01", "2026-12-15"),
    ]
    after = everything(database)
    assert all(before[table] <= after[table] for table in RECORDS)


def test_many_dates_at_once_and_what_was_done_meanwhile_is_passed_over(
    app: Flask, database: Database, head: Guest
) -> None:
    people = [arrive(database, f"Person {number}", counted=True) for number in range(3)]
    owed = [owe(database, guest) for guest in people[:2]]
    owed.append(owe(database, people[2], outcome="done", ended_on=date(2026, 9, 9)))
    ids = {"obligation": [str(one) for one in owed]}
    assert post(app, head, "/due-dates", **ids, **MOVE) == (303, "/chase?moved=2")
    assert obligation(database, people[2]).due_on == date(2026, 10, 31)
    assert post(app, head, "/due-dates", **ids, **MOVE) == (303, "/chase?moved=0")
    with database.reading() as session:
        assert len(session.scalars(select(DueDateMove)).all()) == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"to_on-month": "10"}, "Choose today or a later day"),
        ({"to_on-year": "2028"}, "Choose today or a later day"),
        ({"to_on-day": "31", "to_on-month": "11"}, "Enter the new date"),
        ({"reason": ""}, "Say why"),
    ],
)
def test_a_date_that_cannot_be_is_said_beside_its_field(
    app: Flask, database: Database, head: Guest, given: dict[str, str], words: str
) -> None:
    guest = arrive(database, "Amara Osei", counted=True)
    owed = owe(database, guest)
    status, page = post(app, head, "/due-dates", obligation=str(owed), **MOVE | given)
    assert (status, words in page) == (400, True)
    assert obligation(database, guest).due_on == date(2026, 10, 31)


def test_who_and_why_are_personal_values_of_the_entry(
    app: Flask, database: Database, head: Guest, amara: Guest
) -> None:
    enter(app, head, amara)
    owed: UUID = owe(database, amara, module="induction")
    post(app, head, "/due-dates", obligation=str(owed), **MOVE)
    for kind in ("completion", "due-date-moved"):
        (entry,) = entries(database, kind)
        assert {"person", "actor", "reason"} <= set(entry["personal"])
        assert str(head.person_id) not in json.dumps(entry)
        with database.reading() as session:
            kept = session.scalars(
                select(Disclosure).where(Disclosure.record_id == UUID(entry["record"]))
            ).all()
        assert {one.person_id for one in kept} == {amara.person_id}


def test_whoever_signed_on_paper_rests_and_sees_it_as_their_own(
    app: Flask, database: Database, head: Guest
) -> None:
    open_cycle(database)
    guest = arrive(database, "Amara Osei", counted=True, module="annual-refresh")
    place(database, guest, role_group="support")
    owe(database, guest)
    assert enter(app, head, guest)[0] == 303
    learner = browser(app, guest)
    home = learner.get("/", follow_redirects=True)
    assert home.status_code == 200
    assert home.request.path == "/my-training"
    assert "On paper" in home.text
    assert "See your last confirmation" not in home.text
    for path in ("/training", "/training/finished", "/training/who-to-tell"):
        assert learner.get(path, follow_redirects=True).status_code == 200, path
    (done,) = completions(database, guest)
    form = {"instead_of": str(done.id), "reason": "A mistake"}
    assert post(app, head, f"/register/{guest.membership_id}/paper/withdraw", **form)[0] == 303
    assert "On paper" not in learner.get("/my-training").text
