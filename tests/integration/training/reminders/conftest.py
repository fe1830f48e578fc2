"""Two schools whose people owe training, and a real mail server."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update

from lti_tool.core.database import Database
from lti_tool.core.ids import new_id
from lti_tool.core.ledger import LedgerEntry
from lti_tool.people.models import Person
from lti_tool.training.cycles.models import Holiday, Obligation
from lti_tool.training.reminders import delivery
from lti_tool.training.reminders import settings as kept
from lti_tool.training.reminders.delivery import Post, post_of
from lti_tool.training.reminders.models import Reminder
from tests.conftest import SetClock
from tests.factories.post import MailServer, mail_server
from tests.factories.registers import CATALOGUE, HEMSWELL, Guest, arrive, make_manager, running

ACTIVITY = "https://moodle.example.org/mod/lti/view.php?id=7"
MONDAY = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
DUE = date(2026, 10, 31)


@dataclass
class World:
    """Two schools with a mail server."""

    app: Flask
    database: Database
    clock: SetClock
    server: MailServer

    @property
    def post(self) -> Post:
        return post_of(self.app)

    def on(self, school_id: str = HEMSWELL, **values: Any) -> Guest:
        """Switch reminders on, as a manager did long ago."""
        head = make_manager(self.database, arrive(self.database, "Head", school_id))
        given = {"is_on": True, "activity_url": ACTIVITY, "has_digest": False} | values
        with self.database.transaction() as session:
            school = CATALOGUE.schools[school_id]
            kept.change(
                session,
                school=school,
                values=given,
                by=head.person_id,
                now=self.clock() - timedelta(days=1),
            )
        return head

    def somebody(self, name: str, school_id: str = HEMSWELL, **given: Any) -> Guest:
        """Somebody who owes the annual refresh."""
        due_on = given.pop("due_on", DUE)
        values = {"email": f"{name.split()[0].lower()}@example.org", "counted": True} | given
        guest = arrive(self.database, name, school_id, **values)
        self.owe(guest, due_on)
        return guest

    def owe(self, guest: Guest, due_on: date = DUE, **values: Any) -> UUID:
        given: dict[str, Any] = {
            "id": new_id(),
            "school_id": guest.school_id,
            "person_id": guest.person_id,
            "module": "annual-refresh",
            "cycle": "2026-27",
            "opens_on": date(2026, 9, 1),
            "due_on": due_on,
            "reason": {"code": "cycle", "closes": due_on.isoformat()},
            "created_at": datetime(2026, 9, 1, tzinfo=UTC),
        } | values
        with self.database.transaction() as session:
            session.add(Obligation(**given))
        number: UUID = given["id"]
        return number

    def done(self, guest: Guest, on: date) -> None:
        """What somebody owes is done on this day."""
        with self.database.transaction() as session:
            session.execute(
                update(Obligation)
                .where(Obligation.person_id == guest.person_id)
                .values(outcome="done", ended_on=on)
            )

    def half_term(self) -> None:
        """A week in October."""
        days = {"starts_on": date(2026, 10, 26), "ends_on": date(2026, 10, 30)}
        with self.database.transaction() as session:
            session.add(Holiday(school_id=HEMSWELL, name="Half term", entered_at=MONDAY, **days))

    def mail_through(self, url: str) -> None:
        """From now on this server takes our mails."""
        self.app.extensions["config"] = replace(
            self.app.extensions["config"], smtp_url=url, mail_from="training@example.org"
        )

    def run(self) -> int:
        """What the worker does each minute."""
        with self.app.app_context():
            return delivery.run(self.post)

    def reminders(self) -> list[Reminder]:
        with self.database.reading() as session:
            return list(session.scalars(select(Reminder).order_by(Reminder.day, Reminder.address)))

    @property
    def states(self) -> dict[str, str]:
        """By name."""
        with self.database.reading() as session:
            return dict(
                session.execute(
                    select(Person.name, Reminder.state)
                    .join(Person, Person.id == Reminder.person_id)
                    .order_by(Reminder.day)
                ).all()
            )

    def entries(self, kind: str) -> list[dict[str, Any]]:
        with self.database.reading() as session:
            bodies = session.scalars(select(LedgerEntry.body).where(LedgerEntry.kind == kind))
            return [json.loads(body) for body in bodies]

    def next_morning(self, days: int = 1) -> None:
        self.clock.now = self.clock.now.replace(hour=8, minute=0) + timedelta(days=days)


@pytest.fixture(scope="module")
def shared_server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def server(shared_server: MailServer) -> MailServer:
    fresh = MailServer(shared_server.url)
    shared_server.__dict__.update(fresh.__dict__)
    return shared_server


def world_of(app: Flask, database: Database, clock: SetClock, server: MailServer) -> World:
    clock.now = MONDAY
    world = World(app, database, clock, server)
    world.mail_through(server.url)
    return world


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path, clock: SetClock, server: MailServer) -> Iterator[World]:
    database = Database(sqlite_url)
    with running(tmp_path, database, clock) as app:
        yield world_of(app, database, clock, server)
    database.engine.dispose()


@pytest.fixture
def world_of_each(
    database: Database, tmp_path: Path, clock: SetClock, server: MailServer
) -> Iterator[World]:
    with running(tmp_path, database, clock) as app:
        yield world_of(app, database, clock, server)
