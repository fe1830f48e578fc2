"""A manager sets periods, looks at what would go, and holds a person back; so does the command."""

import json

import pytest
from flask import Flask

from lti_tool.core.database import Database
from lti_tool.evidence.retention import disposing
from lti_tool.evidence.retention.cli import retention
from lti_tool.evidence.retention.tasks import dispose_all
from tests.conftest import SetClock
from tests.factories.registers import (
    HEMSWELL,
    Guest,
    arrive,
    browser,
    csrf,
    make_manager,
)
from tests.integration.evidence.test_retention import holds, peopled, run, set_all

SCHOOL = ("--school", HEMSWELL)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def get(app: Flask, who: Guest, path: str) -> str:
    reply = browser(app, who).get(path, base_url="https://localhost")
    assert reply.status_code == 200, reply.text
    return reply.text


def post(app: Flask, who: Guest, path: str, **form: str) -> tuple[int, str]:
    data = {"csrf_token": csrf(app, who.admission.visit_id), **form}
    reply = browser(app, who).post(path, data=data, base_url="https://localhost")
    return reply.status_code, reply.text


def months(database: Database) -> dict[str, int]:
    with database.reading() as session:
        found = disposing.periods(session, school_id=HEMSWELL)
        return {kind: one.months for kind, one in found.items()}


def test_a_manager_sets_a_period_and_takes_it_back(app: Flask, database: Database) -> None:
    head, lena, _carl = peopled(database)
    assert "How long 11 kinds of data are kept" in get(app, head, "/dashboard")
    assert get(app, head, "/retention").count("Not set yet") == 22  # in its card, and below
    assert post(app, head, "/retention/training", number="6", unit="years")[0] == 303
    assert post(app, head, "/retention/mails", number="18", unit="months")[0] == 303
    assert months(database) == {"training": 72, "mails": 18}
    shown = get(app, head, "/retention?on=2033-01-01")
    assert "Kept for 6 years" in shown
    assert "Kept for 18 months" in shown
    assert "Lena Left" in shown
    assert "Lena Left" not in get(app, head, "/retention?on=2032-01-01")
    assert "How long 9 kinds of data are kept" in get(app, head, "/dashboard")
    assert post(app, head, "/retention/mails", unset="yes")[0] == 303
    assert months(database) == {"training": 72}
    assert lena.person_id


@pytest.mark.parametrize(
    ("kind", "number", "status", "said"),
    [
        ("training", "", 400, "Write a whole number"),
        ("training", "0", 400, "Write a whole number"),
        ("training", "101", 400, "1200 months"),
        ("absences", "1", 303, ""),
        ("everything", "1", 400, "not known"),
    ],
)
def test_what_cannot_be_set(
    app: Flask, database: Database, kind: str, number: str, status: int, said: str
) -> None:
    head = peopled(database)[0]
    found = post(app, head, f"/retention/{kind}", number=number, unit="years")
    assert found[0] == status
    assert said in found[1]
    assert months(database) == ({kind: 12} if status == 303 else {})


def test_a_period_on_which_other_things_rest(app: Flask, database: Database) -> None:
    head = peopled(database)[0]
    status, said = post(app, head, "/retention/absences", number="11", unit="months")
    assert status == 400
    assert "for 12 months" in said


def test_a_manager_holds_somebody_back(app: Flask, database: Database, clock: SetClock) -> None:
    head, lena, _carl = peopled(database)
    set_all(database)
    path = f"/register/{lena.membership_id}/hold"
    assert post(app, head, path, reason=" ")[0] == 400
    assert post(app, head, path, reason="A claim is made")[0] == 303
    assert post(app, head, path, reason="Again")[0] == 409
    assert "A claim is made" in get(app, head, "/retention")
    with database.reading() as session:
        shown = disposing.preview(session, school_id=HEMSWELL, on=clock().date().replace(year=2040))
    assert shown.due["training"] == shown.due["people"] == []
    assert post(app, head, path, reason="Settled", lift="yes")[0] == 303
    assert post(app, head, path, reason="Settled", lift="yes")[0] == 409
    assert "Settled" in get(app, head, path)


def test_pages_work_as_before_when_people_are_gone(
    app: Flask, database: Database, clock: SetClock
) -> None:
    peopled(database)
    set_all(database)
    run(app, clock, days=7 * 366)
    from_then = make_manager(database, arrive(database, "New Head", counted=True, now=clock()))
    for path in ("/register", "/register?cycle=2026-27", "/dashboard", "/access-log", "/retention"):
        shown = get(app, from_then, path)
        assert "Lena Left" not in shown
    assert "6 years" in get(app, from_then, "/retention")
    holds(app)


def test_the_commands(app: Flask, database: Database, clock: SetClock) -> None:
    _head, lena, _carl = peopled(database)
    app.cli.add_command(retention)

    def say(*words: str) -> tuple[int, str]:
        result = app.test_cli_runner().invoke(args=["retention", *words])
        return result.exit_code, result.output

    assert "training: not set yet: nothing goes" in say("list", *SCHOOL)[1]
    assert say("set", *SCHOOL, "training", "6y") == (0, "training: 6 years\n")
    assert say("set", *SCHOOL, "mails", "18m") == (0, "mails: 18 months\n")
    assert say("set", *SCHOOL, "mails", "none")[0] == 0
    assert say("set", *SCHOOL, "mails", "soon")[0] == 2
    assert say("set", *SCHOOL, "absences", "2m")[0] == 1
    assert json.loads(say("list", *SCHOOL, "--json")[1])["training"] == 72
    due = json.loads(say("preview", *SCHOOL, "--on", "2033-06-01", "--json")[1])["due"]
    assert due == {"training": 1}
    assert "people: not set yet" in say("preview", *SCHOOL)[1]
    assert say("run", *SCHOOL) == (0, "nothing was due\n")
    held = ("hold", *SCHOOL, str(lena.membership_id), "--reason", "Claim")
    assert say(*held) == (0, "held\n")
    assert say(*held)[0] == 1
    clock.move(days=7 * 366)
    assert say("run", *SCHOOL) == (0, "nothing was due\n")
    assert say(*held, "--lift") == (0, "lifted\n")
    assert say("run", *SCHOOL) == (0, "training: 1\n")
    assert say("list", "--school", "nowhere")[0] == 2


def test_the_worker_goes_through_every_school(
    app: Flask, database: Database, clock: SetClock
) -> None:
    peopled(database)
    set_all(database)
    clock.move(days=7 * 366)
    with app.app_context():
        dispose_all(app)
    assert run(app, clock) == {}
