"""Whatever a manager does or looks at leaves a row in the access log: every route is walked."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from werkzeug.routing import Rule

from lti_tool.core.database import Database
from lti_tool.evidence.acts.words import ACTS, KIND_WORDS
from lti_tool.people import access
from lti_tool.people.acts.models import Act, ActConcerns
from lti_tool.people.acts.recording import VIEWED
from tests.conftest import SetClock
from tests.factories.registers import Guest, arrive, browser, csrf, make_manager, running
from tests.house.test_routes import address

# Arguments by which an address names a person: such a page is a view of that person.
NAMES_A_PERSON = {"membership_id", "first", "person_id"}

# Files for managers in which there is nothing of a person.
OF_NOBODY = {"teams.download"}


@pytest.fixture
def plain(sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url)
    yield database
    database.engine.dispose()


@pytest.fixture
def app(plain: Database, tmp_path: Path, clock: SetClock) -> Iterator[Flask]:
    with running(tmp_path, plain, clock) as app:
        yield app


def rules(app: Flask, method: str) -> list[tuple[Rule, access.Access]]:
    found = []
    for rule in app.url_map.iter_rules():
        mark = access.access_of(app.view_functions[rule.endpoint])
        if mark is not None and mark.level != "public" and method in (rule.methods or ()):
            found.append((rule, mark))
    return found


def acts(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(Act.what).order_by(Act.id)))


def call(app: Flask, head: Guest, staff: Guest, rule: Rule, method: str) -> None:
    """The route, with a view that does nothing: what is looked at here is what stands around."""
    path = address(rule)
    if "membership_id" in rule.arguments:
        path = rule.build({name: staff.membership_id for name in rule.arguments})[1]  # type: ignore[index]
    mark = access.access_of(app.view_functions[rule.endpoint])

    def view(**_arguments: object) -> str:
        return "done"

    view.access = mark  # type: ignore[attr-defined]
    kept, app.view_functions[rule.endpoint] = app.view_functions[rule.endpoint], view
    token = csrf(app, head.admission.visit_id)
    reply = browser(app, head).open(
        path,
        method=method,
        data={"csrf_token": token} if method == "POST" else None,
        base_url="https://localhost",
    )
    app.view_functions[rule.endpoint] = kept
    assert reply.status_code == 200, (path, reply.status_code)


def test_every_form_of_managers_leaves_a_row(app: Flask, plain: Database) -> None:
    head, staff = make_manager(plain, arrive(plain, "Head")), arrive(plain, "Staff")
    forms = [rule for rule, mark in rules(app, "POST") if mark.level == "manager"]
    assert len(forms) > 25
    for rule in forms:
        before = acts(plain)
        call(app, head, staff, rule, "POST")
        assert acts(plain) == [*before, rule.endpoint]


def test_every_view_of_a_person_and_every_list_taken_leaves_a_row(
    app: Flask, plain: Database, clock: SetClock
) -> None:
    head, staff = make_manager(plain, arrive(plain, "Head")), arrive(plain, "Staff")
    pages = [(rule, mark) for rule, mark in rules(app, "GET") if mark.level == "manager"]
    named = [rule for rule, mark in pages if mark.shows_person]
    handed = [rule for rule, mark in pages if mark.hands_out]
    assert len(named) >= 4
    assert len(handed) >= 3
    missing = {rule.endpoint for rule, mark in pages if rule.arguments & NAMES_A_PERSON} - {
        rule.endpoint for rule in named + handed
    }
    assert missing == set(), "a page about one person wears no mark that says so"
    files = {rule.endpoint for rule, mark in pages if mark.writes or "." in rule.rule}
    assert files - OF_NOBODY == {rule.endpoint for rule in handed}, (
        "a file that a manager takes away says so"
    )
    for rule in handed:
        call(app, head, staff, rule, "GET")
        assert acts(plain)[-1] == rule.endpoint
    before = acts(plain)
    for rule in named:
        if "membership_id" in rule.arguments:
            call(app, head, staff, rule, "GET")
    assert acts(plain) == [*before, VIEWED], "once for a manager, a person and a day"
    with plain.reading() as session:
        assert set(session.scalars(select(ActConcerns.person_id))) == {staff.person_id}


def test_every_act_has_words(app: Flask) -> None:
    known = {rule.endpoint for rule, mark in rules(app, "POST") if mark.is_act}
    known |= {rule.endpoint for rule, mark in rules(app, "GET") if mark.hands_out} | {VIEWED}
    assert set(ACTS) == known
    assert {one.kind for one in ACTS.values()} == set(KIND_WORDS)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE act SET what = 'nothing'",
        "UPDATE act_concerns SET school_id = 'x'",
        "DELETE FROM act_concerns",
        "DELETE FROM act",
    ],
)
def test_the_log_lets_no_change_through(database: Database, statement: str) -> None:
    head = arrive(database, "Head")
    with database.transaction() as session:
        session.add(
            Act(id=UUID(int=1), school_id="x", at=SetClock()(), actor_id=head.person_id, what="a")
        )
        session.flush()
        session.add(ActConcerns(act_id=UUID(int=1), person_id=head.person_id, school_id="x"))
    with (
        pytest.raises(DBAPIError, match="append-only"),
        database.engine.execution_options(writes=True).begin() as connection,
    ):
        connection.exec_driver_sql(statement)
