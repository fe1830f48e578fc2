"""A subject access request: all that is held of a person, of nobody else, of this school alone."""

import io
import json
import zipfile
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from lti_tool.core import ledger
from lti_tool.core.database import Database, Table
from lti_tool.core.ledger import LedgerEntry
from lti_tool.evidence.retention import setting
from lti_tool.evidence.subjects import gathering
from lti_tool.people.acts.models import Act
from lti_tool.training.reminders.models import Reminder, ReminderBatch
from tests.factories.packs import declare, member
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
from tests.integration.evidence.test_retention import peopled


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def taken(app: Flask, who: Guest, path: str) -> tuple[dict[str, Any], str, str]:
    """What the copy holds, its JSON as text, and its page."""
    data = {"csrf_token": csrf(app, who.admission.visit_id)}
    reply = browser(app, who).post(path, data=data, base_url="https://localhost")
    assert reply.status_code == 200, reply.text
    assert reply.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(reply.data)) as found:
        assert found.namelist() == ["record.html", "record.json"]
        page, text = (found.read(name).decode() for name in found.namelist())
    held: dict[str, Any] = json.loads(text)["held"]
    return held, text, page


def test_a_manager_takes_everything_of_one_person(app: Flask, database: Database) -> None:
    head, lena, carl = peopled(database)
    with database.transaction() as session:
        batch = ReminderBatch(
            school_id=HEMSWELL, asked_at=NOW, asked_by=head.person_id, planned={}, left_out={}
        )
        session.add(batch)
        session.flush()
        session.add(
            Reminder(
                school_id=HEMSWELL,
                batch_id=batch.id,
                person_id=lena.person_id,
                kind="due",
                day=NOW.date(),
                next_at=NOW,
                address="lena@x.org",
            )
        )
        setting.place_hold(
            session,
            school_id=HEMSWELL,
            person_id=lena.person_id,
            reason="She asked for her data",
            by=head.person_id,
            now=NOW,
        )
    held, text, page = taken(app, head, f"/register/{lena.membership_id}/copy")
    assert set(held) >= {
        *("person", "identity", "membership", "absence", "obligation", "journey", "declaration"),
        *("completion", "reminder", "visit", "retention_hold", "access_log", "ledger"),
    }
    assert held["person"][0]["email"] == "lena@x.org"
    assert held["retention_hold"][0]["placed_by"] == "somebody else"
    assert held["access_log"][0]["what"] == "Looked at the record"
    kinds = {one["kind"]: one["about this person"] for one in held["ledger"]}
    assert kinds["completion"]["printed_name"] == "Signed Name"
    assert kinds["completion"]["choice-1"] == "c"
    assert kinds["hold-placed"]["reason"] == "She asked for her data"
    assert kinds["absence-entered"]["actor"] == "somebody else"
    for said in (text, page):
        assert "Lena Left" in said
        assert "Carl Col" not in said
        assert "Helen Head" not in said
        for other in (head, carl):
            assert str(other.person_id) not in said
    for secret in (lena.admission.token, "token_hash", "code_hash"):
        assert secret not in text


def test_its_making_is_recorded_and_shown_to_the_person(app: Flask, database: Database) -> None:
    head, _lena, carl = peopled(database)
    taken(app, head, f"/register/{carl.membership_id}/copy")
    carl = arrive(database, "Carl Col", subject="carl")
    held, _text, _page = taken(app, carl, "/my-data/copy")
    assert any(one["what"].startswith("Took a copy") for one in held["access_log"])
    with database.reading() as session:
        bodies = session.scalars(
            select(LedgerEntry.body).where(LedgerEntry.kind == "subject-access")
        )
        assert [json.loads(one)["facts"]["by"] for one in bodies] == ["manager", "person"]
        whats = session.scalars(select(Act.what).order_by(Act.id)).all()
        assert list(whats)[-2:] == ["subjects.hand_over", "subjects.mine"]
        assert ledger.verify(session, school_id=HEMSWELL)[1] is None
    reply = browser(app, carl).get("/my-data", base_url="https://localhost")
    assert "Took a copy of all data about the person" in reply.text


def test_schools_are_kept_apart(app: Flask, database: Database) -> None:
    here = member(database, "Two Schools", subject="two", realm="realm-h")
    there = arrive(database, "Two Schools", GLENMERE, subject="two", realm="realm-h", counted=True)
    assert here.person_id == there.person_id
    declare(database, there)
    head = make_manager(database, arrive(database, "Helen Head", counted=True))
    held, text, _page = taken(app, head, f"/register/{here.membership_id}/copy")
    assert "completion" not in held
    assert GLENMERE not in text
    for path in (f"/register/{there.membership_id}/copy",):
        reply = browser(app, head).get(path, base_url="https://localhost")
        assert reply.status_code == 404


def test_what_a_manager_did_for_others_names_no_other(app: Flask, database: Database) -> None:
    head, lena, _carl = peopled(database)
    held, text, _page = taken(app, head, "/my-data/copy")
    assert {one["done by"] for one in held["absence"]} == {"this person"}
    assert all(set(one) <= {"done by", "id", "entered_at", "entered_by"} for one in held["absence"])
    assert str(lena.person_id) not in text
    assert "Lena Left" not in text


def test_no_table_of_a_person_is_passed_by() -> None:
    """Whatever refers to a person, or to what is theirs, is read, and nothing is read twice."""
    about = {
        table.name
        for table in Table.metadata.sorted_tables
        if gathering._referring(table) or "person_id" in table.columns
    }
    without_school = {
        name for name in about if "school_id" not in Table.metadata.tables[name].columns
    }
    assert without_school == {"identity", "invitation", "person"}
    within = gathering.WITHIN | dict(gathering._hanging())
    theirs = {"journey", "completion", "obligation", "declaration"}
    for table in Table.metadata.sorted_tables:
        is_part = any(key.column.table.name in theirs for key in table.foreign_keys)
        has_subject = set(gathering.SUBJECT) & set(table.columns.keys())
        assert not is_part or has_subject or table.name in within, table.name
