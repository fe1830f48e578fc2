"""All schools of a manager: a grant opens each, nothing else does, and no visit mixes two."""

from typing import Any
from uuid import uuid4

from flask import Flask

from lti_tool.core.database import Database
from lti_tool.people import memberships
from lti_tool.people.models import Person, Visit
from tests.factories.registers import (
    GLENMERE,
    HEMSWELL,
    NOW,
    Guest,
    arrive,
    browser,
    csrf,
    make_manager,
    owe,
)


def manager_of_both(database: Database, **given: Any) -> Guest:
    subject = uuid4().hex
    make_manager(database, arrive(database, "Trudy Trust", GLENMERE, subject=subject))
    return make_manager(database, arrive(database, "Trudy Trust", subject=subject, **given))


def visit_of(database: Database, guest: Guest) -> Visit:
    with database.reading() as session:
        return session.get_one(Visit, guest.admission.visit_id)


def go(app: Flask, guest: Guest, school_id: str) -> int:
    data = {"csrf_token": csrf(app, guest.admission.visit_id)}
    return browser(app, guest).post(f"/schools/{school_id}", data=data).status_code


def test_schools_stand_side_by_side_without_names(app: Flask, database: Database) -> None:
    manager = manager_of_both(database)
    owe(database, arrive(database, "Amara Osei", counted=True))
    done = arrive(database, "Bethan Pugh", GLENMERE, counted=True)
    owe(database, done, outcome="done", ended_on=NOW.date())
    text = browser(app, manager).get("/schools").text
    assert "2 schools that you manage" in text
    assert "Hemswell Cliff Primary School: 0 of 1 done. Glenmere" not in text  # by name
    assert "Glenmere Primary School: 1 of 1 done." in text
    assert "Amara" not in text
    assert "All schools: 1 of 2 done." in text
    least_first = browser(app, manager).get("/schools?order=share").text
    rows = least_first.partition('<table class="govuk-table cw-register">')[2]
    assert rows.index("Hemswell") < rows.index("Glenmere")
    assert "All your schools" in browser(app, manager).get("/dashboard").text


def test_a_school_without_a_living_grant_is_not_shown_nor_entered(
    app: Flask, database: Database
) -> None:
    manager = manager_of_both(database)
    with database.transaction() as session:
        memberships.revoke(session, person_id=manager.person_id, school_id=GLENMERE, now=NOW)
    text = browser(app, manager).get("/schools").text
    assert "1 school that you manage" in text
    assert "Glenmere" not in text
    assert go(app, manager, GLENMERE) == 403
    assert go(app, manager, "no-such-school") == 403
    assert visit_of(database, manager).school_id == HEMSWELL


def test_a_join_hands_on_no_school(app: Flask, database: Database) -> None:
    """Whoever is one with a manager of another school still manages only their own."""
    here = make_manager(database, arrive(database, "Trudy Trust"))
    there = make_manager(database, arrive(database, "T. Trust", GLENMERE))
    with database.transaction() as session:
        session.get_one(Person, here.person_id).one_with = there.person_id
        session.get_one(Visit, here.admission.visit_id).person_id = there.person_id
    assert "Glenmere" not in browser(app, here).get("/schools").text
    assert go(app, here, GLENMERE) == 403


def test_going_to_another_school_and_back(app: Flask, database: Database) -> None:
    """What the launch brought stays with the school it was for."""
    place_id = uuid4()
    manager = manager_of_both(database, place_id=place_id)
    arrive(database, "Glenda Glenmere", GLENMERE, counted=True)
    arrive(database, "Hattie Hemswell", counted=True)
    client = browser(app, manager)
    stale = csrf(app, manager.admission.visit_id)
    assert go(app, manager, GLENMERE) == 303
    away = visit_of(database, manager)
    assert (away.school_id, away.place_id) == (GLENMERE, None)
    register = client.get("/register").text
    assert "Glenda Glenmere" in register
    assert "Hattie Hemswell" not in register
    assert client.post("/schools/" + HEMSWELL, data={"csrf_token": stale}).status_code == 400
    assert client.get("/").status_code == 200  # the training, without a membership there
    assert go(app, manager, HEMSWELL) == 303
    home = visit_of(database, manager)
    assert (home.school_id, home.place_id, home.home_school_id) == (HEMSWELL, place_id, None)
    assert "Hattie Hemswell" in client.get("/register").text


def test_a_grant_taken_back_meanwhile_closes_the_school_entered(
    app: Flask, database: Database
) -> None:
    manager = manager_of_both(database)
    go(app, manager, GLENMERE)
    with database.transaction() as session:
        memberships.revoke(session, person_id=manager.person_id, school_id=GLENMERE, now=NOW)
    assert browser(app, manager).get("/register").status_code == 403
