"""Every route says who may enter, and holds to it."""

import sqlite3
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.routing import Rule

from lti_tool.core.database import Database
from lti_tool.people import access
from tests.conftest import SetClock
from tests.factories.registers import GLENMERE, Guest, arrive, browser, csrf, make_manager, running

# Whoever adds a page says here who may see it; a page nobody thought of fails the first test.
OPEN_TO = {
    "healthz": "public",
    "readyz": "public",
    "metrics.page": "public",
    "lti.login": "public",
    "lti.launch": "public",
    "lti.jwks": "public",
    "lti.pick": "public",
    "lti.set_up": "arrived",
    "lti.choose": "arrived",
    "health.page": "arrived",
    "connect.register": "public",
    "connect.confirm": "public",
    "connect.manual": "public",
    "connect.icon": "public",
    "connect.listed": "manager",
    "connect.invite": "manager",
    "connect.withdraw": "manager",
    "people.start": "public",
    "people.carry_over": "public",
    "people.confirm": "arrived",
    "people.answer_confirm": "arrived",
    "people.finish": "arrived",
    "people.manage_ask": "visitor",
    "people.manage": "visitor",
    "mine.page": "visitor",
    "acts.log": "manager",
    "acts.mine": "visitor",
    "subjects.ask": "manager",
    "subjects.hand_over": "manager",
    "subjects.mine": "visitor",
    "retention.page": "manager",
    "retention.set_": "manager",
    "retention.hold": "manager",
    "retention.change_hold": "manager",
    "year.page": "manager",
    "year.save_dates": "manager",
    "year.add_holiday": "manager",
    "year.add_bank_holidays": "manager",
    "year.remove_holiday": "manager",
    "year.check": "manager",
    "year.open_cycle": "manager",
    "versions.listed": "manager",
    "versions.compared": "manager",
    "versions.points": "manager",
    "versions.ask": "manager",
    "versions.open_": "manager",
    "teams.tab": "public",
    "teams.enter": "public",
    "teams.configure": "public",
    "teams.choices": "public",
    "teams.about": "public",
    "teams.guide": "public",
    "teams.download": "manager",
    "teams.school": "arrived",
    "channels.page": "manager",
    "channels.change": "manager",
    "rosters.lists": "manager",
    "rosters.check": "manager",
    "rosters.link": "manager",
    "rosters.read": "manager",
    "rosters.unlink": "manager",
    "reminders.overview": "manager",
    "reminders.send": "manager",
    "reminders.sending": "manager",
    "reminders.ask_settings": "manager",
    "reminders.change_settings": "manager",
    "staff.people": "manager",
    "staff.add_form": "manager",
    "staff.add": "manager",
    "staff.person": "manager",
    "staff.change": "manager",
    "staff.away": "manager",
    "staff.back": "manager",
    "imports.files": "manager",
    "imports.bring": "manager",
    "imports.preview": "manager",
    "imports.apply": "manager",
    "imports.put_aside": "manager",
    "imports.result": "manager",
    "imports.undo": "manager",
    "joins.offered": "manager",
    "joins.compare": "manager",
    "joins.join": "manager",
    "joins.separate": "manager",
    "joins.also_you": "visitor",
    "joins.show_code": "visitor",
    "joins.who": "visitor",
    "joins.yes": "visitor",
    "joins.not_me": "visitor",
    "managers.listed": "manager",
    "managers.appoint": "manager",
    "managers.dismiss": "manager",
    "packs.listed": "manager",
    "packs.ask": "manager",
    "packs.fetch": "manager",
    "packs.check": "public",
    "packs.keys": "public",
    "review.current": "manager",
    "review.page": "manager",
    "review.decide_": "manager",
    "evidence.register": "manager",
    "evidence.record": "manager",
    "certificates.ask": "public",
    "certificates.check": "public",
    "certificates.own": "visitor",
    "certificates.theirs": "manager",
    "certificates.one": "manager",
    "certificates.decide": "manager",
    "evidence.export": "manager",
    "evidence.export_workbook": "manager",
    "evidence.confirm": "manager",
    "evidence.send_again": "manager",
    "dashboard.page": "manager",
    "dashboard.chase": "manager",
    "dashboard.chase_file": "manager",
    "dashboard.schools": "manager",
    "dashboard.enter": "manager",
    "acting.paper": "manager",
    "acting.enter_paper": "manager",
    "acting.withdraw_paper": "manager",
    "acting.dates": "manager",
    "acting.move_dates": "manager",
}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def routes(app: Flask, *levels: str) -> list[tuple[str, str]]:
    """Method and address of every route whose view is marked with one of the levels."""
    found = []
    for rule in app.url_map.iter_rules():
        mark = access.access_of(app.view_functions[rule.endpoint])
        assert mark is not None
        if mark.level in levels:
            found += [
                (method, address(rule))
                for method in sorted((rule.methods or set()) & {"GET", "POST"})
            ]
    assert found
    return found


def address(rule: Rule) -> str:
    built = rule.rule
    for name in rule.arguments:
        kind = type(rule._converters[name]).__name__
        value = {"IntegerConverter": "1", "UUIDConverter": str(uuid4())}.get(kind, "x")
        built = built.replace(f"<{name}>", value)
        for prefix in ("int", "uuid", "string"):
            built = built.replace(f"<{prefix}:{name}>", value)
    return built


def statuses(app: Flask, guest: Guest | None, *levels: str) -> dict[tuple[str, str], int]:
    client = browser(app, guest)
    token = csrf(app, guest.admission.visit_id) if guest else "x"
    answers = {}
    for method, path in routes(app, *levels):
        data = {"csrf_token": token} if method == "POST" else None
        reply = client.open(path, method=method, data=data, base_url="https://localhost")
        answers[method, path] = reply.status_code
    return answers


def test_each_view_has_the_mark_it_should(app: Flask) -> None:
    marks = {}
    for rule in app.url_map.iter_rules():
        mark = access.access_of(app.view_functions[rule.endpoint])
        marks[rule.endpoint] = mark.level if mark else ""
    learning = {name for name in marks if name.startswith(("training.", "refresh."))}
    assert {marks[name] for name in learning} <= {"visitor", "arrived"}
    assert {name: level for name, level in marks.items() if name not in learning} == OPEN_TO


def test_nothing_opens_without_a_visit(app: Flask) -> None:
    found = statuses(app, None, "arrived", "visitor", "manager")
    assert set(found.values()) == {401}, found


def test_nothing_is_shown_or_saved_before_an_unbound_visit_is_confirmed(
    app: Flask, database: Database
) -> None:
    guest = arrive(database, "Not Yet", is_bound=False)
    found = statuses(app, guest, "visitor", "manager")
    assert set(found.values()) == {403}, found


def test_a_learner_opens_no_page_of_managers(app: Flask, database: Database) -> None:
    for guest in (arrive(database, "A Learner"), arrive(database, "Asks", may_ask_to_manage=True)):
        found = statuses(app, guest, "manager")
        assert set(found.values()) == {403}, found


def test_a_grant_counts_for_its_own_school_alone(app: Flask, database: Database) -> None:
    elsewhere = make_manager(database, arrive(database, "Head", subject="head"))
    here = arrive(database, "Head", GLENMERE, subject="head")
    assert here.person_id == elsewhere.person_id
    assert set(statuses(app, here, "manager").values()) == {403}


def test_a_form_without_its_token_is_refused(app: Flask, database: Database) -> None:
    head = make_manager(database, arrive(database, "Head"))
    other = arrive(database, "Other")
    client = browser(app, head)
    for method, path in routes(app, "arrived", "visitor", "manager"):
        if method != "POST":
            continue
        for token in ("", "x", "\u00e9", csrf(app, other.admission.visit_id)):
            reply = client.post(path, data={"csrf_token": token}, base_url="https://localhost")
            assert reply.status_code == 400, path
            assert b"form-expired" in reply.data, path


def test_a_view_without_a_mark_stops_the_start(
    database: Database, tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unmarked() -> str:
        return ""

    monkeypatch.setattr("lti_tool.app.healthz", unmarked)
    with (
        pytest.raises(RuntimeError, match="unmarked does not say"),
        running(tmp_path, database, clock),
    ):
        pass


@pytest.mark.parametrize("path", ["/finish", "/ask-to-manage", "/register/confirm"])
def test_a_form_that_comes_slowly_keeps_nobody_from_writing(
    app: Flask, database: Database, path: str
) -> None:
    """A form is read whole before a writing transaction begins: SQLite has one writer."""
    head = make_manager(database, arrive(database, "Head"))
    body = f"csrf_token={csrf(app, head.admission.visit_id)}".encode()

    class Slow(BytesIO):
        def readinto(self, buffer: Any, /) -> int:
            other = sqlite3.connect(str(database.engine.url.database), timeout=0)
            other.execute("BEGIN IMMEDIATE")  # raises where the tool is writing
            other.close()
            return super().readinto(buffer)

    reply = browser(app, head).post(
        path,
        input_stream=Slow(body),
        content_length=len(body),
        content_type="application/x-www-form-urlencoded",
        base_url="https://localhost",
    )
    assert reply.status_code < 500, reply.text
