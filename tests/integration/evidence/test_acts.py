"""The access log over HTTP: what a manager did, whom it was about, and who may read it."""

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from lti_tool.core.database import Database
from lti_tool.people.acts.models import Act, ActConcerns
from tests.conftest import SetClock
from tests.factories.registers import (
    GLENMERE,
    HEMSWELL,
    Guest,
    arrive,
    browser,
    counting,
    csrf,
    make_manager,
    owe,
)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def get(app: Flask, who: Guest, path: str) -> str:
    reply = browser(app, who).get(path, base_url="https://localhost")
    assert reply.status_code == 200, reply.text
    return reply.text


def post(app: Flask, who: Guest, path: str, status: int = 303, /, **form: Any) -> None:
    data = {"csrf_token": csrf(app, who.admission.visit_id), **form}
    reply = browser(app, who).post(path, data=data, base_url="https://localhost")
    assert reply.status_code == status, reply.text


def rows(database: Database) -> list[tuple[str, str, set[UUID]]]:
    with database.reading() as session:
        found = []
        for act in session.scalars(select(Act).order_by(Act.id)):
            about = session.scalars(
                select(ActConcerns.person_id).where(ActConcerns.act_id == act.id)
            )
            found.append((act.school_id, act.what, set(about)))
        return found


def test_a_look_stands_once_a_day_for_each_manager(
    app: Flask, database: Database, clock: SetClock
) -> None:
    staff = arrive(database, "Dawn Asher", counted=True)
    heads = [make_manager(database, arrive(database, name)) for name in ("Head", "Deputy")]
    record = f"/register/{staff.membership_id}"
    for path in (record, f"/people/{staff.membership_id}", record):
        get(app, heads[0], path)
    get(app, heads[1], record)
    viewed = (HEMSWELL, "person-viewed", {staff.person_id})
    assert rows(database) == [viewed, viewed]
    clock.move(hours=16)  # past midnight
    again = make_manager(database, arrive(database, "Head", now=clock()))
    get(app, again, record)
    assert rows(database) == [viewed] * 3


def test_a_refused_form_and_another_schools_record_leave_nothing(
    app: Flask, database: Database
) -> None:
    head = make_manager(database, arrive(database, "Head"))
    stranger = arrive(database, "Stranger", GLENMERE)
    reply = browser(app, head).get(
        f"/register/{stranger.membership_id}", base_url="https://localhost"
    )
    assert reply.status_code == 404
    post(app, head, f"/register/{stranger.membership_id}/send", 400)
    assert rows(database) == []


def test_whom_an_act_was_about(app: Flask, database: Database) -> None:
    head = make_manager(database, arrive(database, "Head"))
    ann, ben = arrive(database, "Ann"), arrive(database, "Ben")
    other = arrive(database, "Other", GLENMERE)
    ids = [ann.membership_id, ben.membership_id, other.membership_id]
    post(app, head, "/register/confirm", person=ids)
    details = {"role_group": "teaching", "starts_on": "", "ends_on": "", "payroll_number": "7"}
    post(app, head, f"/people/{ben.membership_id}", **details)
    duty = owe(database, ann)
    day = {"to_on-day": 1, "to_on-month": 12, "to_on-year": 2026}
    post(app, head, "/due-dates", obligation=duty, reason="Trip", **day)
    get(app, head, "/register.csv")
    assert rows(database) == [
        (HEMSWELL, "evidence.confirm", {ann.person_id, ben.person_id}),
        (HEMSWELL, "staff.change", {ben.person_id}),
        (HEMSWELL, "acting.move_dates", {ann.person_id}),
        (HEMSWELL, "evidence.export", set()),
    ]
    mine = get(app, ann, "/my-data")
    assert mine.count("<tr") == 4  # the head, confirmed, moved, and the list that was taken
    assert "Head" in mine
    assert "Ben" not in mine
    assert "Changed the details" not in mine


def test_managers_read_their_own_schools_log_alone(app: Flask, database: Database) -> None:
    ann = arrive(database, "Ann Onym", counted=True)
    head = make_manager(database, arrive(database, "Hemswell Head"))
    get(app, head, f"/register/{ann.membership_id}")
    log = get(app, head, "/access-log")
    assert "Ann Onym" in log
    assert "Looked at the record" in log
    assert "Hemswell Head" in log
    assert "Ann Onym" in get(app, head, f"/access-log?member={ann.membership_id}&kind=view")
    assert "Ann Onym" not in get(app, head, "/access-log?kind=export")
    assert "Ann Onym" not in get(app, head, "/access-log?until=2026-11-22")
    assert "Ann Onym" in get(app, head, f"/access-log?since=2026-11-23&actor={head.person_id}")
    elsewhere = make_manager(database, arrive(database, "Glenmere Head", GLENMERE))
    assert "Ann Onym" not in get(app, elsewhere, "/access-log")
    for path, status in (
        (f"/access-log?member={ann.membership_id}", 404),
        ("/access-log?page=2", 404),
        ("/access-log?kind=secrets", 400),
    ):
        reply = browser(app, elsewhere).get(path, base_url="https://localhost")
        assert reply.status_code == status, path


def test_whoever_is_not_confirmed_reads_no_names_of_staff(app: Flask, database: Database) -> None:
    pupil = arrive(database, "Perhaps A Pupil")
    head = make_manager(database, arrive(database, "The Headteacher"))
    get(app, head, f"/register/{pupil.membership_id}")
    shown = get(app, pupil, "/my-data")
    assert "Looked at the record" in shown
    assert "The Headteacher" not in shown
    assert "A manager of Hemswell Cliff Primary School" in shown


def test_the_register_costs_no_more_for_it(app: Flask, database: Database) -> None:
    head = make_manager(database, arrive(database, "Head"))
    with counting(database) as seen:
        get(app, head, "/register")
    assert not [line for line in seen if "act_concerns" in line or "INTO act" in line]
