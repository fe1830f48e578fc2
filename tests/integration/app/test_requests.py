"""What the roof does with every request: health, transactions, faults, logs."""

import json
import logging
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask, Response, g
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from lti_tool.app import CSRF_MARK, REQUEST_MARK, create_app
from lti_tool.config import Config
from lti_tool.core import logs
from lti_tool.core.database import Database
from lti_tool.people import access
from tests.conftest import SetClock
from tests.factories.keys import give_key
from tests.factories.registers import CATALOGUE, ORIGIN, arrive, browser, csrf, running

PLAINLY = b"ok, over plain http\n"


@pytest.fixture
def app(database: Database, tmp_path: Path, clock: SetClock) -> Iterator[Flask]:
    with running(tmp_path, database, clock) as app:
        app.testing = False
        yield app


def view(app: Flask, path: str, act: Callable[[], str]) -> None:
    app.add_url_rule(path, path, access.public(writes=True, csrf=False)(act))


def test_health(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/healthz", base_url=ORIGIN).data == b"ok\n"
    assert client.get("/readyz").data == b"ready\n"


@pytest.mark.parametrize(
    ("proxies", "says", "expected"),
    [
        (0, {}, PLAINLY),
        (0, {"X-Forwarded-Proto": "https"}, PLAINLY),  # whoever says so is not counted on
        (1, {"X-Forwarded-Proto": "https"}, b"ok\n"),
        (1, {}, PLAINLY),
    ],
)
def test_health_says_whether_we_know_that_we_are_reached_over_https(
    sqlite_url: str, tmp_path: Path, proxies: int, says: dict[str, str], expected: bytes
) -> None:
    """Who does not know does not know either who calls, which the doctor looks for."""
    config = Config(instance=tmp_path, url=ORIGIN, database_url=sqlite_url, proxies=proxies)
    give_key(tmp_path)
    app = create_app(config, catalogue=CATALOGUE)
    assert app.test_client().get("/healthz", headers=says).data == expected
    app.extensions["queue"].storage.close()
    app.extensions["database"].engine.dispose()


def test_not_ready_before_the_database_is_migrated(
    app: Flask, database: Database, tmp_path: Path
) -> None:
    with database.transaction() as session:
        session.execute(text("DELETE FROM alembic_version"))
    assert app.test_client().get("/readyz").status_code == 503
    app.extensions["database"] = Database(f"sqlite:///{tmp_path}/no/such/folder.sqlite3")
    assert app.test_client().get("/readyz").status_code == 503
    assert app.test_client().get("/healthz").status_code == 200


def test_a_fault_rolls_back_and_says_so(app: Flask, database: Database) -> None:
    def fails() -> str:
        g.session.execute(text("DELETE FROM alembic_version"))
        raise KeyError("secret-in-the-message")

    view(app, "/fails", fails)
    reply = app.test_client().get("/fails")
    assert reply.status_code == 500
    assert "Sorry, something went wrong" in reply.text
    assert "secret-in-the-message" not in reply.text
    with database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM alembic_version")) == 1


def test_a_database_that_is_gone_is_an_honest_503(app: Flask) -> None:
    def gone() -> str:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    view(app, "/gone", gone)
    reply = app.test_client().get("/gone")
    assert reply.status_code == 503
    assert "not available for a moment" in reply.text


def test_a_commit_that_fails_is_no_success(
    app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = arrive(database, "A Learner", is_bound=False)

    def no_commit(_session: object) -> None:
        raise OperationalError("COMMIT", {}, Exception("disk full"))

    monkeypatch.setattr("sqlalchemy.orm.Session.commit", no_commit)
    form = {"answer": "yes", "csrf_token": csrf(app, guest.admission.visit_id)}
    reply = browser(app, guest).post("/confirm", data=form, base_url="https://localhost")
    assert reply.status_code == 503


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("status", [200, 404])
def test_a_database_that_goes_once_all_is_read_spoils_no_page(
    app: Flask, database: Database, status: int
) -> None:
    """Only to end the transaction is left, on which nothing depends."""

    def read() -> Response:
        one = g.session.scalar(text("SELECT pg_backend_pid()"))
        with database.reading() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": one})
        return Response("a whole page", status)

    app.add_url_rule("/read", "/read", access.public(csrf=False)(read))
    reply = app.test_client().get("/read")
    assert (reply.status_code, reply.text) == (status, "a whole page")


def test_refusals_may_be_framed_and_pages_only_by_the_platform(
    app: Flask, database: Database
) -> None:
    guest = arrive(database, "A Learner")
    page = browser(app, guest).get("/ask-to-manage", base_url="https://localhost")
    assert "frame-ancestors https://moodle.example.org" in page.headers["Content-Security-Policy"]
    refused = app.test_client().get("/training")
    assert "frame-ancestors *" in refused.headers["Content-Security-Policy"]
    assert "<form" not in refused.text


def test_a_refusal_leads_back_to_where_a_visit_goes_on(app: Flask, database: Database) -> None:
    guest = arrive(database, "A Learner")
    refused = browser(app, guest).get("/register", base_url="https://localhost")
    assert refused.status_code == 403
    assert '<a class="govuk-link" href="/">' in refused.text
    stranger = app.test_client().get("/register")
    assert 'href="/">' not in stranger.text


def test_a_page_carries_its_reference_and_no_marks(app: Flask, database: Database) -> None:
    """The marks that stand for a visit's secrets while a page is drawn never leave."""
    guest = arrive(database, "A Learner", is_bound=False)
    page = browser(app, guest).get("/confirm", base_url="https://localhost")
    assert page.status_code == 200
    for mark in (CSRF_MARK, REQUEST_MARK):
        assert mark not in page.data
    assert csrf(app, guest.admission.visit_id) in page.text


def test_logs_are_json_with_the_request_and_without_secrets(
    app: Flask, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up(app.extensions["config"])
    guest = arrive(database, "Marnie Oakhurst", email="marnie@example.org")
    browser(app, guest).get("/ask-to-manage?code=letmein", base_url="https://localhost")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    said = [line for line in lines if line["message"] == "request"]
    assert said[0]["endpoint"] == "people.manage_ask"
    assert len(said[0]["request_id"]) == 12
    everything = json.dumps(lines)
    for secret in ("Marnie", "example.org", "letmein", guest.admission.token):
        assert secret not in everything
    logging.getLogger("lti_tool").handlers.clear()


def test_the_secret_is_made_once_and_for_its_owner_alone(app: Flask) -> None:
    secret = app.extensions["config"].instance / "secret.key"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert len(secret.read_bytes()) == 32
