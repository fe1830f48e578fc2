"""Whatever anybody is called, and whatever a school, a course or a policy says, stays text: on
every page, in every form that is shown again, in every file that is handed out."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import update

from lti_tool.core.database import Database
from lti_tool.evidence.export import safe_cell
from lti_tool.people.models import Person
from lti_tool.training.reminders.letters import Text
from tests.conftest import SetClock
from tests.factories.little_school import little_school
from tests.factories.one_of_each import one_of_each
from tests.factories.registers import (
    Guest,
    arrive,
    browser,
    complete,
    csrf,
    make_manager,
    open_cycle,
    owe,
    place,
    running,
)
from tests.house.test_other_schools import NAMES

SCHOOL = "little-school"
EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
# Texts that the tool itself chooses from a list.
CHOSEN = ("state", "kind", "door", "audience", "module", "cycle", "policy_number")


def spoiled(thing: Any) -> Any:
    """Content of which every text that people read tries to be markup."""
    if isinstance(thing, Mapping):
        if thing and set(thing) <= {"en", "cy"}:
            return {language: f"{text}{EVIL}" for language, text in thing.items()}
        return MappingProxyType({name: spoiled(one) for name, one in thing.items()})
    if isinstance(thing, tuple):
        return tuple(spoiled(one) for one in thing)
    if is_dataclass(thing) and not isinstance(thing, type):
        held = {one.name: getattr(thing, one.name) for one in fields(thing) if one.init}
        changed = {name: spoiled(value) for name, value in held.items()}
        changed |= {name: EVIL for name in ("phone", "locator", "approved_by") if name in held}
        return replace(thing, **changed)
    return thing


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def app(database: Database, tmp_path: Path, clock: SetClock) -> Iterator[Flask]:
    catalogue = spoiled(little_school())
    school = replace(catalogue.schools[SCHOOL], name=EVIL, sites=(EVIL, "North"))
    with running(
        tmp_path, database, clock, replace(catalogue, schools=MappingProxyType({SCHOOL: school}))
    ) as app:
        yield app


def named(database: Database, **given: Any) -> Guest:
    return arrive(
        database, EVIL, SCHOOL, email=f"{EVIL}@x", platform_name=EVIL, counted=True, **given
    )


@pytest.fixture
def head(database: Database) -> Guest:
    return make_manager(
        database, place(database, named(database), role_group="teaching", site=EVIL)
    )


@pytest.fixture
def ids(database: Database, head: Guest) -> dict[str, UUID]:
    """What there is of everything; some of it belongs to somebody who trained and owes."""
    staff = place(database, named(database), role_group="teaching", site=EVIL)
    complete(database, staff, number="2026-03")
    open_cycle(database, SCHOOL)
    for guest in (staff, head):
        owe(database, guest)
    return one_of_each(database, staff, text=EVIL, chosen=CHOSEN)


# What ends the visit, and what leads away from here.
ENDS = ("people.finish", "lti.login", "lti.launch")
OWN = {
    "position": 1,
    "number": "2026-03",
    "section": "private",
    "kind": "answers",
    "secret": EVIL,
    "school_id": EVIL,
}
FIELDS = (
    *("name", "email", "payroll_number", "starts_on", "ends_on", "site", "role_group", "reason"),
    *("printed_name", "code", "sender_name", "activity_url", "day", "month", "year", "mend_in"),
    *("signed_on", "to_on", "away_from", "away_until", "until", "url", "weight", "before"),
)


def is_text_alone(reply: Any) -> bool:
    """Whether there was something in the page to come to life; fails where it did."""
    if reply.mimetype != "text/html" or b"alert(1)" not in reply.data:
        return False
    assert is_alive(reply.data) == [], reply.request.path
    return True


def shown(app: Flask, guest: Guest, ids: dict[str, UUID], method: str) -> set[str]:
    """Which routes show any of it, as this guest reaches them with words of the worst kind in every
    field; none of them brings any to life."""
    client, token = browser(app, guest), csrf(app, guest.admission.visit_id)
    found = set()
    for rule in app.url_map.iter_rules():
        if method not in (rule.methods or ()) or rule.endpoint in ENDS:
            continue
        values = {name: ids.get(NAMES.get(name, "")) or OWN[name] for name in rule.arguments}
        built = rule.build(values, append_unknown=False)
        assert built is not None
        sent = {"csrf_token": token} | dict.fromkeys(FIELDS, EVIL) if method == "POST" else None
        reply = client.open(built[1], method=method, data=sent, base_url="https://localhost")
        assert reply.status_code < 500, rule
        if is_text_alone(reply):
            found.add(rule.endpoint)
        reply.close()
    return found


def is_alive(page: str | bytes) -> list[object]:
    """What in a page is more than text and ours."""
    found: list[object] = []
    for element in BeautifulSoup(page, "html.parser").find_all(True):
        found += [(element.name, name) for name in element.attrs if name.startswith("on")]
        if element.get("src") == "x" or "javascript:" in str(element.get("href", "")).lower():
            found.append(element)
        if element.name == "script" and "alert(" in element.text:
            found.append(element)
    return found


def test_no_mail_brings_a_name_to_life(app: Flask) -> None:
    mail = Text("en", EVIL, EVIL, EVIL, (EVIL,), (EVIL,), EVIL, f"https://x/{EVIL}", (EVIL,), EVIL)
    with app.test_request_context():
        written = mail.html()
    assert is_alive(written) == []
    assert written.count("&lt;script&gt;") > 5


def test_no_page_of_a_manager_brings_a_text_to_life(
    app: Flask, head: Guest, ids: dict[str, UUID]
) -> None:
    found = shown(app, head, ids, "GET") | shown(app, head, ids, "POST")
    assert len(found) > 40


def test_no_page_of_a_learner_does(app: Flask, database: Database, ids: dict[str, UUID]) -> None:
    learner = named(database, module="induction")
    client, token = browser(app, learner), csrf(app, learner.admission.visit_id)
    form = {"csrf_token": token, "asked": "yes", "role_group": "teaching", "site": "North"}
    assert client.post("/begin", data=form, base_url="https://localhost").status_code == 303
    found = shown(app, learner, ids, "GET") | shown(app, learner, ids, "POST")
    assert {"training.section", "training.question", "training.tell", "mine.page"} <= found


@pytest.mark.parametrize("path", ["/register.csv", "/chase.csv"])
def test_no_cell_of_a_file_is_a_formula(
    app: Flask, database: Database, head: Guest, ids: dict[str, UUID], path: str
) -> None:
    with database.transaction() as session:
        session.execute(update(Person).values(name="=HYPERLINK(1)", email="@SUM(1)"))
    reply = browser(app, head).get(path, base_url="https://localhost")
    assert reply.status_code == 200
    rows = list(csv.reader(io.StringIO(reply.data.decode("utf-8-sig"), newline="")))
    assert any("'=HYPERLINK(1)" in row for row in rows)
    for row in rows:
        for cell in row:
            assert safe_cell(cell) == cell
