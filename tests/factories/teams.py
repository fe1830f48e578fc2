"""The tool beside an Entra of the sandbox's, which really listens, and a way to play a tab."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core.database import Database
from lti_tool.people import access
from lti_tool.people.models import Identity, Membership, Person, Visit
from lti_tool.teams import tenants
from sandbox_lms.platform import Platform
from sandbox_lms.schools import Person as Known
from sandbox_lms.serve import running
from sandbox_lms.teams.issuer import CLIENT_ID, TENANT_ID, Issuer
from sandbox_lms.views import create_platform, platform_of
from tests.conftest import SetClock
from tests.factories.keys import give_key, one_key
from tests.factories.registers import CATALOGUE, GLENMERE, HEMSWELL

ORIGIN = "https://training.example.org"


@dataclass
class TeamsWorld:
    """One tool, one organisation with two schools."""

    app: Flask
    platform: Platform
    issuer: Issuer
    clock: SetClock

    @property
    def database(self) -> Database:
        found: Database = self.app.extensions["database"]
        return found

    def let_in(self, *schools: str, **changes: Any) -> None:
        """Add the organisation for these schools."""
        given = {"name": "The trust", "tenant_id": TENANT_ID, "client_id": CLIENT_ID}
        with self.database.transaction() as session:
            tenants.add(
                session,
                schools=schools,
                now=self.clock(),
                **{"in_outlook": False, **given, **changes},
            )

    def person(self, kind: str = "starter", school: str = HEMSWELL) -> Known:
        return self.platform.person(school, kind)

    def token(self, *args: Any, **changes: object) -> str:
        return self.issuer.token(*(args or (self.person(),)), **changes)

    def enter(self, token: str | None, **fields: str) -> TestResponse:
        """What the tab sends; ``token`` None leaves the header out."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.client().post("/teams/enter", data=fields, headers=headers)

    def client(self, entered: TestResponse | None = None) -> FlaskClient:
        client = self.app.test_client()
        if entered is not None:
            client.set_cookie(access.COOKIE, cookie_of(entered), secure=True)
        return client

    def open(self, entered: TestResponse) -> tuple[FlaskClient, TestResponse]:
        """Go where a sign-in leads; the browser, and the last page."""
        client = self.client(entered)
        page = client.get(entered.get_json()["next"], follow_redirects=True)
        return client, page

    def count(self, table: Any) -> int:
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0

    def latest(self) -> tuple[Visit, Person, Identity, Membership | None]:
        """The latest visit, whose it is, and what they are at its school."""
        with self.database.reading() as session:
            visit = session.scalars(select(Visit).order_by(Visit.id.desc())).first()
            assert visit is not None
            person = session.get_one(Person, visit.person_id)
            identity = session.get_one(Identity, visit.identity_id)
            member = session.scalar(
                select(Membership).where(
                    Membership.person_id == person.id, Membership.school_id == visit.school_id
                )
            )
            return visit, person, identity, member


def cookie_of(reply: TestResponse) -> str:
    (line,) = [one for one in reply.headers.getlist("Set-Cookie") if access.COOKIE in one]
    return line.partition("=")[2].partition(";")[0]


@contextmanager
def teams_world(
    database_url: str, clock: SetClock, instance: Path, **settings: Any
) -> Iterator[TeamsWorld]:
    made: list[Flask] = []

    def make(base_url: str) -> Flask:
        made.append(create_platform(tool_url=ORIGIN, issuer=base_url, clock=clock))
        return made[0]

    with running(make) as authority:
        give_key(instance)
        config = Config(
            instance=instance,
            url=ORIGIN,
            database_url=database_url,
            private_hosts=("127.0.0.1",),
            entra_authority=authority,
            **settings,
        )
        app = create_app(config, clock=clock, catalogue=CATALOGUE)
        app.config["PREFERRED_URL_SCHEME"] = "https"
        issuer: Issuer = made[0].extensions["sandbox_entra"]
        issuer.keys = [one_key()]
        world = TeamsWorld(app, platform_of(made[0]), issuer, clock)
        world.let_in(HEMSWELL, GLENMERE)
        yield world
        app.extensions["queue"].storage.close()
        app.extensions["database"].engine.dispose()
