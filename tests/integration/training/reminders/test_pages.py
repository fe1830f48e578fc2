"""The reminders' pages: switched on, looked at, sent, and what went wrong told."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from sqlalchemy import select

from lti_tool.training.reminders import cli
from lti_tool.training.reminders.models import ReminderBatch, ReminderSettings
from tests.conftest import SetClock
from tests.factories.post import MailServer
from tests.factories.registers import GLENMERE, HEMSWELL, arrive, browser, csrf, make_manager
from tests.integration.training.reminders.conftest import ACTIVITY, MONDAY, World

FORM = {
    "is_on": "yes",
    "activity_url": ACTIVITY,
    "sender_name": "School office",
    "quiet_from": "18",
    "quiet_until": "7",
    "has_digest": "no",
    "digest_weekday": "0",
}


class Head:
    """A manager in a browser."""

    def __init__(self, world: World) -> None:
        self.world, self.app, self.database = world, world.app, world.database
        self.guest = make_manager(self.database, arrive(self.database, "Head", now=MONDAY))
        self.client: FlaskClient = browser(self.app, self.guest)

    def get(self, path: str, status: int = 200) -> str:
        reply = self.client.get(path, base_url="https://localhost")
        assert reply.status_code == status, reply.text
        return _words(reply.text)

    def post(self, path: str, form: Mapping[str, str], status: int = 303) -> str:
        token = csrf(self.app, self.guest.admission.visit_id)
        reply = self.client.post(
            path, data={**form, "csrf_token": token}, base_url="https://localhost"
        )
        assert reply.status_code == status, reply.text
        return _words(reply.text)

    def send_now(self, status: int = 303) -> str:
        page = BeautifulSoup(
            self.client.get("/reminders", base_url="https://localhost").text, "html.parser"
        )
        (seen,) = page.select("input[name=seen]")
        return self.post("/reminders/send", {"seen": str(seen["value"])}, status)


def _words(html: str) -> str:
    main = BeautifulSoup(html, "html.parser").main
    return " ".join(main.get_text(" ").split()) if main else ""


@pytest.fixture
def head(world: World) -> Head:
    return Head(world)


def test_from_switching_on_to_what_was_sent(head: Head, server: MailServer) -> None:
    head.world.somebody("Sam Ostler")
    head.world.somebody("Nomail Person", email="")
    head.world.somebody("Wait Ing", counted=False)
    said = head.get("/reminders")
    assert "Reminders are switched off" in said
    assert "1 e-mail would go out by today’s date" in said, "looked at before switching on"
    assert "Reminders" in head.get("/register")
    head.post("/reminders/settings", FORM)
    said = head.get("/reminders")
    assert "Reminders on" in said
    assert "New to do: 1 person" in said
    assert "Dear Sam Ostler," in said
    assert "From School office" in said
    assert ACTIVITY in said
    assert "No e-mail address is known: 1 Nomail Person" in said
    assert "Waiting to be confirmed, so not counted: 1 Wait Ing" in said
    head.send_now()
    said = head.get("/reminders")
    assert "Had an e-mail in the last seven days: 1" in said
    assert "5 October 2026, 10:00 by a manager: 1 waiting" in said
    head.world.run()
    assert server.recipients == ["sam@example.org"]
    said = head.get("/reminders")
    assert "by a manager: 1 sent" in said
    with head.database.reading() as session:
        batch = session.scalars(select(ReminderBatch)).one()
    said = head.get(f"/reminders/sent/{batch.id}")
    assert "Sam Ostler New to do Sent sam@example.org 5 October 2026, 10:00" in said
    head.get(f"/reminders/sent/{batch.id}?page=2", 404)
    head.get(f"/reminders/sent/{batch.id}?page=x", 400)
    head.get(f"/reminders/sent/{uuid4()}", 404)


def test_what_is_shown_is_what_is_sent(head: Head, server: MailServer) -> None:
    head.world.somebody("Sam Ostler")
    head.post("/reminders/settings", FORM)
    page = BeautifulSoup(
        head.client.get("/reminders", base_url="https://localhost").text, "html.parser"
    )
    (shown,) = page.select("pre.cw-mail")
    head.send_now()
    head.world.run()
    ((_, message),) = server.taken
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == shown.get_text()


def test_a_list_that_changed_is_shown_again(head: Head) -> None:
    head.world.somebody("Sam Ostler")
    head.post("/reminders/settings", FORM)
    said = head.post("/reminders/send", {"seen": "0" * 16}, 409)
    assert "Something changed since you looked" in said
    head.post("/reminders/send", {}, 400)


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (MONDAY.replace(hour=20), "quiet hours"),
        (MONDAY - timedelta(days=1), "weekend"),
        (
            MONDAY + timedelta(days=21),
            "school holiday. Nothing is sent before it ends. (Half term)",
        ),
    ],
)
def test_why_nothing_can_go(head: Head, clock: SetClock, moment: datetime, words: str) -> None:
    head.world.somebody("Sam Ostler")
    head.post("/reminders/settings", FORM)
    head.world.half_term()
    clock.now = moment
    head.guest = make_manager(head.database, arrive(head.database, "Other Head", now=moment))
    head.client = browser(head.app, head.guest)
    said = head.get("/reminders")
    assert words in said
    assert "Send 1 e-mail now" not in said
    assert "No e-mail can go out just now" in head.post("/reminders/send", {"seen": "x"}, 409)


def test_without_a_mail_server_the_page_says_so(head: Head) -> None:
    head.world.mail_through("")
    head.post("/reminders/settings", FORM)
    assert "has not told it which server takes its e-mail" in head.get("/reminders")
    head.post("/reminders/send", {"seen": "x"}, 409)


def test_failures_are_shown(head: Head, server: MailServer, clock: SetClock) -> None:
    for name in ("Ada First", "Bea Second"):
        head.world.somebody(name)
    head.post("/reminders/settings", FORM)
    server.to["ada@example.org"] = "550 No such user"
    server.to["bea@example.org"] = "450 Later"
    head.send_now()
    head.world.run()
    said = head.get("/reminders")
    assert "1 e-mail The mail server puts these off" in said
    assert "Its answer was number 450. Next try: 5 October 2026, 10:05" in said
    assert "Ada First ada@example.org 5 October 2026 The mail server refused it for good" in said
    head.world.mail_through("smtp+plain://127.0.0.1:9")
    clock.move(minutes=5)
    head.world.run()
    assert "The mail server does not answer, or broke off." in head.get("/reminders")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("activity_url", "", "Enter the address of the activity"),
        ("activity_url", "http://moodle.example.org/", "has to begin with https://"),
        ("activity_url", "javascript:alert(1)", "has to begin with https://"),
        ("activity_url", "https://", "has to begin with https://"),
        ("activity_url", "https://moodle.example.org:x/", "has to begin with https://"),
        ("activity_url", "https://training.example.org/", "leads to this tool"),
        ("activity_url", "https://TRAINING.example.org.:443/start", "leads to this tool"),
        ("activity_url", "https://training.example.org@evil.example/", "without a sign-in"),
        ("activity_url", "https://evil.example\\@moodle.example.org/", "without spaces"),
        ("activity_url", "https://moodle.example.org/\u00e4", "without spaces"),
        ("activity_url", "https://moodle.example.org/a b", "without spaces"),
        ("activity_url", "https://moodle.example.org/" + "a" * 500, "Longer than"),
        ("sender_name", "", "Enter who the e-mails come from"),
        ("sender_name", "Head <head@example.org>", "Enter a plain name"),
        ("sender_name", "A\r\nBcc: all@example.org", "Enter a plain name"),
        ("quiet_from", "24", "Choose one of the answers"),
        ("is_on", "perhaps", "Choose one of the answers"),
        ("digest_weekday", "5", "Choose one of the answers"),
    ],
)
def test_settings_that_do_not_do(head: Head, field: str, value: str, words: str) -> None:
    said = head.post("/reminders/settings", FORM | {field: value}, 400)
    assert "Not saved yet" in said
    assert words in said
    with head.database.reading() as session:
        assert session.get(ReminderSettings, HEMSWELL) is None


def test_off_needs_no_address(head: Head) -> None:
    form = FORM | {"is_on": "no", "activity_url": "", "sender_name": ""}
    head.post("/reminders/settings", form)
    assert "Reminders off" in head.get("/reminders")


def test_a_school_sees_its_own_sendings_alone(head: Head) -> None:
    head.world.somebody("Sam Ostler")
    head.post("/reminders/settings", FORM)
    head.send_now()
    with head.database.reading() as session:
        batch = session.scalars(select(ReminderBatch)).one()
    other = make_manager(head.database, arrive(head.database, "Other", GLENMERE, now=MONDAY))
    reply = browser(head.app, other).get(
        f"/reminders/sent/{batch.id}", base_url="https://localhost"
    )
    assert reply.status_code == 404


def test_mail_is_tried_by_command(world: World, server: MailServer) -> None:
    runner = world.app.test_cli_runner()
    done = runner.invoke(cli.mail_commands, ["test", "--to", "sam@example.org"])
    assert (done.exit_code, server.recipients) == (0, ["sam@example.org"]), done.output
    assert "took it" in done.output
    server.to["sam@example.org"] = "550 No"
    done = runner.invoke(cli.mail_commands, ["test", "--to", "sam@example.org"])
    assert done.exit_code == 1
    assert "refuses mail to this address (550)" in done.output
    done = runner.invoke(cli.mail_commands, ["test", "--to", "sam"])
    assert "one plain e-mail address" in done.output
    world.mail_through(server.url.replace("smtp+plain", "smtp"))
    done = runner.invoke(cli.mail_commands, ["test", "--to", "sam@example.org"])
    assert "no safe connection" in done.output
    world.mail_through("")
    done = runner.invoke(cli.mail_commands, ["test", "--to", "sam@example.org"])
    assert "CLAUSEWAY_SMTP_URL" in done.output
