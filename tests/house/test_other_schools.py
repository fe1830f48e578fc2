"""No school reaches another's: every route is tried with what belongs to another school, and says
and does just what it does where there is no such thing."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule

from lti_tool.core.database import Database, Table
from lti_tool.people import access
from tests.conftest import SetClock
from tests.factories.one_of_each import one_of_each
from tests.factories.registers import (
    GLENMERE,
    HEMSWELL,
    Guest,
    arrive,
    browser,
    complete,
    csrf,
    make_manager,
    open_cycle,
    owe,
    running,
)

# What an address names, by its argument. Whoever adds one says here what it is.
NAMES = {
    "absence_id": "absence",
    "batch_id": "reminder_batch",
    "completion_id": "completion",
    "first": "person",
    "holiday_id": "holiday",
    "import_id": "staff_import",
    "invitation_id": "invitation",
    "join_id": "person_join",
    "membership_id": "membership",
    "pack_id": "pack",
    "person_id": "person",
    "place_id": "resource_link",
    "roster_id": "roster",
    "second": "person",
}
# Parts of an address that are read in the visitor's own school alone.
OF_OWN = {"kind", "number", "position", "secret", "section", "school_id"}
# What forms and queries name, by route and field.
FIELDS = (
    ("managers.appoint", "person", "person"),
    ("evidence.confirm", "person", "membership"),
    ("evidence.send_again", "score", "score_outbox"),
    ("acting.dates", "obligation", "obligation"),
    ("acting.move_dates", "obligation", "obligation"),
    ("acting.move_dates", "back", "membership"),
    ("acting.paper", "instead_of", "completion"),
    ("acting.enter_paper", "instead_of", "completion"),
    ("acting.withdraw_paper", "instead_of", "completion"),
    ("imports.apply", "same", "person"),
)


class Town:
    """Two schools, each with something of everything, and who manages which."""

    def __init__(self, app: Flask, database: Database) -> None:
        self.app, self.database = app, database
        self.head = make_manager(database, arrive(database, "Head", counted=True))
        self.staff = arrive(database, "Staff", counted=True)
        self.other = arrive(database, "Theirs", GLENMERE, counted=True)
        both = {"subject": "both"}
        there = make_manager(database, arrive(database, "Both", GLENMERE, **both))
        self.both = make_manager(database, arrive(database, "Both", **both))
        assert there.person_id == self.both.person_id
        for guest in (self.staff, self.other):
            complete(database, guest)
            open_cycle(database, guest.school_id)
            owe(database, guest)
        self.own = one_of_each(database, self.staff)
        self.theirs = one_of_each(database, self.other)

    def of_theirs(self) -> dict[str, Any]:
        """Every row of the other school, and what has no school and hangs on one."""
        with self.database.reading() as session:
            return {
                name: [
                    tuple(row)
                    for row in session.execute(select(sheet).order_by(*sheet.primary_key))
                    if getattr(row, "school_id", GLENMERE) == GLENMERE
                    and getattr(row, "id", None) not in self.allowed
                ]
                for name, sheet in Table.metadata.tables.items()
                if "school_id" in sheet.c or name in ("person", "invitation", "registration")
            }

    @property
    def allowed(self) -> set[UUID]:
        """Their own visit moves on with each request."""
        return {self.head.admission.visit_id, self.both.admission.visit_id}

    def says(
        self, guest: Guest, rule: Rule, method: str, ids: dict[str, Any], form: dict[str, Any]
    ) -> tuple[int, str, str]:
        """Status, where it leads, and the words without what differs from one to the next."""
        built = rule.build(ids)
        assert built is not None
        given = {"data": form | {"csrf_token": csrf(self.app, guest.admission.visit_id)}}
        reply = browser(self.app, guest).open(
            built[1],
            method=method,
            base_url="https://localhost",
            **(given if method == "POST" else {"query_string": form}),  # type: ignore[arg-type]
        )
        words, place = reply.text, reply.headers.get("Location", "")
        for one in (*ids.values(), *form.values()):
            words, place = words.replace(str(one), "ID"), place.replace(str(one), "ID")
        return reply.status_code, place, re.sub(r"\b[0-9a-f]{12}\b", "", words)


@pytest.fixture
def town(sqlite_url: str, tmp_path: Path, clock: SetClock) -> Iterator[Town]:
    database = Database(sqlite_url)
    with running(tmp_path, database, clock) as app:
        yield Town(app, database)
    database.engine.dispose()


def routes(app: Flask) -> list[tuple[Rule, str]]:
    return [
        (rule, method)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) & {"GET", "POST"})
        if set(rule.arguments) & set(NAMES)
    ]


def fits(town: Town, rule: Rule) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Ids of the other school's, all of them or the last alone; and such that are nobody's."""
    names = sorted(rule.arguments, key=rule.rule.index)
    theirs = {name: town.theirs[NAMES[name]] for name in names}
    yield theirs, {name: uuid4() for name in names}
    for name in names[1:]:
        own = {one: town.own[NAMES[one]] for one in names}
        yield own | {name: theirs[name]}, own | {name: uuid4()}


def test_every_argument_of_an_address_is_known(town: Town) -> None:
    found = {name for rule in town.app.url_map.iter_rules() for name in rule.arguments}
    assert found == set(NAMES) | OF_OWN


def test_what_is_anothers_is_not_there(town: Town) -> None:
    """Neither for a manager, nor for one of both schools who is at one, nor for a learner."""
    before = town.of_theirs()
    assert [tried(town, who) > 30 for who in ("head", "both", "staff")] == [True] * 3
    assert town.of_theirs() == before


def tried(town: Town, who: str) -> int:
    """How many ways there were."""
    guest: Guest = getattr(town, who)
    number = 0
    for rule, method in routes(town.app):
        for theirs, nobodys in fits(town, rule):
            said = town.says(guest, rule, method, theirs, {})
            mark = access.access_of(town.app.view_functions[rule.endpoint])
            assert mark is not None
            refuses = mark.level == "manager" and who == "staff"
            allowed = (403,) if refuses else (303, 400, 404)
            assert said[0] in allowed, (rule, method, said[0])
            assert said == town.says(guest, rule, method, nobodys, {}), (rule, method)
            number += 1
    return number


def test_what_a_form_names_of_anothers_is_not_there(town: Town) -> None:
    guest, before = town.both, town.of_theirs()
    for endpoint, field, kind in FIELDS:
        rule = next(one for one in town.app.url_map.iter_rules() if one.endpoint == endpoint)
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        ids = {name: town.own[NAMES[name]] for name in rule.arguments}
        for form in ({}, {"to_on": "2026-12-24", "reason": "r", "shown": "0" * 64}):
            theirs = town.says(guest, rule, method, ids, form | {field: town.theirs[kind]})
            assert theirs == town.says(guest, rule, method, ids, form | {field: uuid4()}), endpoint
            assert theirs[0] != 200, endpoint
    assert town.of_theirs() == before


def test_nobody_goes_to_a_school_they_do_not_manage(town: Town) -> None:
    rule = next(one for one in town.app.url_map.iter_rules() if one.endpoint == "dashboard.enter")
    for school in (GLENMERE, "no-such-school"):
        assert town.says(town.head, rule, "POST", {"school_id": school}, {})[0] == 403
    assert town.says(town.both, rule, "POST", {"school_id": GLENMERE}, {})[0] == 303
    assert town.says(town.both, rule, "POST", {"school_id": HEMSWELL}, {})[0] == 303
