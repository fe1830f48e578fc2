"""Who becomes a manager, and by what."""

import json
import threading
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select

from lti_tool.core.database import Database
from lti_tool.core.ledger import LedgerEntry
from lti_tool.people import memberships
from lti_tool.people.cli import people
from lti_tool.people.models import Grant, Identity, Person
from tests.conftest import SetClock
from tests.factories.registers import (
    GLENMERE,
    HEMSWELL,
    NOW,
    Guest,
    arrive,
    browser,
    csrf,
    make_manager,
)


def make_code(database: Database, school_id: str = HEMSWELL) -> str:
    with database.transaction() as session:
        return memberships.make_manager_code(session, school_id=school_id, now=NOW)


def enter(app: Flask, guest: Guest, code: str) -> tuple[int, str]:
    response = browser(app, guest).post(
        "/ask-to-manage", data={"code": code, "csrf_token": csrf(app, guest.admission.visit_id)}
    )
    return response.status_code, response.text


def manages(database: Database, guest: Guest) -> bool:
    with database.reading() as session:
        return memberships.is_manager(session, person_id=guest.person_id, school_id=guest.school_id)


def test_an_instructor_with_the_code_becomes_manager_once(app: Flask, database: Database) -> None:
    code = make_code(database)
    head = arrive(database, "Head Teacher", may_ask_to_manage=True)
    other = arrive(database, "Other Teacher", may_ask_to_manage=True)
    assert enter(app, head, code.lower().replace("-", " "))[0] == 303
    assert manages(database, head)
    status, text = enter(app, other, code)
    assert status == 400
    assert "used before" in text
    assert not manages(database, other)
    with database.reading() as session:
        assert session.scalars(select(LedgerEntry.kind)).all() == ["manager-granted"]


def test_a_learner_cannot_use_a_code(app: Flask, database: Database) -> None:
    code = make_code(database)
    learner = arrive(database, "New Starter")
    page = browser(app, learner).get("/ask-to-manage").text
    assert 'name="code"' not in page
    assert "Headteacher" in page
    assert enter(app, learner, code)[0] == 403
    assert not manages(database, learner)


def test_a_code_is_good_for_its_own_school_only(app: Flask, database: Database) -> None:
    head = arrive(database, "Head Teacher", may_ask_to_manage=True)
    assert enter(app, head, make_code(database, GLENMERE))[0] == 400
    assert not manages(database, head)


@pytest.mark.parametrize("code", ["", "wrong", "x" * 101])
def test_a_wrong_code_is_shown_at_the_field(app: Flask, database: Database, code: str) -> None:
    head = arrive(database, "Head Teacher", may_ask_to_manage=True)
    status, text = enter(app, head, code)
    assert status == 400
    assert 'id="code-error"' in text
    assert 'href="#code"' in text


def test_a_code_ends_after_thirty_days(app: Flask, database: Database, clock: SetClock) -> None:
    code = make_code(database)
    clock.now = NOW + timedelta(days=30)
    head = arrive(database, "Head Teacher", may_ask_to_manage=True, now=clock.now)
    assert enter(app, head, code)[0] == 400


def test_a_manager_who_asks_is_led_to_the_register(app: Flask, database: Database) -> None:
    head = make_manager(database, arrive(database, "Head Teacher"))
    assert browser(app, head).get("/ask-to-manage").location == "/register"


def run(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["people", *words], prog_name="clauseway")
    return result.exit_code, result.output


@pytest.fixture
def commands(app: Flask) -> Flask:
    app.cli.add_command(people)
    return app


def test_grant_list_and_revoke_by_number(commands: Flask, database: Database) -> None:
    head = arrive(database, "Siân Head")
    person = str(head.person_id)
    assert run(commands, "grant", "--school", HEMSWELL, "--person", person)[0] == 0
    assert run(commands, "grant", "--school", HEMSWELL, "--person", person)[0] == 0
    status, output = run(commands, "list", "--school", HEMSWELL, "--json")
    assert status == 0
    assert json.loads(output) == [{"person": person, "name": "Siân Head", "since": NOW.isoformat()}]
    assert "Siân Head" in run(commands, "list", "--school", HEMSWELL)[1]
    assert run(commands, "list", "--school", GLENMERE) == (0, "glenmere has no manager\n")
    assert run(commands, "revoke", "--school", HEMSWELL, "--person", person)[0] == 0
    assert not manages(database, head)
    status, output = run(commands, "revoke", "--school", HEMSWELL, "--person", person)
    assert status == 1
    assert "does not manage" in output


def test_a_grant_to_somebody_who_has_not_arrived_waits_for_them(
    commands: Flask, database: Database
) -> None:
    words = ("--school", HEMSWELL, "--realm", "realm-7", "--subject", "42")
    assert run(commands, "grant", *words)[0] == 0
    assert run(commands, "grant", *words)[0] == 0
    head = arrive(database, "Head Teacher", realm="realm-7", subject="42")
    assert manages(database, head)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Identity)) == 1
        assert session.get_one(Person, head.person_id).name == "Head Teacher"


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--realm", "realm-1"),
        ("--person", str(uuid4())),
        ("--person", str(uuid4()), "--realm", "realm-1", "--subject", "1"),
        ("--person", "not-a-number"),
    ],
)
def test_nobody_or_half_a_person_is_refused(
    commands: Flask, database: Database, words: tuple[str, ...]
) -> None:
    assert run(commands, "grant", "--school", HEMSWELL, *words)[0] != 0
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 0


def test_a_mistaken_revoke_leaves_nobody_behind(commands: Flask, database: Database) -> None:
    assert run(commands, "revoke", "--school", HEMSWELL, "--realm", "r", "--subject", "s")[0] == 1
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 0


def test_an_unknown_school_is_named_with_those_there_are(commands: Flask) -> None:
    status, output = run(commands, "list", "--school", "nowhere")
    assert status == 2
    assert HEMSWELL in output


def test_invite_manager_prints_a_code_that_works(commands: Flask, database: Database) -> None:
    status, code = run(commands, "invite-manager", "--school", HEMSWELL)
    assert status == 0
    head = arrive(database, "Head Teacher", may_ask_to_manage=True)
    assert enter(commands, head, code.strip())[0] == 303


def test_revoking_ends_every_grant_there_is(database: Database) -> None:
    """Two codes, or two launches, at once can each have made one."""
    head = arrive(database, "Head Teacher")
    with database.transaction() as session:
        for _ in range(2):
            session.add(Grant(school_id=HEMSWELL, person_id=head.person_id, granted_at=NOW))
    with database.transaction() as session:
        memberships.revoke(session, person_id=head.person_id, school_id=HEMSWELL, now=NOW)
    assert not manages(database, head)


def test_two_managers_who_confirm_somebody_at_once(database: Database) -> None:
    """One confirmation counts and stands in the ledger, whoever was later."""
    member = arrive(database, "New Starter")
    heads = [arrive(database, name) for name in ("One", "Two")]
    gate, found = threading.Barrier(2, timeout=1), list[int]()

    def confirm(head: Guest) -> None:
        with database.transaction() as session:
            session.connection()
            with suppress(threading.BrokenBarrierError):  # where one writer waits for the other
                gate.wait()
            found.append(
                memberships.confirm_members(
                    session,
                    school_id=HEMSWELL,
                    membership_ids=[member.membership_id],
                    confirmed_by=head.person_id,
                    today=NOW.date(),
                    now=NOW,
                )
            )
            with suppress(threading.BrokenBarrierError):
                gate.wait()

    threads = [threading.Thread(target=confirm, args=(head,)) for head in heads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 1]
    with database.reading() as session:
        assert session.scalars(select(LedgerEntry.kind)).all() == ["member-confirmed"]
