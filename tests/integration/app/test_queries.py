"""A page asks the database as often for fifty people as for five: no query for each of them."""

from datetime import date
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.routing import Rule

from lti_tool.core.database import Database
from lti_tool.people.models import Absence
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
)

# What these people have something to show on. Others lead elsewhere, or to nothing.
SHOWN = {
    "acting.paper",
    "acts.log",
    "acts.mine",
    "channels.page",
    "connect.icon",
    "connect.listed",
    "connect.manual",
    "dashboard.chase",
    "dashboard.chase_file",
    "dashboard.page",
    "dashboard.schools",
    "evidence.export",
    "evidence.record",
    "evidence.register",
    "health.page",
    "imports.files",
    "joins.also_you",
    "joins.compare",
    "joins.offered",
    "managers.listed",
    "mine.page",
    "packs.listed",
    "reminders.ask_settings",
    "reminders.overview",
    "retention.hold",
    "retention.page",
    "review.current",
    "review.page",
    "rosters.lists",
    "staff.add_form",
    "staff.people",
    "staff.person",
    "training.document",
    "training.home",
    "training.tell",
    "versions.compared",
    "versions.listed",
    "versions.points",
    "year.page",
}
CHUNKS = 1
"""How many more there may be: what fifty people fill is read and written by the chunk."""
HERE = "https://localhost"
MANY = ("dashboard.chase", "evidence.register", "joins.offered", "staff.people")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


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
            if reply.status_code == 200:
                shown.add(endpoint)
            counts[-1][endpoint] = len(statements)
    few, many = counts
    assert shown >= SHOWN, SHOWN - shown
    more = {name: (few[name], many[name]) for name in few if many[name] - few[name] > CHUNKS}
    assert more == {}
    assert min(few[name] for name in MANY) > 1
