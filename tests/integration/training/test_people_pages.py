"""What managers do with one person, with two who are one, and with one another."""

import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from lti_tool.core.database import Database
from lti_tool.core.ledger import Disclosure, LedgerEntry
from lti_tool.people.models import Absence, Grant, Membership, Person
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

HTTPS = "https://localhost"
TODAY = NOW.date()


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def head(database: Database) -> Guest:
    return make_manager(database, arrive(database, "Head", GLENMERE, counted=True))


def get(app: Flask, guest: Guest, path: str, status: int = 200) -> str:
    reply = browser(app, guest).get(path, base_url=HTTPS)
    assert reply.status_code == status, reply.text
    return reply.text


def post(app: Flask, guest: Guest, path: str, **form: Any) -> Any:
    data = {"csrf_token": csrf(app, guest.admission.visit_id), **form}
    return browser(app, guest).post(path, data=data, base_url=HTTPS)


def kinds(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.sequence)))


def names(app: Flask, head: Guest, show: str) -> set[str]:
    page = get(app, head, f"/people?show={show}")
    return set(re.findall(r'govuk-link" href="/people/[\w-]{36}">([^<]+)<', page))


def test_the_list_shows_who_is_here_away_leaving_and_gone(
    app: Flask, database: Database, head: Guest
) -> None:
    for name, counted, ends_on in (
        ("Amara", True, None), ("Beth", True, TODAY), ("Cai", True, TODAY - timedelta(days=1)),
        ("Dee", False, None),
    ):  # fmt: skip
        guest = arrive(database, name, GLENMERE, counted=counted)
        with database.transaction() as session:
            session.get_one(Membership, guest.membership_id).ends_on = ends_on
            if name == "Amara":
                session.add(Absence(school_id=GLENMERE, person_id=guest.person_id,
                                    starts_on=TODAY, entered_at=NOW))  # fmt: skip
    assert names(app, head, "counted") == {"Head", "Amara", "Beth"}
    assert names(app, head, "away") == {"Amara"}
    assert names(app, head, "leaving") == {"Beth"}
    assert names(app, head, "left") == {"Cai"}
    assert names(app, head, "waiting") == {"Dee"}
    assert names(app, head, "all") == {"Head", "Amara", "Beth", "Cai", "Dee"}
    assert "Amara" not in get(app, head, "/people?q=bet")
    for wrong in ("show=x", "page=0", "page=9"):
        assert browser(app, head).get(f"/people?{wrong}", base_url=HTTPS).status_code >= 400


def test_somebody_is_added_by_hand_and_counts(app: Flask, database: Database, head: Guest) -> None:
    form = {"name": "Osei, Amara", "role_group": "teaching", "site": "North",
            "starts_on": "1/9/2026", "ends_on": "", "payroll_number": "12"}  # fmt: skip
    reply = post(app, head, "/people/add", **form)
    assert reply.status_code == 303
    assert names(app, head, "counted") == {"Head", "Amara Osei"}
    assert kinds(database)[-1] == "person-added"
    again = post(app, head, "/people/add", **form | {"payroll_number": "0012"})
    assert again.status_code == 400
    assert "join the two people if they are one" in again.text
    wrong = form | {"name": "=1", "starts_on": "soon", "ends_on": "", "email": "x"}
    page = post(app, head, "/people/add", **wrong)
    assert page.status_code == 400
    assert page.text.count("govuk-error-message") == 3
    assert 'value="soon"' in page.text
    assert names(app, head, "counted") == {"Head", "Amara Osei"}


def test_details_are_changed_and_recorded_before_and_after(
    app: Flask, database: Database, head: Guest
) -> None:
    guest = arrive(database, "Amara", GLENMERE, counted=True)
    path = f"/people/{guest.membership_id}"
    form = {"role_group": "support", "site": "South", "starts_on": "1 September 2026",
            "ends_on": "31/8/2027", "payroll_number": "7"}  # fmt: skip
    assert post(app, head, path, **form).status_code == 303
    with database.reading() as session:
        member = session.get_one(Membership, guest.membership_id)
        assert (member.role_group, member.site, member.payroll_number) == ("support", "South", "7")
        assert (member.starts_on, member.ends_on) == (date(2026, 9, 1), date(2027, 8, 31))
        record = session.scalars(
            select(LedgerEntry).where(LedgerEntry.kind == "person-changed")
        ).one()
        fields = session.scalars(
            select(Disclosure.field).where(Disclosure.record_id == record.record_id)
        )
        assert set(fields) == {"person", "actor", "before", "after"}
        assert b"South" not in record.body
    post(app, head, path, **form)
    assert kinds(database).count("person-changed") == 1
    page = post(app, head, path, **form | {"ends_on": "1/1/2026"})
    assert page.status_code == 400
    assert "Write a day after the start date" in page.text
    page = get(app, head, path)
    assert 'value="1 September 2026"' in page


def test_days_away_are_entered_ended_and_taken_back(
    app: Flask, database: Database, head: Guest
) -> None:
    guest = arrive(database, "Amara", GLENMERE, counted=True)
    path = f"/people/{guest.membership_id}"
    assert post(app, head, f"{path}/away", away_from="20/11/2026").status_code == 303
    assert names(app, head, "away") == {"Amara"}
    for wrong, words in (
        ({"away_from": "1/12/2026"}, "entered already cover some of these"),
        ({"away_from": "1/11/2026", "away_until": "20/11/2026"}, "entered already cover"),
        ({"away_from": "2/11/2026", "away_until": "1/11/2026"}, "not before the first day away"),
        ({"away_from": ""}, "Write a date such as"),
    ):
        reply = post(app, head, f"{path}/away", **wrong)
        assert (reply.status_code, words in reply.text) == (400, True), wrong
    with database.reading() as session:
        (absence,) = session.scalars(select(Absence))
    one = f"{path}/away/{absence.id}"
    reply = post(app, head, one, until="1/11/2026")
    assert reply.status_code == 400
    assert "not before the first day away" in reply.text
    assert post(app, head, one, until="22/11/2026").status_code == 303
    assert names(app, head, "away") == set()
    assert post(app, head, f"{path}/away", away_from="23/11/2026").status_code == 303
    assert post(app, head, one, remove="yes").status_code == 303
    assert post(app, head, one, remove="yes").status_code == 404
    assert [kind for kind in kinds(database) if kind.startswith("absence")] == [
        "absence-entered", "absence-changed", "absence-entered", "absence-removed",
    ]  # fmt: skip


def test_no_address_reaches_another_schools_person(
    app: Flask, database: Database, head: Guest
) -> None:
    other = arrive(database, "Amara", HEMSWELL, counted=True)
    third = arrive(database, "Amara", GLENMERE, counted=True)
    path = f"/people/{other.membership_id}"
    assert get(app, head, path, 404)
    assert post(app, head, path, role_group="support").status_code == 404
    assert post(app, head, f"{path}/away", away_from="20/11/2026").status_code == 404
    assert post(app, head, f"{path}/separate/{uuid4()}").status_code == 404
    pair = f"/people/same/{other.person_id}/{third.person_id}"
    assert get(app, head, pair, 404)
    assert post(app, head, pair).status_code == 404
    assert post(app, head, "/managers", person=str(other.person_id)).status_code == 404
    assert post(app, head, f"/managers/{other.person_id}/dismiss").status_code == 400


def test_a_manager_joins_two_and_takes_them_apart(
    app: Flask, database: Database, head: Guest
) -> None:
    moodle = arrive(database, "Amara Osei", GLENMERE, email="a@b.example")
    teams = arrive(database, "Amara Osei", GLENMERE, email="A@b.example", realm="teams")
    complete(database, teams)
    page = get(app, head, "/people/same")
    assert "The same name and e-mail address" in page
    pair = f"/people/same/{moodle.person_id}/{teams.person_id}"
    assert "Are they one person?" in get(app, head, pair)
    reply = post(app, head, pair)
    assert reply.location.startswith(f"/people/{teams.membership_id}")  # who has learned stays
    assert "No two of your school" in get(app, head, "/people/same")
    page = get(app, head, f"/people/{teams.membership_id}")
    (undo,) = re.findall(r'action="([^"]+/separate/[^"]+)"', page)
    joined = browser(app, head).get(f"/people/{moodle.membership_id}", base_url=HTTPS)
    assert joined.location == f"/people/{teams.membership_id}"
    assert post(app, head, undo).status_code == 303
    assert "The same name" in get(app, head, "/people/same")
    assert kinds(database)[-2:] == ["persons-joined", "persons-separated"]


def test_a_manager_joins_nobody_whom_another_school_knows(
    app: Flask, database: Database, head: Guest
) -> None:
    here = arrive(database, "Amara Osei", GLENMERE)
    both = arrive(database, "Amara Osei", GLENMERE, subject="x")
    arrive(database, "Amara Osei", HEMSWELL, subject="x")
    reply = post(app, head, f"/people/same/{here.person_id}/{both.person_id}")
    assert reply.status_code == 403
    assert "also belongs to another school" in reply.text


def code_of(app: Flask, guest: Guest) -> str:
    found = re.search(
        r"[A-Z2-8]{4}-[A-Z2-8]{4}-[A-Z2-8]{4}", post(app, guest, "/also-you/code").text
    )
    assert found
    return found[0]


def test_the_person_signed_in_at_both_joins_them_and_can_say_otherwise(
    app: Flask, database: Database
) -> None:
    moodle = arrive(database, "Amara Osei", GLENMERE)
    teams = arrive(database, "A. Osei", HEMSWELL, realm="teams", platform_name="Teams")
    start_training(database, moodle)
    code = code_of(app, teams)
    page = post(app, moodle, "/also-you/who", code=code.lower()).text
    assert "A. Osei, from Teams" in page
    assert "You are signed in here as Amara Osei" in page
    assert post(app, moodle, "/also-you", code=code, answer="no").status_code == 303
    assert kinds(database) == []
    assert post(app, moodle, "/also-you", code=code, answer="yes").status_code == 303
    with database.reading() as session:
        assert session.get_one(Person, teams.person_id).one_with == moodle.person_id
    for path, form in (("/also-you", {"answer": "yes"}), ("/also-you/who", {})):
        reply = post(app, moodle, path, code=code, **form)
        assert reply.status_code == 400
        assert "was used before" in reply.text
    page = get(app, moodle, "/also-you")
    (undo,) = re.findall(r'action="(/also-you/separate/[^"]+)"', page)
    stranger = arrive(database, "Stranger", GLENMERE)
    assert post(app, stranger, undo).status_code == 404
    assert post(app, moodle, undo).status_code == 303
    with database.reading() as session:
        assert session.get_one(Person, teams.person_id).one_with is None


def test_ones_own_code_joins_nothing(app: Flask, database: Database) -> None:
    guest = arrive(database, "Amara Osei", GLENMERE)
    reply = post(app, guest, "/also-you", code=code_of(app, guest), answer="yes")
    assert reply.status_code == 409


def test_managers_make_and_dismiss_managers_but_never_the_last(
    app: Flask, database: Database, head: Guest
) -> None:
    deputy = arrive(database, "Deputy", GLENMERE, counted=True)
    arrive(database, "Unconfirmed", GLENMERE, may_ask_to_manage=True)
    page = get(app, head, "/managers")
    assert "Deputy" in page
    assert "Unconfirmed" not in page
    assert post(app, head, f"/managers/{head.person_id}/dismiss").status_code == 400
    assert post(app, head, "/managers", person=str(deputy.person_id)).status_code == 303
    assert "Head" in get(app, deputy, "/managers")
    assert post(app, deputy, f"/managers/{head.person_id}/dismiss").status_code == 303
    assert get(app, head, "/managers", 403)
    reply = post(app, deputy, f"/managers/{deputy.person_id}/dismiss")
    assert reply.status_code == 400
    assert "This is the last one" in reply.text
    assert post(app, deputy, "/managers", person="x").status_code == 400


def test_a_person_who_is_joined_manages_by_each_sign_in_they_had_when_they_were_named(
    app: Flask, database: Database, head: Guest
) -> None:
    """And by none that is joined later; taking it back takes back all."""
    first = arrive(database, "Deputy", GLENMERE, counted=True, subject="1")
    second = arrive(database, "Deputy", GLENMERE, subject="2")
    late = arrive(database, "Deputy", GLENMERE, subject="3")
    post(app, head, f"/people/same/{first.person_id}/{second.person_id}")
    root = get_root(database, first.person_id)
    assert post(app, head, "/managers", person=str(root)).status_code == 303
    post(app, head, f"/people/same/{root}/{late.person_id}")
    statuses = [browser(app, guest).get("/people", base_url=HTTPS).status_code
                for guest in (first, second, late)]  # fmt: skip
    assert statuses == [200, 200, 403]
    assert post(app, head, f"/managers/{get_root(database, root)}/dismiss").status_code == 303
    with database.reading() as session:
        living = session.scalars(select(Grant).where(Grant.revoked_at.is_(None))).all()
    assert [grant.person_id for grant in living] == [head.person_id]


def get_root(database: Database, person_id: UUID) -> UUID:
    with database.reading() as session:
        return session.get_one(Person, person_id).one_with or person_id
