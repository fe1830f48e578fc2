"""Nothing a manager can do loses or alters a record already made: every form of theirs is found on
its page, filled in and sent, and the records are looked at after each."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from lti_tool.core.database import Database, Table
from lti_tool.core.ledger import verify
from lti_tool.people import access
from lti_tool.training.models import Completion, Declaration
from tests.conftest import SetClock
from tests.factories.little_school import little_school, with_next_version
from tests.factories.registers import (
    arrive,
    browser,
    complete,
    make_manager,
    owe,
    running,
    start_training,
)

SCHOOL: Final = "little-school"
RECORDS: Final = ("ledger_entry", "completion", "declaration", "certificate", "question", "journey")
MOST, MOST_PAGES = 2, 6
"""How often a form is sent, and how many pages of a kind are opened, at most."""
CSV: Final = (
    b"name,email,role group,start date\r\nNew Person,new@example.org,teaching,2026-11-02\r\n"
)
FILLED: Final = {
    "activity_url": "https://moodle.example.org/mod/lti/view.php?id=7",
    "away_from": "30/11/2026",
    "away_until": "4/12/2026",
    "day": "2",
    "email": "somebody@example.org",
    "ends_on": "16/7/2027",
    "mend_in": "2027-09",
    "month": "12",
    "name": "Somebody Else",
    "number": "84",
    "payroll_number": "",
    "signed_on-day": "20",
    "signed_on-month": "11",
    "starts_on": "2/11/2026",
    "year": "2026",
}
"""What is written into a field that is empty, by its name or the last part of it."""


def managers_own(app: Flask, method: str) -> dict[str, Rule]:
    """The routes for managers alone, by endpoint."""
    return {
        rule.endpoint: rule
        for rule in app.url_map.iter_rules()
        if method in (rule.methods or ())
        and (mark := access.access_of(app.view_functions[rule.endpoint])) is not None
        and mark.level == "manager"
    }


@dataclass
class Manager:
    """Goes through all pages, sends what is found there, and looks at the records each time."""

    app: Flask
    database: Database
    client: FlaskClient
    kept: dict[str, dict[Any, Any]] = field(default_factory=dict)
    seen: dict[str, set[str]] = field(default_factory=dict)
    sent: dict[str, list[int]] = field(default_factory=dict)
    """By route: with which status each sending ended."""

    def endpoint(self, path: str, method: str) -> str:
        """The managers' route that an address leads to; nothing for anybody else's."""
        found, _ = self.app.url_map.bind("localhost").match(urlsplit(path).path, method)
        return str(found) if found in managers_own(self.app, method) else ""

    def read(self, path: str) -> None:
        """A page, each form on it, and each page of managers that it leads to."""
        endpoint = self.endpoint(path, "GET")
        seen = self.seen.setdefault(endpoint, set())
        if endpoint in ("", *WITHOUT_FORMS) or path in seen or len(seen) == MOST_PAGES:
            return
        seen.add(path)
        page = parsed(self.client.get(path, base_url="https://localhost"))
        self._send_all(path, page)
        for link in page.select("a[href^='/']"):
            self.read(str(link["href"]))

    def _send_all(self, path: str, page: BeautifulSoup) -> None:
        for form in page.select("form[method=post]"):
            action = str(form.get("action") or path)
            endpoint = self.endpoint(action, "POST")
            sent = len(self.sent.get(endpoint, []))
            if endpoint and endpoint not in LEADS_AWAY and sent < MOST:
                self._send(endpoint, action, form)

    def _send(self, endpoint: str, action: str, form: Tag) -> None:
        done = self.sent.setdefault(endpoint, [])
        data = values(form, len(done))
        reply = self.client.post(action, data=data, base_url="https://localhost")
        assert reply.status_code < 500, (endpoint, data)
        done.append(reply.status_code)
        self.look(endpoint)
        if reply.status_code == 303:
            self.read(reply.headers["Location"].partition("?")[0])
        elif reply.status_code == 200:
            self._send_all(action, parsed(reply))

    def look(self, endpoint: str = "") -> None:
        """All that was there is there, and the same."""
        for name in RECORDS:
            table = Table.metadata.tables[name]
            with self.database.reading() as session:
                rows = {
                    tuple(row[one.name] for one in table.primary_key): dict(row)
                    for row in session.execute(select(table)).mappings()
                }
            for key, before in self.kept.get(name, {}).items():
                assert key in rows, (endpoint, name, "is lost")
                changed = {one for one in before if rows[key][one] != before[one]}
                assert changed <= MAY_CHANGE.get((endpoint, name), set()), (endpoint, name, changed)
            self.kept[name] = rows


LEADS_AWAY: Final = {"dashboard.enter", "managers.dismiss"}
WITHOUT_FORMS: Final = {
    *("acts.log", "dashboard.chase_file", "dashboard.page", "dashboard.schools"),
    *("evidence.export", "evidence.export_workbook", "teams.download", "versions.points"),
}
NEEDS_OTHERS: Final = {
    *("channels.change", "evidence.send_again", "reminders.send"),
    *("rosters.link", "rosters.read", "rosters.unlink"),
}
"""What there is no form for, or none that goes well, without a platform, mail or Teams."""
TAKEN_BACK: Final = {"withdrawn_at", "withdrawn_by", "withdrawn_reason"}
"""What marks a declaration that was entered from paper by mistake; its row and entries stay."""
MAY_CHANGE: Final = {
    ("acting.enter_paper", "completion"): TAKEN_BACK,  # a correction of one
    ("acting.withdraw_paper", "completion"): TAKEN_BACK,
}


def parsed(reply: TestResponse) -> BeautifulSoup:
    """What a page is about, without what stands around it; nothing of a file."""
    text = reply.text if str(reply.mimetype).endswith("html") else ""
    return BeautifulSoup(text.partition("<main")[2].partition("</main>")[0], "html.parser")


def values(form: Tag, number: int) -> dict[str, Any]:
    """What somebody sends who fills in all of it; of what is to be chosen, another each time."""
    found: dict[str, Any] = {}
    chosen: dict[str, list[str]] = {}
    for one in form.select("input, select, textarea"):
        name, kind = str(one.get("name", "")), str(one.get("type", one.name))
        value = str(one.get("value", ""))
        if kind in ("radio", "checkbox"):
            chosen.setdefault(name, []).append(value)
        elif kind == "select":
            chosen[name] = [str(option["value"]) for option in one.select("option[value]")]
            chosen[name] = [option for option in chosen[name] if option] or [""]
        elif kind == "file":
            found[name] = (BytesIO(CSV), "staff.csv")
        elif kind == "date":
            found[name] = value or "2026-12-02"
        elif kind != "submit":
            short = name.rpartition("-")[2].rpartition("_")[2]
            found[name] = value or FILLED.get(name, FILLED.get(short, "A reason"))
    for button in form.select("button[name]"):
        found[str(button["name"])] = str(button.get("value", ""))
    return found | {name: those[number % len(those)] for name, those in chosen.items()}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def app(database: Database, tmp_path: Path, clock: SetClock) -> Iterator[Flask]:
    catalogue = replace(with_next_version(little_school()), role_groups=("support", "teaching"))
    with running(tmp_path, database, clock, catalogue) as app:
        yield app


def test_no_form_of_a_manager_loses_or_alters_a_record(app: Flask, database: Database) -> None:
    head = make_manager(database, arrive(database, "Hedda Head", SCHOOL, counted=True))
    staff = [arrive(database, f"Person {one}", SCHOOL, counted=True) for one in range(4)]
    arrive(database, "Person 0", SCHOOL, realm="realm-2")  # another account of one of them
    arrive(database, "New Arrival", SCHOOL)
    for guest in staff[:2]:
        complete(database, guest, number="2026-03")
    start_training(database, staff[2], number="2026-03")
    owe(database, staff[3], module="induction", due_on=date(2026, 12, 18))
    manager = Manager(app, database, browser(app, head))
    manager.look()
    assert len(manager.kept["completion"]) == 2
    for _ in range(2):  # what was done the first time leads to more
        manager.seen.clear()
        for rule in managers_own(app, "GET").values():
            if not rule.arguments:
                manager.read(rule.rule)
    went = {one for one, said in manager.sent.items() if min(said) < 400}
    assert went == set(managers_own(app, "POST")) - LEADS_AWAY - NEEDS_OTHERS
    with database.reading() as session:
        assert verify(session, school_id=SCHOOL)[1] is None
        signed = (
            select(Completion.withdrawn_at).join(Declaration).where(Declaration.method == "online")
        )
        assert session.scalars(signed).all() == [None, None]
