"""Corrections: a new entry with reason and actor; what stood before stays, and the record shows
both."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.core.ledger import LedgerEntry
from lti_tool.people.models import Membership, Person
from tests.conftest import SetClock
from tests.factories.packs import declare, member
from tests.factories.registers import GLENMERE, HEMSWELL, Guest, arrive, browser, csrf, make_manager

WRONG = {"role_group": "teaching", "starts_on": "1/9/2026", "site": "", "ends_on": ""}


@pytest.fixture
def head(database: Database) -> Guest:
    return make_manager(database, arrive(database, "Helen Head", counted=True))


def change(app: Flask, head: Guest, guest: Guest, **form: str) -> tuple[int, str]:
    data = {"csrf_token": csrf(app, head.admission.visit_id), **WRONG, **form}
    reply = browser(app, head).post(
        f"/people/{guest.membership_id}", data=data, base_url="https://localhost"
    )
    return reply.status_code, reply.text


def record(app: Flask, head: Guest, guest: Guest) -> str:
    reply = browser(app, head).get(f"/register/{guest.membership_id}", base_url="https://localhost")
    return reply.text


def test_the_record_shows_what_stood_before_and_why_it_was_corrected(
    app: Flask, database: Database, clock: SetClock, head: Guest
) -> None:
    guest = member(database, "Jon Smith", subject="jon")
    declare(database, guest)
    assert change(app, head, guest, name="Jon Smith")[0] == 303  # the start date was not known
    with database.reading() as session:
        before = session.scalars(select(LedgerEntry.body).order_by(LedgerEntry.sequence)).all()
    corrected: dict[str, Any] = {
        "name": "John Smith",
        "role_group": "support",
        "starts_on": "2/9/2026",
    }
    status, said = change(app, head, guest, **corrected)
    assert status == 400
    assert "Write why it is corrected" in said
    assert change(app, head, guest, **corrected, reason="The staff list was wrong")[0] == 303
    shown = " ".join(record(app, head, guest).split())
    for words in (
        "Name: from Jon Smith to John Smith",
        "Role group: from Teaching staff to Support staff",
        "Start date: from 1 September 2026 to 2 September 2026",
        "By Helen Head. The staff list was wrong",
    ):
        assert words in shown
    with database.reading() as session:
        person = session.get_one(Person, guest.person_id)
        assert (person.name, person.corrected_name) == ("John Smith", "Jon Smith")
        assert session.get_one(Membership, guest.membership_id).role_group == "support"
        after = session.scalars(select(LedgerEntry.body).order_by(LedgerEntry.sequence)).all()
        assert list(after[: len(before)]) == list(before)
        assert len(after) == len(before) + 1
        assert ledger.verify(session, school_id=HEMSWELL)[1] is None
    arrive(database, "Jon Smith", subject="jon")  # the platform goes on telling the old name
    assert "John Smith" in record(app, head, guest)
    arrive(database, "Jonathan Smith", subject="jon")  # and once tells another
    assert "Jonathan Smith" in record(app, head, guest)


def test_a_name_that_another_school_uses_is_not_changed_here(
    app: Flask, database: Database, head: Guest
) -> None:
    guest = member(database, "Two Schools", subject="two")
    arrive(database, "Two Schools", GLENMERE, subject="two")
    status, said = change(app, head, guest, name="Too Schools", reason="A slip")
    assert status == 400
    assert "have the name corrected in the platform" in said
    assert change(app, head, guest, name="")[0] == 303, "without a name theirs stays"
