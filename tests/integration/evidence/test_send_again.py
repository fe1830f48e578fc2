"""A manager sees why a score is not with the platform, and has it sent again."""

from uuid import UUID, uuid4

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from lti_tool.core.database import Database
from lti_tool.core.ledger import LedgerEntry
from lti_tool.lti.models import (
    BLOCKED,
    DEAD,
    NOT_SCORED,
    PENDING,
    SENDING,
    SENT,
    SUPERSEDED,
    Deployment,
    Registration,
    ResourceLink,
    ScoreOutbox,
)
from lti_tool.training.models import Completion
from tests.factories.registers import (
    GLENMERE,
    HEMSWELL,
    NOW,
    Guest,
    arrive,
    browser,
    complete,
    csrf,
    make_manager,
)


@pytest.fixture
def head(database: Database) -> Guest:
    return make_manager(database, arrive(database, "Hedda Head", counted=True))


def _score(database: Database, guest: Guest, state: str, reason: str = "", **given: object) -> UUID:
    """A score of this person in this state; returns its id."""
    complete(database, guest)
    with database.transaction() as session:
        completion = session.scalars(
            select(Completion).where(Completion.person_id == guest.person_id)
        ).one()
        registration = Registration(
            name="School Moodle",
            issuer=f"https://{uuid4().hex}.example",
            client_id="c",
            auth_login_url="",
            auth_token_url="",
            jwks_url="",
            created_at=NOW,
        )
        session.add(registration)
        session.flush()
        deployment = Deployment(registration_id=registration.id, deployment_id="1", created_at=NOW)
        session.add(deployment)
        session.flush()
        link = ResourceLink(deployment_row_id=deployment.id, resource_link_id="1", seen_at=NOW)
        session.add(link)
        session.flush()
        row = ScoreOutbox(
            school_id=guest.school_id,
            person_id=guest.person_id,
            completion_id=completion.id,
            cycle=completion.cycle,
            module=completion.module,
            registration_id=registration.id,
            resource_link_row_id=link.id,
            subject="3",
            score=90,
            timestamp=NOW,
            payload='{"timestamp": ""}',
            state=state,
            reason=reason,
            owed_at=NOW,
            next_at=NOW,
            **given,
        )
        session.add(row)
        session.flush()
        return row.id


def _row(database: Database, score_id: UUID) -> ScoreOutbox:
    with database.reading() as session:
        return session.get_one(ScoreOutbox, score_id)


def _page(app: Flask, head: Guest, guest: Guest) -> BeautifulSoup:
    reply = browser(app, head).get(f"/register/{guest.membership_id}")
    assert reply.status_code == 200
    return BeautifulSoup(reply.text, "html.parser")


def _send(app: Flask, head: Guest, guest: Guest, score: object, **fields: str) -> TestResponse:
    form = {"csrf_token": csrf(app, head.admission.visit_id), "score": str(score), **fields}
    return browser(app, head).post(f"/register/{guest.membership_id}/send", data=form)


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        (PENDING, "unreachable", ("Waiting to be sent to School Moodle", "We keep trying")),
        (SENT, "", ("Sent to School Moodle",)),
        (BLOCKED, "reconnect", ("needs attention", "does not let us in")),
        (BLOCKED, "overridden", ("Changed by hand in School Moodle", "leave it as it is")),
        (BLOCKED, "lost", ("needs attention", "holds it no more")),
        (DEAD, "line-item-gone", ("needs attention", "has been deleted")),
        (NOT_SCORED, "not-gradable", ("Not scored in School Moodle", "learners of the course")),
        (NOT_SCORED, "not-granted", ("Not scored in School Moodle", "no leave to send marks")),
        (NOT_SCORED, "no-marks", ("Not scored in School Moodle", "keeps no marks")),
    ],
)
def test_ags_11_the_record_says_where_a_score_is_and_why(
    app: Flask, database: Database, head: Guest, state: str, reason: str, words: tuple[str, ...]
) -> None:
    guest = arrive(database, "Amara Osei", counted=True)
    _score(database, guest, state, reason)
    text = " ".join(_page(app, head, guest).get_text(" ").split())
    for said in words:
        assert said in text


@pytest.mark.parametrize("state", [SENT, BLOCKED, DEAD, NOT_SCORED, PENDING])
def test_a_score_is_sent_again_by_the_button(
    app: Flask, database: Database, head: Guest, state: str
) -> None:
    guest = arrive(database, "Amara Osei", counted=True)
    score_id = _score(database, guest, state, attempts=4)
    form = _page(app, head, guest).select_one("form[action$=send]")
    assert form is not None
    fields = {str(one["name"]): str(one["value"]) for one in form.select("input[type=hidden]")}
    reply = browser(app, head).post(str(form["action"]), data=fields)
    assert reply.status_code == 303
    shown = browser(app, head).get(reply.headers["Location"])
    assert "The score is being sent" in shown.text
    row = _row(database, score_id)
    assert (row.state, row.next_at) == (PENDING, NOW)
    assert app.extensions["queue"].pending_count() == 1
    with database.reading() as session:
        kinds = session.scalars(select(LedgerEntry.kind)).all()
    assert kinds.count("score-resent") == 1


def test_a_mark_changed_by_hand_is_replaced_only_where_that_is_ticked(
    app: Flask, database: Database, head: Guest
) -> None:
    guest = arrive(database, "Amara Osei", counted=True)
    score_id = _score(database, guest, BLOCKED, "overridden")
    assert _page(app, head, guest).select_one("input[name=replace]") is not None
    refused = _send(app, head, guest, score_id)
    assert refused.status_code == 409
    assert "score-changed-there" in refused.text
    assert _row(database, score_id).state == BLOCKED
    assert _send(app, head, guest, score_id, replace="yes").status_code == 303
    assert (_row(database, score_id).state, _row(database, score_id).replaces) == (PENDING, True)


@pytest.mark.parametrize(("state", "code"), [(SENDING, "waiting"), (SUPERSEDED, "superseded")])
def test_what_is_under_way_or_stands_below_a_better_one(
    app: Flask, database: Database, head: Guest, state: str, code: str
) -> None:
    guest = arrive(database, "Amara Osei", counted=True)
    reply = _send(app, head, guest, _score(database, guest, state))
    assert reply.status_code == 409
    assert code in reply.text


def test_no_address_reaches_another_persons_score(
    app: Flask, database: Database, head: Guest
) -> None:
    mine = arrive(database, "Amara Osei", counted=True)
    other = arrive(database, "Bethan Pugh", counted=True)
    elsewhere = arrive(database, "Far Away", GLENMERE, counted=True)
    scores = [_score(database, guest, DEAD) for guest in (other, elsewhere)]
    for guest, score in ((mine, scores[0]), (mine, scores[1]), (elsewhere, scores[1])):
        assert _send(app, head, guest, score).status_code == 404
    for given in ("", "x", str(uuid4())):
        assert _send(app, head, mine, given).status_code in (400, 404)
    assert {_row(database, score).state for score in scores} == {DEAD}
    assert head.school_id == HEMSWELL
