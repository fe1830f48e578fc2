"""Managers' pages and commands on the school's year."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from lti_tool.core.database import Database
from lti_tool.core.ledger import LedgerEntry, verify
from lti_tool.people.models import Absence, Membership
from lti_tool.training.cycles.models import Calendar, Cycle, Holiday, Obligation
from lti_tool.training.year.cli import cycles
from lti_tool.training.year.tasks import settle_all
from tests.conftest import SetClock
from tests.factories.registers import (
    HEMSWELL,
    Guest,
    arrive,
    browser,
    csrf,
    make_manager,
    place,
    running,
)

HTTPS = "https://localhost"
BEGAN = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def app(database: Database, tmp_path: Path, clock: SetClock) -> Iterator[Flask]:
    with database.transaction() as session:
        session.add(Calendar(school_id=HEMSWELL, began_on=BEGAN.date(), changed_at=BEGAN))
    with running(tmp_path, database, clock) as app:
        yield app


@pytest.fixture
def head(app: Flask, database: Database, clock: SetClock) -> Guest:
    """The head, a teacher, somebody in the office who is away, and somebody unknown."""
    guest = make_manager(database, arrive(database, "Head", counted=True))
    place(database, guest, role_group="teaching")
    place(database, arrive(database, "Teacher", counted=True), role_group="teaching")
    office = place(database, arrive(database, "Office", counted=True), role_group="support")
    arrive(database, "Unknown")
    with database.transaction() as session:
        for member in session.scalars(select(Membership)):
            member.confirmed_at = member.confirmed_at and BEGAN
        session.add(
            Absence(
                school_id=HEMSWELL, person_id=office.person_id, starts_on=BEGAN.date(),
                ends_on=None, entered_at=BEGAN,
            )
        )  # fmt: skip
    return guest


def get(app: Flask, guest: Guest, path: str) -> str:
    reply = browser(app, guest).get(path, base_url=HTTPS)
    assert reply.status_code == 200, reply.get_data(as_text=True)
    return " ".join(unescape(reply.get_data(as_text=True)).split())


def post(app: Flask, guest: Guest, path: str, status: int = 303, **form: Any) -> str:
    token = csrf(app, guest.admission.visit_id)
    reply = browser(app, guest).post(path, data={"csrf_token": token, **form}, base_url=HTTPS)
    assert reply.status_code == status, reply.get_data(as_text=True)
    return " ".join(unescape(reply.get_data(as_text=True)).split())


def kinds(database: Database) -> list[str]:
    with database.reading() as session:
        assert verify(session, school_id=HEMSWELL)[1] is None
        return list(session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.sequence)))


def test_a_cycle_is_looked_at_before_it_is_opened(
    app: Flask, database: Database, head: Guest
) -> None:
    page = get(app, head, "/year/cycle")
    assert "3 people, no changed clause." in page
    assert "2 members of teaching staff" in page
    assert "1 member of support staff" in page
    assert "1 of them is away from work" in page
    assert "1 person: not confirmed yet" in page
    with database.reading() as session:
        assert session.scalars(select(Obligation)).all() == []
    post(app, head, "/year/cycle", closes_on="2026-12-18")
    assert "3 people now owe the annual refresh." in get(app, head, "/year?opened=3")
    with database.reading() as session:
        cycle = session.scalars(select(Cycle)).one()
        assert (cycle.name, cycle.closes_on) == ("2026-27", date(2026, 12, 18))
        assert cycle.opened_by == head.person_id
        assert len(session.scalars(select(Obligation)).all()) == 3
        entry = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "cycle-opened")).one()
    facts = json.loads(entry.body)["facts"]
    assert (facts["by"], facts["people"]) == ("manager", 3)
    assert str(head.person_id) not in entry.body.decode()


def test_a_cycle_is_opened_once_and_closes_later(
    app: Flask, database: Database, head: Guest
) -> None:
    assert "Enter a date" in post(app, head, "/year/cycle", 400, closes_on="soon")
    for day in ("2026-11-23", "2028-11-23"):
        assert "cannot close on that day" in post(app, head, "/year/cycle", 400, closes_on=day)
    post(app, head, "/year/cycle", closes_on="2026-12-18")
    assert "open already" in post(app, head, "/year/cycle", 409, closes_on="2026-12-18")
    assert "See whom a refresh would ask now" not in get(app, head, "/year")


DATES: dict[str, Any] = {
    "opens_day": "15",
    "opens_month": "9",
    "closes_day": "15",
    "closes_month": "11",
    "induction_days": "5",
    "grace_days": "60",
    "began_on": "2026-06-01",
}


def test_the_schools_own_dates(app: Flask, database: Database, head: Guest) -> None:
    assert "opens by itself on 1 September 2027 and closes on 31 October 2027" in get(
        app, head, "/year"
    )
    post(app, head, "/year/dates", **DATES)
    assert "opens by itself on 15 September 2027 and closes on 15 November 2027" in get(
        app, head, "/year"
    )
    assert kinds(database)[-1] == "calendar-changed"
    before = kinds(database)
    post(app, head, "/year/dates", **DATES)
    assert kinds(database) == before  # nothing changed
    page = post(app, head, "/year/dates", 400, **{**DATES, "opens_day": "31"})
    assert "That month has no such day" in page
    for field, value, words in (
        ("induction_days", "0", "from 1 to 60"),
        ("grace_days", "x", "from 0 to 366"),
        ("began_on", "", "Enter a date"),
    ):
        assert words in post(app, head, "/year/dates", 400, **{**DATES, field: value})


def test_holidays_are_entered_and_taken_back(app: Flask, database: Database, head: Guest) -> None:
    christmas: dict[str, Any] = {
        "name": "Christmas",
        "starts_on": "2026-12-21",
        "ends_on": "2027-01-01",
    }
    post(app, head, "/year/holidays", **christmas)
    post(app, head, "/year/holidays", **christmas)
    page = get(app, head, "/year")
    assert "21 December 2026 to 1 January 2027" in page
    with database.reading() as session:
        holiday = session.scalars(select(Holiday)).one()
    post(app, head, f"/year/holidays/{holiday.id}/remove")
    post(app, head, f"/year/holidays/{holiday.id}/remove")
    assert "21 December 2026" not in get(app, head, "/year")
    assert kinds(database)[-2:] == ["holiday-added", "holiday-removed"]
    wrong = {**christmas, "ends_on": "2026-12-20"}
    assert "The last day is before the first" in post(app, head, "/year/holidays", 400, **wrong)
    long = {**christmas, "ends_on": "2027-12-20"}
    assert "longer than a hundred days" in post(app, head, "/year/holidays", 400, **long)
    elsewhere = make_manager(
        database, arrive(database, "Other", "glenmere", realm="realm-2", counted=True)
    )
    post(app, elsewhere, f"/year/holidays/{holiday.id}/remove", 404)


def test_bank_holidays_are_offered_and_added_once(
    app: Flask, database: Database, head: Guest
) -> None:
    assert "Good Friday, 26 March 2027" in get(app, head, "/year")
    post(app, head, "/year/holidays/bank")
    page = get(app, head, "/year")
    assert "Bank holidays to come" not in page
    assert "Easter Monday" in page


def test_the_worker_opens_the_cycle_on_its_day_for_schools_that_count_anybody(
    app: Flask, database: Database, head: Guest, clock: SetClock
) -> None:
    schools = app.extensions["catalogue"].schools.values()
    settle_all(database, schools, clock)
    clock.now = datetime(2027, 9, 1, 4, 0, tzinfo=UTC)
    for _ in range(2):  # the second worker finds nothing to do
        settle_all(database, schools, clock)
    with database.reading() as session:
        assert [one.name for one in session.scalars(select(Cycle))] == ["2027-28"]
        assert len(session.scalars(select(Obligation)).all()) == 3
        assert session.get(Calendar, "glenmere") is None
    assert kinds(database).count("cycle-opened") == 1


def test_the_commands(app: Flask, database: Database, head: Guest) -> None:
    def run(*words: str) -> tuple[str, int]:
        done = app.test_cli_runner().invoke(cycles, words)
        return done.output, done.exit_code

    assert run("list", "--school", HEMSWELL)[0] == "hemswell-cliff has opened no cycle\n"
    told = json.loads(run("preview", "--school", HEMSWELL, "--json")[0])
    assert (told["people"], told["by_role_group"]) == (3, {"teaching": 2, "support": 1})
    assert told["not_asked"] == {"not-counted": 1}
    assert "3 people, 0 changed clauses" in run("preview", "--school", HEMSWELL)[0]
    opened, code = run("open", "--school", HEMSWELL, "--closes", "2026-12-18")
    assert (opened, code) == ("2026-27 is open until 2026-12-18; 3 people owe it\n", 0)
    assert run("open", "--school", HEMSWELL) == ("Error: this year's cycle is open already\n", 1)
    assert run("preview", "--school", HEMSWELL)[1] == 1
    assert run("list", "--school", HEMSWELL)[0] == "2026-27  2026-11-23 to 2026-12-18  3 open\n"
    listed = json.loads(run("list", "--school", HEMSWELL, "--json")[0])
    assert listed[0]["people"] == {"open": 3}
    assert run("settle", "--school", HEMSWELL)[0] == "hemswell-cliff: nothing else changed\n"
    assert run("list", "--school", "nowhere")[1] == 2
