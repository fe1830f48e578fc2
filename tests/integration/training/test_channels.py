"""Reminders to a channel: off until switched on, once a week, to a webhook that may misbehave."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, request
from sqlalchemy import select

from lti_tool.core.database import Database
from lti_tool.core.ids import new_id
from lti_tool.core.ledger import LedgerEntry
from lti_tool.core.outside import Outside
from lti_tool.teams import tenants
from lti_tool.training.channels import posting
from lti_tool.training.channels.models import Channel, Post
from lti_tool.training.channels.views import work_of
from lti_tool.training.cycles.models import Holiday, Obligation
from sandbox_lms.serve import running as listening
from tests.conftest import SetClock
from tests.factories.registers import HEMSWELL, Guest, arrive, browser, csrf, make_manager, running

MONDAY = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
SECRET = "sig=very-secret"


@dataclass
class Webhook:
    """A channel's webhook: what it got, and what it answers."""

    url: str = ""
    status: int = 202
    got: list[dict[str, Any]] = field(default_factory=list)

    def app(self) -> Flask:
        app = Flask("webhook")

        def take(name: str) -> Response:
            self.got.append(request.get_json())
            return Response("", self.status)

        app.add_url_rule("/workflows/<name>", view_func=take, methods=["POST"], endpoint="take")
        return app


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    webhook = Webhook()
    with listening(webhook.app()) as url:
        webhook.url = f"{url}/workflows/abc?{SECRET}"
        yield webhook


@pytest.fixture
def app(sqlite_url: str, tmp_path: Path, clock: SetClock) -> Iterator[Flask]:
    database = Database(sqlite_url)
    clock.now = MONDAY
    with running(tmp_path, database, clock) as app:
        teams = app.extensions["teams"]
        config = type(teams.config)(instance=tmp_path, private_hosts=("127.0.0.1",))
        teams.outside = Outside(config)
        yield app
    database.engine.dispose()


class Head:
    def __init__(self, app: Flask) -> None:
        self.app, self.database = app, app.extensions["database"]
        self.guest: Guest = make_manager(self.database, arrive(self.database, "Head", now=MONDAY))

    def get(self) -> str:
        # A visit ends by itself, and weeks pass here.
        self.guest = arrive(
            self.database, "Head", subject="head", now=self.app.extensions["clock"]()
        )
        make_manager(self.database, self.guest)
        reply = browser(self.app, self.guest).get("/channel", base_url="https://localhost")
        assert reply.status_code == 200, reply.text
        return " ".join(reply.text.split())

    def act(self, act: str, status: int = 303, **form: str) -> str:
        self.get()
        token = csrf(self.app, self.guest.admission.visit_id)
        reply = browser(self.app, self.guest).post(
            "/channel",
            data={"act": act, "csrf_token": token, **form},
            base_url="https://localhost",
        )
        assert reply.status_code == status, reply.text
        return reply.text

    def work(self) -> int:
        with self.app.app_context():
            return posting.run(work_of(self.app))

    def posts(self) -> list[tuple[str, str, int]]:
        with self.database.reading() as session:
            rows = session.scalars(select(Post).order_by(Post.id))
            return [(row.kind, row.state, row.last_status) for row in rows]


@pytest.fixture
def head(app: Flask) -> Head:
    head = Head(app)
    owes(head.database, "Xenia Quill", date(2026, 10, 1))
    owes(head.database, "Bo Learner", date(2026, 10, 30))
    return head


def owes(database: Database, name: str, due_on: date) -> None:
    who = arrive(database, name, counted=True, now=MONDAY)
    with database.transaction() as session:
        session.add(
            Obligation(
                id=new_id(),
                school_id=HEMSWELL,
                person_id=who.person_id,
                module="annual-refresh",
                cycle="2026-27",
                opens_on=date(2026, 9, 1),
                due_on=due_on,
                reason={"code": "cycle"},
                created_at=MONDAY,
            )
        )


def test_nothing_is_posted_until_it_is_switched_on(head: Head, webhook: Webhook) -> None:
    assert "No channel is known yet" in head.get()
    assert head.work() == 0
    head.act("keep", url=webhook.url)
    assert head.work() == 0
    head.act("on")
    assert head.work() == 1
    (message,) = webhook.got
    said = json.dumps(message)
    assert "2 people still have something to do" in said
    for name in ("Xenia", "Quill", "Bo Learner"):
        assert name not in said
    head.act("off")
    head.app.extensions["clock"].move(days=8)
    assert head.work() == 0


def test_what_waits_does_not_go_once_it_is_switched_off(head: Head, webhook: Webhook) -> None:
    head.act("keep", url=webhook.url)
    head.act("on")
    webhook.status = 503
    head.work()
    head.act("off")
    webhook.status = 202
    head.app.extensions["clock"].move(hours=1)
    assert head.work() == 0
    assert len(webhook.got) == 1
    assert "Not posted: it was switched off" in head.get()
    head.act("try")  # one that a manager asks for goes all the same
    assert head.work() == 1


def test_the_address_is_a_secret(head: Head, webhook: Webhook) -> None:
    head.act("keep", url=webhook.url)
    head.act("on")
    page = head.get()
    assert "127.0.0.1" in page
    assert SECRET not in page
    with head.database.reading() as session:
        for entry in session.scalars(select(LedgerEntry)):
            assert SECRET.encode() not in entry.body
    head.act("forget")
    with head.database.reading() as session:
        assert session.get(Channel, HEMSWELL) is None


def test_once_a_week_and_never_in_holidays_or_quiet_hours(head: Head, webhook: Webhook) -> None:
    clock: SetClock = head.app.extensions["clock"]
    head.act("keep", url=webhook.url)
    head.act("on")
    clock.now = MONDAY.replace(hour=20)
    assert head.work() == 0
    clock.now = MONDAY + timedelta(days=5)  # Saturday
    assert head.work() == 0
    clock.now = MONDAY + timedelta(days=7)
    assert [head.work(), head.work()] == [1, 0]
    clock.move(days=4)
    assert head.work() == 0
    with head.database.transaction() as session:
        session.add(
            Holiday(
                id=new_id(),
                school_id=HEMSWELL,
                name="Half-term",
                entered_at=MONDAY,
                starts_on=date(2026, 10, 19),
                ends_on=date(2026, 10, 23),
            )
        )
    clock.now = MONDAY + timedelta(days=15)
    assert head.work() == 0
    clock.now = MONDAY + timedelta(days=21)
    assert head.work() == 1
    assert len(webhook.got) == 2


def test_nobody_owes_anything(app: Flask, webhook: Webhook) -> None:
    head = Head(app)
    head.act("keep", url=webhook.url)
    head.act("on")
    assert head.work() == 0
    head.act("try")
    head.work()
    assert "Everybody has done what they have to do" in json.dumps(webhook.got)


def test_a_try_goes_at_once_and_is_called_so(head: Head, webhook: Webhook) -> None:
    head.act("keep", url=webhook.url)
    head.act("try")
    with head.app.app_context():
        assert posting.send_due(work_of(head.app)) == 1
    assert "This is a try" in json.dumps(webhook.got)
    assert "a try" in head.get()
    head.act("on")
    assert head.work() == 1  # the week's own is not used up by it


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_webhook_that_is_away_is_tried_again(head: Head, webhook: Webhook, status: int) -> None:
    clock: SetClock = head.app.extensions["clock"]
    head.act("keep", url=webhook.url)
    head.act("on")
    webhook.status = status
    assert head.work() == 0
    assert head.posts() == [("reminder", "waiting", status)]
    assert "no answer yet" in head.get()
    assert head.work() == 0
    assert len(webhook.got) == 1  # it waits five minutes
    webhook.status = 202
    clock.move(minutes=6)
    assert head.work() == 1
    assert head.posts() == [("reminder", "sent", 202)]


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_a_workflow_that_is_gone_is_said(head: Head, webhook: Webhook, status: int) -> None:
    head.act("keep", url=webhook.url)
    head.act("on")
    webhook.status = status
    assert head.work() == 0
    assert head.posts() == [("reminder", "failed", status)]
    assert "make a new workflow in Teams" in head.get()


def test_nothing_answers_for_a_day(head: Head) -> None:
    clock: SetClock = head.app.extensions["clock"]
    head.act("keep", url="http://127.0.0.1:9/")
    head.act("try")
    for _ in range(4):
        head.work()
        clock.move(hours=9)
    assert head.posts() == [("try", "failed", 0)]
    assert "nothing answered" in head.get()


@pytest.mark.parametrize(
    "url",
    [
        *("", "x", "http://webhook.example.org/x", "ftp://a.example/", "https://me@a.example/"),
        *("https://a.example/ x", "https://", "javascript:alert(1)", "https://a.example/\x07"),
    ],
)
def test_what_is_no_webhook(head: Head, url: str) -> None:
    assert "webhook-wrong" in head.act("keep", 400, url=url)
    with head.database.reading() as session:
        assert session.get(Channel, HEMSWELL) is None


def test_a_private_address_is_not_called(head: Head, webhook: Webhook) -> None:
    """Somebody could else make us speak to what stands inside our own network."""
    config = head.app.extensions["teams"].config
    head.app.extensions["teams"].outside = Outside(config)
    head.act("keep", url=webhook.url)
    head.act("try")
    assert head.work() == 0
    assert webhook.got == []


def test_who_switched_it_is_recorded(head: Head, webhook: Webhook) -> None:
    head.act("keep", url=webhook.url)
    for act in ("on", "try", "off", "forget"):
        head.act(act)
        head.work()
    with head.database.reading() as session:
        kinds = [
            entry.kind
            for entry in session.scalars(select(LedgerEntry).order_by(LedgerEntry.sequence))
            if entry.kind.startswith("channel")
        ]
    assert [kind for kind in kinds if kind != "channel-post"] == [
        *("channel-kept", "channel-on", "channel-off", "channel-forgotten")
    ]
    assert kinds.count("channel-post") == 2


def test_the_card_leads_into_the_tab(head: Head, webhook: Webhook) -> None:
    with head.database.transaction() as session:
        tenants.add(
            session,
            name="The trust",
            tenant_id="11111111-2222-4333-8444-555555555555",
            client_id="66666666-7777-4888-8999-000000000000",
            schools=[HEMSWELL],
            in_outlook=False,
            now=MONDAY,
        )
    assert "Open my training" in head.get()
    head.act("keep", url=webhook.url)
    head.act("try")
    head.work()
    card = webhook.got[0]["attachments"][0]["content"]
    assert card["actions"][0]["url"].startswith("https://teams.microsoft.com/l/entity/")
