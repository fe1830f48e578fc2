"""A manager makes invitations, sees what became of them, and takes them back."""

from datetime import timedelta

from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lti_tool.core.database import Database
from lti_tool.lti.connect import invitations
from lti_tool.lti.connect.models import Invitation
from tests.conftest import SetClock
from tests.factories.registers import (
    GLENMERE,
    HEMSWELL,
    ORIGIN,
    Guest,
    arrive,
    browser,
    csrf,
    make_manager,
)


def page(client: FlaskClient, path: str = "/connect/invitations") -> BeautifulSoup:
    reply = client.get(path, base_url="https://localhost")
    assert reply.status_code == 200, reply.text
    return BeautifulSoup(reply.text, "html.parser")


def make(app: Flask, head: Guest, client: FlaskClient) -> str:
    """Make an invitation; its address."""
    token = csrf(app, head.admission.visit_id)
    reply = client.post(
        "/connect/invitations", data={"csrf_token": token}, base_url="https://localhost"
    )
    assert reply.status_code == 200, reply.text
    field = BeautifulSoup(reply.text, "html.parser").select_one("textarea[readonly]")
    assert field is not None
    return field.get_text()


def lines(client: FlaskClient) -> list[str]:
    return [" ".join(row.get_text(" ").split()) for row in page(client).select("tbody tr")]


def test_the_register_leads_there(app: Flask, database: Database) -> None:
    head = make_manager(database, arrive(database, "Head"))
    found = page(browser(app, head), "/register").select_one("a[href='/connect/invitations']")
    assert found is not None


def test_an_invitation_is_made_shown_once_and_listed(
    app: Flask, database: Database, clock: SetClock
) -> None:
    head = make_manager(database, arrive(database, "The Head"))
    client = browser(app, head)
    assert lines(client) == []
    address = make(app, head, client)
    assert address.startswith(f"{ORIGIN}/connect/register/")
    (line,) = lines(client)
    assert "The Head" in line
    assert "open" in line
    assert address.rsplit("/", 1)[1] not in str(page(client))
    with database.reading() as session:
        row = session.scalars(select(Invitation)).one()
        assert (row.made_by, row.expires_at) == (head.person_id, clock() + timedelta(days=7))
        assert invitations.schools_of(session, row) == (HEMSWELL,)
    opened = app.test_client().get(address.removeprefix(ORIGIN), base_url="https://localhost")
    assert "Hemswell Cliff Primary School" in opened.text


def test_it_can_be_withdrawn(app: Flask, database: Database) -> None:
    head = make_manager(database, arrive(database, "Head"))
    client = browser(app, head)
    address = make(app, head, client)
    form = page(client).select_one("form[action$=withdraw]")
    assert form is not None
    token = csrf(app, head.admission.visit_id)
    reply = client.post(
        str(form["action"]), data={"csrf_token": token}, base_url="https://localhost"
    )
    assert reply.status_code == 303
    assert "withdrawn" in lines(client)[0]
    assert page(client).select_one("form[action$=withdraw]") is None
    assert client.get(address.removeprefix(ORIGIN), base_url="https://localhost").status_code == 410


def test_it_runs_out_and_leaves_the_list(app: Flask, database: Database, clock: SetClock) -> None:
    now = clock() - timedelta(days=8)
    with database.transaction() as session:
        invitations.invite(session, schools=[HEMSWELL], now=now)
        invitations.invite(session, schools=[HEMSWELL], now=now - timedelta(days=23))
    head = make_manager(database, arrive(database, "Head"))
    (line,) = lines(browser(app, head))
    assert "ran out" in line
    assert "command line" in line


def test_another_schools_invitations_are_its_own(app: Flask, database: Database) -> None:
    head = make_manager(database, arrive(database, "Head"))
    other = make_manager(database, arrive(database, "Other", GLENMERE))
    make(app, head, browser(app, head))
    client = browser(app, other)
    assert lines(client) == []
    with database.reading() as session:
        mine = session.scalars(select(Invitation.id)).one()
    token = csrf(app, other.admission.visit_id)
    reply = client.post(
        f"/connect/invitations/{mine}/withdraw",
        data={"csrf_token": token},
        base_url="https://localhost",
    )
    assert reply.status_code == 404
    assert "open" in lines(browser(app, head))[0]


def test_one_for_two_schools_is_seen_by_both(app: Flask, database: Database) -> None:
    with database.transaction() as session:
        secret = invitations.invite(
            session, schools=[HEMSWELL, GLENMERE, HEMSWELL], now=app.extensions["clock"]()
        )
    for school_id in (HEMSWELL, GLENMERE):
        head = make_manager(database, arrive(database, "Head", school_id))
        assert len(lines(browser(app, head))) == 1
    reply = app.test_client().get(f"/connect/register/{secret}", base_url="https://localhost")
    assert "Glenmere Primary School, Hemswell Cliff Primary School" in reply.text


def test_the_page_for_doing_it_by_hand_has_every_address(app: Flask) -> None:
    reply = app.test_client().get("/connect/by-hand", base_url="https://localhost")
    found = BeautifulSoup(reply.text, "html.parser")
    for product in ("moodle", "canvas", "brightspace", "blackboard", "openedx"):
        section = found.select_one(f"section#{product}")
        assert section is not None
        said = section.get_text()
        for path in ("/lti/login", "/lti/launch", "/lti/jwks"):
            assert f"{ORIGIN}{path}" in said, product
        for option in ("--issuer", "--client-id", "--deployment-id", "--jwks-url"):
            assert option in said, product
    assert f"{ORIGIN}/connect/icon.svg" in found.get_text()
    assert "clauseway platforms add" in found.get_text()
    assert "induction" in found.get_text()
