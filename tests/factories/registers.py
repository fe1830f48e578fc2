"""A small catalogue of two schools, people who arrive at them, and training they did."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core import ledger
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.ids import new_id
from lti_tool.curriculum.catalogue import Catalogue, TrainingModule
from lti_tool.people import access, memberships
from lti_tool.people.arrive import Admission, Arrival, admit
from lti_tool.people.models import Membership, Visit
from lti_tool.policies.policy import Role, School
from lti_tool.training.cycles.models import Calendar, Cycle, Obligation
from lti_tool.training.models import Completion, Declaration, Journey
from tests.factories import machines
from tests.factories.keys import give_key
from tests.factories.little_school import little_school

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ORIGIN = "https://training.example.org"
HEMSWELL, GLENMERE = "hemswell-cliff", "glenmere"
FRAME = "https://moodle.example.org"


def school(school_id: str, name: str, sites: tuple[str, ...] = ()) -> School:
    """A school whose pages can be drawn, with a policy of one version."""
    roles = {"headteacher": Role("headteacher", {"en": "Headteacher"}, "01632 960 021")}
    return School(
        id=school_id,
        name=name,
        nation="england",
        languages=("en",),
        sites=sites,
        roles=roles,
        also={},
        report_to=("headteacher",),
        ask="headteacher",
        terms={},
        is_example=True,
        declaration_note={},
        versions=(
            replace(
                little_school().schools["little-school"].policy,
                school_id=school_id,
                number="2022-03",
                approved_on="2022-03",
            ),
        ),
        document="",
    )


def module(module_id: str, title: str) -> TrainingModule:
    return TrainingModule(
        id=module_id,
        title={"en": title},
        about={"en": ""},
        minutes=15,
        scenarios=10,
        unscored_at_most=2,
        pass_percent=80,
    )


CATALOGUE = Catalogue(
    topics=little_school().topics,
    modules={
        "induction": module("induction", "New starter training"),
        "annual-refresh": module("annual-refresh", "Annual refresh"),
    },
    schools=MappingProxyType(
        {
            HEMSWELL: school(HEMSWELL, "Hemswell Cliff Primary School"),
            GLENMERE: school(GLENMERE, "Glenmere Primary School", ("North", "South")),
        }
    ),
    scenarios={},
)


@contextmanager
def running(
    instance: Path, database: Database, clock: Clock, catalogue: Catalogue = CATALOGUE
) -> Iterator[Flask]:
    """The whole tool over this database, and the small catalogue or another."""
    url = database.engine.url.render_as_string(hide_password=False)
    config = Config(instance=instance, url=ORIGIN, database_url=url)
    give_key(instance)
    app = create_app(config, clock=clock, catalogue=catalogue)
    app.testing = True
    app.config["PREFERRED_URL_SCHEME"] = "https"
    own, app.extensions["database"] = app.extensions["database"], database
    yield app
    app.extensions["queue"].storage.close()
    own.engine.dispose()


@contextmanager
def listening(
    instance: Path,
    database: Database,
    clock: Clock,
    catalogue: Catalogue = CATALOGUE,
) -> Iterator[str]:
    """The same for a real browser; where it listens. Where two machines are tried, two do, each
    with a folder and connections of its own."""
    url = database.engine.url.render_as_string(hide_password=False)
    config = Config(instance=instance, database_url=url)

    def make(config: Config) -> Flask:
        if not config.secret:
            give_key(config.instance)
        return create_app(config, clock=clock, catalogue=catalogue)

    with machines.served(make, config, second=machines.thread(make)) as app:
        yield str(app.extensions["config"].url)


@dataclass(frozen=True)
class Guest:
    """Somebody who has arrived: what the tool holds of them, and what their browser holds."""

    admission: Admission
    membership_id: UUID
    school_id: str

    @property
    def person_id(self) -> UUID:
        return self.admission.person_id


def arrive(database: Database, name: str, school_id: str = HEMSWELL, **given: Any) -> Guest:
    """Somebody launches. ``given`` are values of ``Arrival``; counted=True confirms them."""
    counted = given.pop("counted", False)
    now = given.pop("now", NOW)
    values: dict[str, Any] = {
        "door": "lti",
        "realm": "realm-1",
        "subject": uuid4().hex,
        "name": name,
        "email": "",
        "school_id": school_id,
        "module": "induction",
        "is_bound": True,
        "may_ask_to_manage": False,
        "may_set_up": False,
        "platform_name": "Moodle",
        "frame_ancestors": FRAME,
    } | given
    with database.transaction() as session:
        admission = admit(session, Arrival(**values), now=now)
        member = memberships.membership(session, school_id=school_id, person_id=admission.person_id)
        if counted and member is not None:
            member.confirmed_at = now
    return Guest(admission, member.id if member else UUID(int=0), school_id)


def make_manager(database: Database, guest: Guest) -> Guest:
    with database.transaction() as session:
        memberships.grant(session, person_id=guest.person_id, school_id=guest.school_id, now=NOW)
    return guest


def place(database: Database, guest: Guest, *, role_group: str, site: str = "") -> Guest:
    """Say what somebody is at their school."""
    with database.transaction() as session:
        session.execute(
            update(Membership)
            .where(Membership.id == guest.membership_id)
            .values(role_group=role_group, site=site)
        )
    return guest


def begin(session: Session, guest: Guest, **given: Any) -> Journey:
    journey = Journey(
        id=new_id(),
        school_id=guest.school_id,
        person_id=guest.person_id,
        module=given.get("module", "induction"),
        cycle=given.get("cycle", "2026-27"),
        policy_number=given.get("number", "2022-03"),
        policy_sha256="0" * 64,
        role_group="teaching",
        language="en",
        started_at=NOW,
    )
    session.add(journey)
    session.flush()
    return journey


def start_training(database: Database, guest: Guest, **given: Any) -> None:
    """A journey that is not finished."""
    with database.transaction() as session:
        begin(session, guest, **given)


def complete(database: Database, guest: Guest, *, score: int = 90, **given: Any) -> UUID:
    """A journey declared and done, with its entry in the ledger; returns the record's id."""
    with database.transaction() as session:
        journey = begin(session, guest, **given)
        journey.completed_at = NOW
        declaration = Declaration(
            id=new_id(),
            school_id=guest.school_id,
            person_id=guest.person_id,
            journey_id=journey.id,
            printed_name="Printed Name",
            text="I have read it.",
            language="en",
            policy_number=given.get("number", "2022-03"),
            policy_sha256="0" * 64,
            document_sha256="",
            signed_at=NOW,
            method="online",
        )
        session.add(declaration)
        session.flush()
        record_id = ledger.append(
            session, school_id=guest.school_id, kind="completion", facts={"score": score}, now=NOW
        )
        session.add(
            Completion(
                school_id=guest.school_id,
                person_id=guest.person_id,
                journey_id=journey.id,
                declaration_id=declaration.id,
                record_id=record_id,
                module=journey.module,
                cycle=journey.cycle,
                score=score,
                first_score=60,
                pass_mark=80,
                policy_number=given.get("number", "2022-03"),
                completed_at=NOW,
            )
        )
    return record_id


def open_cycle(
    database: Database, school_id: str = HEMSWELL, *, name: str = "2026-27", year: int = 2026
) -> None:
    """The school began long ago, and its refresh is open from September to October."""
    with database.transaction() as session:
        if session.get(Calendar, school_id) is None:
            session.add(Calendar(school_id=school_id, began_on=date(2030, 1, 1), changed_at=NOW))
        session.add(
            Cycle(
                school_id=school_id,
                name=name,
                opens_on=date(year, 9, 1),
                closes_on=date(year, 10, 31),
                opened_at=NOW,
            )
        )


def owe(
    database: Database, guest: Guest, *, due_on: date = date(2026, 10, 31), **given: Any
) -> UUID:
    """Somebody owes a training; ``given`` are values of ``Obligation``."""
    values: dict[str, Any] = {
        "module": "annual-refresh",
        "cycle": "2026-27",
        "opens_on": date(2026, 9, 1),
        "reason": {"code": "refresh", "closes": due_on.isoformat()},
    } | given
    with database.transaction() as session:
        row = Obligation(
            id=new_id(),
            school_id=guest.school_id,
            person_id=guest.person_id,
            due_on=due_on,
            created_at=NOW,
            **values,
        )
        session.add(row)
    return row.id


def browser(app: Flask, guest: Guest | None = None) -> FlaskClient:
    """A browser over https, with this guest's cookie."""
    client = app.test_client()
    if guest is not None:
        client.set_cookie(access.COOKIE, guest.admission.token, secure=True)
    return client


def csrf(app: Flask, visit_id: UUID) -> str:
    """The token that this visit's forms carry."""
    database: Database = app.extensions["database"]
    with database.reading() as session:
        visit = session.get_one(Visit, visit_id)
    return access.csrf_token(app.extensions["csrf_secret"], visit)


@contextmanager
def counting(database: Database) -> Iterator[list[str]]:
    """The statements that run meanwhile, without BEGIN and COMMIT."""
    seen: list[str] = []

    def note(*details: Any) -> None:
        seen.append(details[2])

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)
    seen[:] = [line for line in seen if not line.startswith(("BEGIN", "COMMIT"))]
