"""The tool with its real content and a platform beside it, both really listening."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core.clock import utc_now
from lti_tool.core.database import Database
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.lti.platforms import Details, add_platform
from lti_tool.lti.services import outbox
from lti_tool.people import memberships
from lti_tool.people.arrive import expect
from sandbox_lms.platform import Platform, describe
from sandbox_lms.schools import Activity, Person
from sandbox_lms.serve import running_platform
from sandbox_lms.visitor import launch
from tests.factories import machines
from tests.factories.plain_browser import PlainBrowser


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


NewDatabase = Callable[[Path], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def product(
    new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    with started(new_database, tmp_path_factory.mktemp("journeys")) as found:
        yield found


@contextmanager
def started(new_database: NewDatabase, instance: Path, **settings: Any) -> Iterator[Product]:
    """A product that nobody has used yet."""
    with new_database(instance) as url, serving(url, instance, **settings) as product:
        yield product


@contextmanager
def serving(
    database_url: str, instance: Path, *, number: int = machines.MACHINES, **settings: Any
) -> Iterator[Product]:
    """A product over this database, with these settings besides."""
    config = Config(instance=instance, database_url=database_url, **settings)

    def make(config: Config) -> Flask:
        return create_app(config, clock=utc_now)

    with (
        machines.served(make, config, number=number) as app,
        running_platform(tool_url=app.extensions["config"].url) as platform,
    ):
        connect(app, platform)
        yield Product(app, platform)


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


class Visitor(PlainBrowser):
    """Somebody of the platform who has launched an activity."""

    def __init__(self, product: Product, person: Person, activity: Activity) -> None:
        super().__init__(product.platform.tool_url, product.catalogue, activity.school, person.name)
        self.product, self.person, self.activity = product, person, activity
        self.see(launch(self.http, product.platform, person, activity))


@pytest.fixture
def arrive(product: Product) -> Callable[..., Visitor]:
    """Launch as one of the platform's people: ``arrive("hemswell-cliff", "starter")``."""

    def at(school: str, kind: str, module: str = "induction") -> Visitor:
        person = product.platform.person(school, kind)
        return Visitor(product, person, product.platform.activity_at(school, module))

    return at
