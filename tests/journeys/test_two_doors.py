"""Somebody learns in Teams; the school's Moodle gets the score once the two are known as one."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.core.clock import utc_now
from lti_tool.lti import launch as lti_door
from lti_tool.people import arrive, joins
from lti_tool.people.arrive import Admission, Arrival
from lti_tool.people.models import Identity
from lti_tool.teams import arriving as teams_door
from lti_tool.teams import tenants
from lti_tool.training.doors.elsewhere import owe_elsewhere
from sandbox_lms.schools import SCHOOLS
from sandbox_lms.schools import Person as Known
from sandbox_lms.serve import running
from sandbox_lms.teams.issuer import CLIENT_ID, TENANT_ID, Issuer, object_id
from sandbox_lms.views import create_platform
from tests.factories.plain_browser import PlainBrowser
from tests.journeys.conftest import NewDatabase, Product, Visitor, started

SCHOOL = "hemswell-cliff"


@pytest.fixture(scope="module")
def both(
    new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Product, Issuer]]:
    """The product, and an Entra that its organisation signs in with."""
    issuers: list[Issuer] = []

    def make(url: str) -> Flask:
        app = create_platform(tool_url="", issuer=url)
        issuers.append(app.extensions["sandbox_entra"])
        return app

    folder = tmp_path_factory.mktemp("doors")
    with (
        running(make) as authority,
        started(new_database, folder, entra_authority=authority) as product,
    ):
        with product.database.transaction() as session:
            tenants.add(
                session,
                name="The school",
                tenant_id=TENANT_ID,
                client_id=CLIENT_ID,
                schools=[SCHOOL],
                in_outlook=False,
                now=utc_now(),
            )
        yield product, issuers[0]


class TabVisitor(PlainBrowser):
    """Somebody in the tab, as the script there signs them in."""

    def __init__(self, product: Product, issuer: Issuer, person: Known) -> None:
        super().__init__(product.platform.tool_url, product.catalogue, SCHOOL, person.name)
        reply = self.http.post(
            f"{self.tool_url}/teams/enter",
            data={"school": SCHOOL},
            headers={"Authorization": f"Bearer {issuer.token(person)}"},
            timeout=30,
        )
        self.get(reply.json()["next"])


def person_of(product: Product, subject: str) -> UUID:
    with product.database.reading() as session:
        return session.scalars(select(Identity.person_id).where(Identity.subject == subject)).one()


def grade(product: Product, person: Known) -> float | None:
    platform = product.platform
    activity = platform.activity_at(SCHOOL, "induction")
    grades = [platform.gradebook.grade(item, person.id) for item in platform.items_of(activity)]
    return next((one.score for one in grades if one), None)


def join(product: Product, person: Known) -> None:
    with product.database.transaction() as session:
        joins.join(
            session,
            root_id=person_of(product, person.id),
            joined_id=person_of(product, object_id(person)),
            school_id=SCHOOL,
            now=utc_now(),
        )


def work(product: Product) -> None:
    """What the worker does."""
    with product.app.app_context(), product.database.transaction() as session:
        owe_elsewhere(session, schools=product.catalogue.schools, now=utc_now())
    product.deliver()


def launch(product: Product, person: Known) -> Visitor:
    activity = product.platform.activity_at(SCHOOL, "induction")
    return Visitor(product, person, activity)


OF_THE_DOOR = {"door", "realm", "subject", "platform_name", "frame_ancestors", "place_id"}
"""What tells one door from the other; nothing above asks which it was."""


@pytest.mark.one_machine("listens to what is handed over within one process")
@pytest.mark.parametrize("kind", ["starter", "governor", "head"])
def test_the_two_doors_hand_over_the_same_of_one_person(
    both: tuple[Product, Issuer], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    product, issuer = both
    handed: list[Arrival] = []

    def admit(session: Session, arrival: Arrival, *, now: datetime) -> Admission:
        handed.append(arrival)
        return arrive.admit(session, arrival, now=now)

    for door in (lti_door, teams_door):
        monkeypatch.setattr(door, "admit", admit)
    person = product.platform.person(SCHOOL, kind)
    launch(product, person)
    TabVisitor(product, issuer, person)
    from_lti, from_teams = (asdict(one) for one in handed)
    assert {one for one in from_lti if from_lti[one] != from_teams[one]} == OF_THE_DOOR
    assert (from_lti["door"], from_teams["door"]) == ("lti", "teams")
    assert (from_lti["subject"], from_teams["subject"]) == (person.id, object_id(person))
    assert from_teams["realm"] == f"teams:{TENANT_ID}"
    assert from_teams["name"] == person.name
    assert from_teams["email"] == person.email
    assert (from_teams["school_id"], from_teams["module"]) == (SCHOOL, "induction")
    assert from_teams["may_ask_to_manage"] is (kind == "head")
    assert {type(value) for value in from_lti.values()} == {str, bool, UUID}, "and no claim"
    assert {one: type(from_lti[one]) for one in from_lti} == {
        one: type(from_teams[one]) for one in from_teams
    }


def test_done_in_teams_is_done_in_moodle(both: tuple[Product, Issuer]) -> None:
    product, issuer = both
    person = product.platform.enrol_starter(SCHOOLS[SCHOOL])
    launch(product, person)  # looks at it, and does nothing
    tab = TabVisitor(product, issuer, person)
    tab.learn()
    assert tab.path == "/training/finished"
    assert "Saved here" in tab.page.get_text()
    work(product)
    assert grade(product, person) is None  # nobody has said yet that it is the same person

    join(product, person)
    work(product)
    assert grade(product, person) == 100
    again = launch(product, person)
    again.get("/")
    assert again.path != "/"  # nothing to begin: it is done


def test_already_one_when_the_training_is_done(both: tuple[Product, Issuer]) -> None:
    """The score goes at once, and the confirmation says so."""
    product, issuer = both
    person = product.platform.enrol_starter(SCHOOLS[SCHOOL])
    launch(product, person)
    tab = TabVisitor(product, issuer, person)
    join(product, person)
    tab = TabVisitor(product, issuer, person)
    tab.learn()
    product.deliver()
    assert grade(product, person) == 100
    page = tab.get("/training/finished").get_text()
    assert "Saved here" in page
    assert "Sent to Sandbox learning platform" in page


def test_moodle_is_opened_for_the_first_time_afterwards(both: tuple[Product, Issuer]) -> None:
    product, issuer = both
    person = product.platform.enrol_starter(SCHOOLS[SCHOOL])
    TabVisitor(product, issuer, person).learn()
    launch(product, person)
    join(product, person)
    work(product)
    assert grade(product, person) == 100
