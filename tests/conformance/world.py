"""The tool and a platform beside it, both really listening, and a way to play the browser.

Nothing here follows a redirect or keeps a cookie by itself: a test says what the browser does.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from flask import Flask
from sqlalchemy import func, select

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core.database import Database, Table
from lti_tool.curriculum.catalogue import Catalogue, TrainingModule
from lti_tool.lti.claims import AGS, CORE, NRPS
from lti_tool.lti.models import Registration
from lti_tool.lti.platforms import Details, Lti, add_platform
from lti_tool.people.models import Visit
from lti_tool.policies.policy import Role, School
from sandbox_lms.platform import CLIENT_ID, Platform
from sandbox_lms.schools import Activity, Person
from sandbox_lms.serve import running, running_platform
from tests.conftest import SetClock
from tests.factories.keys import give_key

RECORDED = Path(__file__).parents[1] / "recorded"
SCHOOL = "hemswell-cliff"
OTHER = "glenmere"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"
__all__ = ["AGS", "CORE", "NRPS"]


def catalogue() -> Catalogue:
    """Just enough content to arrive at."""
    modules = {
        name: TrainingModule(
            id=name,
            title={"en": name},
            about={"en": name},
            minutes=15,
            scenarios=10,
            unscored_at_most=2,
            pass_percent=80,
        )
        for name in ("induction", "annual-refresh")
    }
    schools = {slug: _school(slug) for slug in (SCHOOL, OTHER)}
    closed = replace(_school("wren-spinney"), closed=("a fault",))
    return Catalogue(
        topics={}, modules=modules, schools=schools | {closed.id: closed}, scenarios={}
    )


def _school(slug: str) -> School:
    return School(
        id=slug,
        name=slug.title(),
        nation="england",
        languages=("en",),
        sites=(),
        roles={"head": Role("head", {"en": "Headteacher"}, "01000 000000")},
        also={},
        report_to=("head",),
        ask="head",
        terms={},
        is_example=True,
        declaration_note={},
        versions=(),
        document="",
    )


@dataclass(frozen=True)
class Begun:
    """What a login left: in the browser's cookie jar, and for the platform."""

    state: str
    nonce: str
    redirect_uri: str
    query: Mapping[str, str]
    cookies: Mapping[str, str]


class World:
    """One tool, one platform."""

    def __init__(self, app: Flask, platform: Platform, http: requests.Session) -> None:
        self.app, self.platform, self.http = app, platform, http
        self.url = platform.tool_url
        self.lti: Lti = app.extensions["lti"]
        self.database: Database = app.extensions["database"]
        self.registration_id = self.register(SCHOOL, SCHOOL)

    def register(self, deployment_id: str, *schools: str, **changes: Any) -> Any:
        """Add the platform with this deployment; returns the registration's id."""
        issuer = self.platform.issuer
        details = Details(
            name="The platform",
            issuer=issuer,
            client_id=CLIENT_ID,
            auth_login_url=f"{issuer}/auth",
            auth_token_url=f"{issuer}/token",
            jwks_url=f"{issuer}/jwks",
            deployment_id=deployment_id,
            schools=schools,
        )
        with self.database.transaction() as session:
            row = add_platform(session, replace(details, **changes), now=self.lti.clock())
        self.lti.registry.forget()
        return row.id

    @property
    def learner(self) -> Person:
        return self.platform.person(SCHOOL, "starter")

    @property
    def activity(self) -> Activity:
        return self.platform.activity_at(SCHOOL)

    def parameters(self, **changes: str | None) -> dict[str, str]:
        """What a platform begins a login with; ``None`` leaves a parameter out."""
        said = self.platform.login_parameters(self.learner, self.activity) | changes
        return {name: value for name, value in said.items() if value is not None}

    def send_login(
        self, parameters: Mapping[str, str], *, method: str = "POST"
    ) -> requests.Response:
        return self.http.request(
            method,
            f"{self.url}/lti/login",
            data=parameters if method == "POST" else None,
            params=parameters if method == "GET" else None,
            allow_redirects=False,
            timeout=30,
        )

    def begin(self, **changes: str | None) -> Begun:
        """A login that goes well."""
        reply = self.send_login(self.parameters(**changes))
        assert reply.status_code == 302, reply.text
        return self.begun(reply.headers["Location"], set_cookies(reply))

    def begun(self, address: str, cookies: Mapping[str, str]) -> Begun:
        """What a login left that sends the browser to ``address``."""
        query = dict(parse_qsl(urlsplit(address).query))
        return Begun(query["state"], query["nonce"], query["redirect_uri"], query, cookies)

    def claims(self, begun: Begun, **changes: object) -> dict[str, Any]:
        """The claims of a valid launch for this login. ``OMIT`` leaves one out."""
        return self.platform.id_token_claims(self.learner, self.activity, begun.nonce, **changes)

    def recorded_claims(self, name: str, begun: Begun) -> dict[str, Any]:
        """A recorded message, as if it were this platform's own answer to this login."""
        here = ("iss", "aud", "nonce", "iat", "exp")
        there = (f"{CORE}deployment_id", f"{CORE}target_link_uri")
        ours = self.claims(begun)
        return read_recorded(name) | {claim: ours[claim] for claim in (*here, *there)}

    def token(self, begun: Begun, **changes: object) -> str:
        return self.platform.sign(self.claims(begun, **changes))

    def post(
        self,
        begun: Begun,
        token: str,
        *,
        cookies: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """The browser brings the token; with the login's cookies unless told otherwise."""
        held = begun.cookies if cookies is None else cookies
        cookie = "; ".join(f"{name}={value}" for name, value in held.items())
        return self.http.post(
            f"{self.url}/lti/launch",
            data={"state": begun.state, "id_token": token, **(fields or {})},
            headers={"Cookie": cookie, **(headers or {})},
            allow_redirects=False,
            timeout=30,
        )

    def launch(self, **changes: object) -> requests.Response:
        """A login and a launch, with these claims changed."""
        begun = self.begin()
        return self.post(begun, self.token(begun, **changes))

    def counts(self) -> dict[str, int]:
        """How many rows each table holds."""
        with self.database.reading() as session:
            return {
                name: session.scalar(select(func.count()).select_from(table)) or 0
                for name, table in Table.metadata.tables.items()
            }

    def visits(self) -> list[Visit]:
        with self.database.reading() as session:
            return list(session.scalars(select(Visit).order_by(Visit.id)))

    def registration(self) -> Registration:
        with self.database.reading() as session:
            return session.get_one(Registration, self.registration_id)


@contextmanager
def world(database_url: str, clock: SetClock, instance: Path, **settings: Any) -> Iterator[World]:
    """The tool and the platform, listening until the block ends."""
    apps: list[Flask] = []

    def make(url: str) -> Flask:
        config = Config(instance=instance, url=url, database_url=database_url, **settings)
        give_key(instance)
        apps.append(create_app(config, clock=clock, catalogue=catalogue()))
        return apps[0]

    with (
        running(make) as url,
        running_platform(tool_url=url, clock=clock) as platform,
        requests.Session() as http,
    ):
        yield World(apps[0], platform, http)
        apps[0].extensions["lti"].http.close()
        apps[0].extensions["queue"].storage.close()
        apps[0].extensions["database"].engine.dispose()


def read_recorded(name: str) -> dict[str, Any]:
    """What a real platform sent or took; keys, addresses and people are replaced."""
    found: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text())
    return found


def set_cookies(reply: requests.Response) -> dict[str, str]:
    """The cookies a reply sets, whatever their rules: over plain http no client keeps them."""
    found = SimpleCookie()
    for line in reply.raw.headers.getlist("Set-Cookie"):
        found.load(line.replace("; Partitioned", ""))
    return {name: morsel.value for name, morsel in found.items() if morsel.value}


def refused(reply: requests.Response, status: int, code: str, title: str = "") -> None:
    """A refusal is a page: its status, its code, a reference, no cookie."""
    assert (reply.status_code, code) == (status, code), reply.text
    assert code in reply.text
    assert "Set-Cookie" not in reply.headers
    assert reply.headers["Content-Type"].startswith("text/html")
    assert title in reply.text
