"""The tool with its real content and a platform beside it, both really listening."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import Cookie
from pathlib import Path
from typing import Any

import pytest
import requests
from bs4 import BeautifulSoup
from flask import Flask
from requests.cookies import RequestsCookieJar

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core.clock import utc_now
from lti_tool.core.database import Database
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.lti.platforms import Details, add_platform
from lti_tool.lti.services import outbox
from lti_tool.people import memberships
from lti_tool.people.arrive import expect
from lti_tool.policies.resolve import State
from sandbox_lms.platform import Platform, describe
from sandbox_lms.schools import Activity, Person
from sandbox_lms.serve import running, running_platform
from sandbox_lms.visitor import launch
from tests.factories.answers import Expert


@dataclass
class Product:
    """The tool and the platform, connected as ``make run`` connects them."""

    app: Flask
    platform: Platform

    @property
    def database(self) -> Database:
        found: Database = self.app.extensions["database"]
        return found

    @property
    def catalogue(self) -> Catalogue:
        found: Catalogue = self.app.extensions["catalogue"]
        return found

    def deliver(self) -> None:
        """What the worker does: send every score that is due."""
        outbox.sweep(self.app.extensions["lti"])


@pytest.fixture(scope="session")
def product(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    instance = tmp_path_factory.mktemp("journeys")
    path = instance / "clauseway.sqlite3"
    shutil.copyfile(migrated_sqlite, path)
    made: list[Flask] = []

    def make(url: str) -> Flask:
        config = Config(instance=instance, url=url, database_url=f"sqlite:///{path}")
        made.append(create_app(config, clock=utc_now))
        return made[0]

    with running(make) as tool, running_platform(tool_url=tool) as platform:
        connect(made[0], platform)
        yield Product(made[0], platform)


def connect(app: Flask, platform: Platform) -> None:
    """A deployment for each school, and its headteacher as manager."""
    said = describe(platform.issuer)
    now = utc_now()
    for deployment in said["deployments"]:
        details = Details(
            name=said["name"],
            issuer=said["issuer"],
            client_id=said["client_id"],
            auth_login_url=said["auth_login_url"],
            auth_token_url=said["auth_token_url"],
            jwks_url=said["jwks_url"],
            deployment_id=deployment["deployment_id"],
            schools=(deployment["school"],),
        )
        with app.extensions["database"].transaction() as session:
            row = add_platform(session, details, now=now)
            head = expect(
                session, realm=str(row.id), subject=deployment["headteacher"]["sub"], now=now
            )
            memberships.grant(session, person_id=head, school_id=deployment["school"], now=now)
    app.extensions["lti"].registry.forget()


class LoopbackCookies(RequestsCookieJar):
    """Sends Secure cookies over plain http too, as browsers do on this machine's own addresses."""

    def set_cookie(self, cookie: Cookie, *args: Any, **kwargs: Any) -> None:
        cookie.secure = False
        super().set_cookie(cookie, *args, **kwargs)


class Visitor:
    """A browser without JavaScript: launches, follows links, fills forms in."""

    def __init__(self, product: Product, person: Person, activity: Activity) -> None:
        self.product, self.person, self.activity = product, person, activity
        self.http = requests.Session()
        self.http.cookies = LoopbackCookies()
        self.see(launch(self.http, product.platform, person, activity))

    def see(self, reply: requests.Response, status: int = 200) -> BeautifulSoup:
        assert reply.status_code == status, reply.text
        self.url, self.page = reply.url, BeautifulSoup(reply.text, "html.parser")
        return self.page

    @property
    def path(self) -> str:
        return "/" + self.url.split("/", 3)[3].partition("?")[0]

    @property
    def heading(self) -> str:
        found = self.page.h1
        assert found is not None
        return " ".join(found.get_text().split())

    def get(self, path: str, status: int = 200) -> BeautifulSoup:
        tool = self.product.platform.tool_url
        return self.see(self.http.get(tool + path, timeout=30), status)

    def send(self, fields: Mapping[str, str] | None = None) -> BeautifulSoup:
        """Fill in and send the main form of this page."""
        form = self.page.select_one("main form[method=post]")
        assert form is not None, self.page
        held = {
            str(one["name"]): str(one.get("value", "")) for one in form.select("input[type=hidden]")
        }
        address = self.product.platform.tool_url + str(form.get("action") or self.path)
        return self.see(self.http.post(address, data={**held, **(fields or {})}, timeout=30))

    def learn(self, role_group: str = "teaching", *, wrong: int = 0, name: str = "") -> None:
        """The whole training to its confirmation; the first ``wrong`` scored answers are not
        right."""
        expert = Expert(self.product.catalogue, self.activity.school, role_group)
        self.get("/")
        if self.path == "/":
            self.begin(role_group)
        for _ in range(120):
            if self.path == "/training/finished":
                return
            wrong = self.step(expert, wrong, name or self.person.name)
        raise AssertionError(f"no end after 120 pages: {self.path}")

    def begin(self, role_group: str) -> None:
        """The start page: says what one is, where that is not known yet."""
        fields: dict[str, str] = {}
        if self.page.select_one("input[name=role_group]"):
            fields["role_group"] = role_group
        site = self.page.select_one("input[name=site]")
        if site is not None:
            fields["site"] = str(site["value"])
        self.send(fields)

    def step(self, expert: Expert, wrong: int, name: str) -> int:
        """One page further; returns how many answers are still to be wrong."""
        if self.path.startswith("/training/questions/") and self.page.select("input[name=choice]"):
            text = self.page.get_text(" ")
            is_scored = expert.resolution(expert.scenario_on(text)).state is State.SETTLED
            self.send({"choice": expert.choose(text, right=not (wrong and is_scored))})
            return wrong - bool(wrong and is_scored)
        if self.path == "/training/declaration":
            self.send({"printed_name": name, "has_agreed": "yes"})
        elif self.path == "/training":
            self.get(self.next_task())
        elif self.page.select_one("main form[method=post]"):
            self.send()
        else:
            onward = self.page.select_one("main a.govuk-button")
            assert onward is not None, self.page
            self.get(str(onward["href"]))
        return wrong

    def next_task(self) -> str:
        """The first thing on the task list that is not done."""
        for task in self.page.select(".govuk-task-list__item"):
            link, status = task.a, task.select_one(".govuk-task-list__status")
            if link is not None and status is not None and "Done" not in status.get_text():
                return str(link["href"])
        raise AssertionError("nothing is left to do")


@pytest.fixture
def arrive(product: Product) -> Callable[..., Visitor]:
    """Launch as one of the platform's people: ``arrive("hemswell-cliff", "starter")``."""

    def at(school: str, kind: str, module: str = "induction") -> Visitor:
        person = product.platform.person(school, kind)
        return Visitor(product, person, product.platform.activity_at(school, module))

    return at
