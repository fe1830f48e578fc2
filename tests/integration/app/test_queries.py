"""A page asks the database as often for fifty people as for five: no query for each of them."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.routing import Rule

from lti_tool.core.database import Database
from lti_tool.people.models import Absence
from tests.conftest import SetClock
from tests.factories.packs import declare, member, open_cycle
from tests.factories.registers import (
    HEMSWELL,
    NOW,
    Guest,
    arrive,
    browser,
    counting,
    make_manager,
    owe,
    running,
)

# What shows something that these people have not, such as a file under way, or leads elsewhere.
NOT_SHOWN = {
    "acting.dates",
    "connect.register",
    "imports.preview",
    "imports.result",
    "lti.login",
    "lti.set_up",
    "metrics.page",
    "packs.fetch",
    "people.confirm",
    "people.manage_ask",
    "people.start",
    "refresh.again",
    "refresh.changes",
    "reminders.sending",
    "rosters.check",
    "teams.download",
    "teams.school",
    "training.declare",
    "training.done",
    "training.original",
    "training.question",
    "training.results",
    "training.section",
    "training.tasks",
    "versions.ask",
    "year.check",
}
HERE = "https://localhost"
MANY = ("dashboard.chase", "evidence.register", "joins.offered", "staff.people")


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url)
    yield database
    database.engine.dispose()


@pytest.fixture
def app(database: Database, tmp_path: Path, clock: SetClock) -> Iterator[Flask]:
    with running(tmp_path, database, clock) as app:
        yield app


def more_people(database: Database, head: Guest, numbers: range) -> None:
    """People of every kind: done, owing, away, and two of each name."""
    for number in numbers:
        one = member(database, f"Somebody {number // 2}", role_group="support", email="")
        if number % 3:
            declare(database, one)
        else:
            owe(database, one)
        if number % 4 == 0:
            with database.transaction() as session:
                session.add(
                    Absence(
                        school_id=HEMSWELL,
                        person_id=one.person_id,
                        starts_on=date(2026, 11, 20),
                        entered_by=head.person_id,
                        entered_at=NOW,
                    )
                )


def address(rule: Rule, values: dict[str, str]) -> str:
    built = rule.rule
    for name in rule.arguments:
        for kind in ("", "uuid:", "int:"):
            built = built.replace(f"<{kind}{name}>", values.get(name, str(UUID(int=1))))
    return built


def test_no_page_asks_for_each_person(app: Flask, database: Database) -> None:
    open_cycle(database)
    head = make_manager(database, arrive(database, "Head", counted=True))
    first, second = (member(database, "Twice Here") for _ in range(2))
    values = {
        "membership_id": str(first.membership_id),
        "first": str(first.person_id),
        "second": str(second.person_id),
        "number": "2022-03",
        "position": "1",
    }
    pages = {
        rule.endpoint: address(rule, values)
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
    }
    counts: list[dict[str, int]] = []
    shown: set[str] = set()
    missing: set[str] = set()
    for numbers in (range(5), range(5, 50)):
        more_people(database, head, numbers)
        counts.append({})
        for endpoint, path in pages.items():
            client = browser(app, head)
            client.get(
                path, base_url="https://localhost"
            )  # what is asked once for all is not counted
            with counting(database) as statements:
                reply = client.get(path, base_url=HERE)
                _ = reply.data  # a file that is written as it is sent
            assert reply.status_code < 500, endpoint
            (shown if reply.status_code == 200 else missing).add(endpoint)
            counts[-1][endpoint] = len(statements)
    few, many = counts
    assert missing == NOT_SHOWN
    assert len(shown) > 40
    assert {name: (few[name], many[name]) for name in few if few[name] != many[name]} == {}
    assert min(few[name] for name in MANY) > 1
