"""From a launch to the first page, with and without the cookie, and never as somebody else."""

import re
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lti_tool.core.database import Database
from lti_tool.people import access
from lti_tool.people.models import Visit
from tests.conftest import SetClock
from tests.factories.registers import FRAME, arrive, browser, csrf, make_manager


def path_of(response: object) -> str:
    return getattr(response, "location", "") or ""


def cookie_of(client: FlaskClient) -> str:
    cookie = client.get_cookie(access.COOKIE)
    return cookie.value if cookie else ""


def visit_of(database: Database, guest: object) -> Visit:
    with database.reading() as session:
        visit_id = guest.admission.visit_id  # type: ignore[attr-defined]
        return session.scalars(select(Visit).where(Visit.id == visit_id)).one()


def test_with_its_cookie_the_code_is_burnt_and_leaves_the_address(
    app: Flask, database: Database
) -> None:
    guest = arrive(database, "Amara Osei")
    client = browser(app, guest)
    response = client.get(f"/start?code={guest.admission.code}")
    assert (response.status_code, path_of(response)) == (303, "/")
    assert visit_of(database, guest).code_used_at is not None


def test_a_reload_with_the_cookie_goes_on(app: Flask, database: Database) -> None:
    guest = arrive(database, "Amara Osei")
    client = browser(app, guest)
    client.get(f"/start?code={guest.admission.code}")
    assert client.get(f"/start?code={guest.admission.code}").status_code == 303


def test_a_manager_lands_on_the_register(app: Flask, database: Database) -> None:
    guest = make_manager(database, arrive(database, "Head Teacher"))
    response = browser(app, guest).get(f"/start?code={guest.admission.code}")
    assert path_of(response) == "/register"


def test_without_a_cookie_nothing_is_burnt_and_a_new_window_is_offered(
    app: Flask, database: Database
) -> None:
    guest = arrive(database, "Amara Osei")
    response = browser(app).get(f"/start?code={guest.admission.code}")
    assert response.status_code == 200
    assert 'target="_blank"' in response.text
    assert guest.admission.code in response.text
    assert "Amara" not in response.text
    assert f"frame-ancestors {FRAME}" in response.headers["Content-Security-Policy"]
    assert visit_of(database, guest).code_used_at is None


def test_the_new_window_asks_who_it_is_and_saves_nothing_before(
    app: Flask, database: Database
) -> None:
    guest = arrive(database, "Amara Osei")
    window = browser(app)
    response = window.post("/start", data={"code": guest.admission.code})
    assert (response.status_code, path_of(response)) == (303, "/confirm")
    assert "Partitioned" in response.headers["Set-Cookie"]
    assert cookie_of(window) not in {"", guest.admission.token}
    page = window.get("/confirm")
    assert "Amara Osei" in page.text
    assert "Hemswell Cliff Primary School" in page.text
    assert window.get("/ask-to-manage").status_code == 403
    token = csrf(app, guest.admission.visit_id)
    response = window.post("/confirm", data={"answer": "yes", "csrf_token": token})
    assert (response.status_code, path_of(response)) == (303, "/")
    assert visit_of(database, guest).confirmed_at is not None


def test_only_the_new_window_goes_on(app: Flask, database: Database) -> None:
    guest = arrive(database, "Amara Osei")
    frame = browser(app, guest)
    browser(app).post("/start", data={"code": guest.admission.code})
    assert frame.get("/ask-to-manage").status_code == 401


def test_the_button_works_once(app: Flask, database: Database) -> None:
    guest = arrive(database, "Amara Osei")
    window = browser(app)
    window.post("/start", data={"code": guest.admission.code})
    assert window.post("/start", data={"code": guest.admission.code}).status_code == 303
    other = browser(app).post("/start", data={"code": guest.admission.code})
    assert other.status_code == 410
    assert "opened already" in other.text


def test_another_persons_cookie_neither_burns_nor_enters(app: Flask, database: Database) -> None:
    first = arrive(database, "Amara Osei")
    second = arrive(database, "Bethan Pugh")
    client = browser(app, first)
    response = client.get(f"/start?code={second.admission.code}")
    assert response.status_code == 200
    assert "another visit" in response.text
    assert "Amara" not in response.text
    assert "Bethan" not in response.text
    assert visit_of(database, second).code_used_at is None
    assert cookie_of(client) == first.admission.token


def test_carrying_over_another_visit_replaces_the_cookie_and_asks(
    app: Flask, database: Database
) -> None:
    """Somebody else's code, handed over, must not let one declare in their name unawares."""
    first = arrive(database, "Amara Osei")
    second = arrive(database, "Bethan Pugh")
    client = browser(app, first)
    client.post("/start", data={"code": second.admission.code})
    assert "Bethan Pugh" in client.get("/confirm").text
    stale = client.post(
        "/confirm", data={"answer": "yes", "csrf_token": csrf(app, first.admission.visit_id)}
    )
    assert stale.status_code == 400
    assert visit_of(database, second).confirmed_at is None


def test_not_me_ends_the_visit_and_says_what_to_do(app: Flask, database: Database) -> None:
    guest = arrive(database, "Amara Osei", is_bound=False)
    client = browser(app, guest)
    client.get(f"/start?code={guest.admission.code}")
    token = csrf(app, guest.admission.visit_id)
    response = client.post("/confirm", data={"answer": "no", "csrf_token": token})
    assert response.status_code == 200
    assert "Sign out of Moodle" in response.text
    assert "Amara" not in response.text
    assert cookie_of(client) == ""
    visit = visit_of(database, guest)
    assert visit.ended_at is not None
    assert visit.confirmed_at is None


def test_an_unbound_launch_is_asked_even_with_its_cookie(app: Flask, database: Database) -> None:
    guest = arrive(database, "", is_bound=False)
    client = browser(app, guest)
    response = client.get(f"/start?code={guest.admission.code}")
    assert path_of(response) == "/confirm"
    text = client.get("/confirm").text
    assert guest.person_id.hex[-8:].upper() in text


def test_a_confirmed_visit_is_not_asked_again(app: Flask, database: Database) -> None:
    assert path_of(browser(app, arrive(database, "Amara Osei")).get("/confirm")) == "/"


@pytest.mark.parametrize(("asks", "path"), [(True, "/ask-to-manage"), (False, "/")])
def test_an_activity_for_managers_leads_others_to_what_they_may_see(
    app: Flask, database: Database, asks: bool, path: str
) -> None:
    guest = arrive(database, "Amara Osei", module="", may_ask_to_manage=asks, is_bound=False)
    response = browser(app, guest).post(
        "/confirm", data={"answer": "yes", "csrf_token": csrf(app, guest.admission.visit_id)}
    )
    assert path_of(response) == path


@pytest.mark.parametrize("answer", ["", "maybe"])
def test_another_answer_is_refused(app: Flask, database: Database, answer: str) -> None:
    guest = arrive(database, "Amara Osei", is_bound=False)
    response = browser(app, guest).post(
        "/confirm", data={"answer": answer, "csrf_token": csrf(app, guest.admission.visit_id)}
    )
    assert response.status_code == 400
    assert visit_of(database, guest).confirmed_at is None


@pytest.mark.parametrize("method", ["get", "post"])
def test_codes_that_lead_nowhere_say_what_to_do(
    app: Flask, database: Database, clock: SetClock, method: str
) -> None:
    guest = arrive(database, "Amara Osei")

    def ask(code: str) -> object:
        client = browser(app)
        if method == "get":
            return client.get(f"/start?code={code}")
        return client.post("/start", data={"code": code})

    for code in ("", "unknown"):
        unknown = ask(code)
        assert unknown.status_code == 404  # type: ignore[attr-defined]
    clock.now += timedelta(minutes=5)
    late = ask(guest.admission.code)
    assert late.status_code == 410  # type: ignore[attr-defined]
    assert "open the activity again" in late.text  # type: ignore[attr-defined]
    assert "frame-ancestors *" in late.headers["Content-Security-Policy"]  # type: ignore[attr-defined]


def test_finish_leaves_nothing_behind(app: Flask, database: Database) -> None:
    guest = arrive(database, "Amara Osei")
    client = browser(app, guest)
    token = csrf(app, guest.admission.visit_id)
    response = client.post("/finish", data={"csrf_token": token})
    assert response.status_code == 200
    assert "close this window" in response.text
    assert "Amara" not in response.text
    assert "no-store" in response.headers["Cache-Control"]
    assert f"frame-ancestors {FRAME}" in response.headers["Content-Security-Policy"]
    assert cookie_of(client) == ""
    again = browser(app, guest)
    assert again.get("/ask-to-manage").status_code == 401


def test_finish_needs_the_visits_own_form(app: Flask, database: Database) -> None:
    guest = arrive(database, "Amara Osei")
    assert browser(app, guest).post("/finish").status_code == 400
    assert visit_of(database, guest).ended_at is None


def test_no_page_names_somebody_in_its_address(app: Flask, database: Database) -> None:
    guest = arrive(database, "Amara Osei")
    page = browser(app).get(f"/start?code={guest.admission.code}").text
    assert not re.search(r'(href|action)="[^"]*(Amara|code=)', page)


def test_of_two_windows_that_post_one_code_at_once_one_is_let_in(
    app: Flask, database: Database
) -> None:
    guest = arrive(database, "Amara Osei")
    start = threading.Barrier(2)
    answers: list[int] = []

    def post() -> None:
        client = browser(app)
        start.wait()
        answers.append(client.post("/start", data={"code": guest.admission.code}).status_code)

    threads = [threading.Thread(target=post) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answers) == [303, 410]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"module": "annual-refresh"}, 400),
        ({"subject": "another"}, 400),
        ({"school_id": "glenmere"}, 400),
        ({"school_id": "", "place_id": UUID(int=2)}, 400),
    ],
)
def test_a_page_of_the_first_tab_can_be_sent_after_the_same_launch_in_a_second(
    app: Flask, database: Database, changes: dict[str, Any], status: int
) -> None:
    """The later visit's cookie takes the place of the first's; only the same person's for the
    same training takes over what stands in the first tab."""
    first = arrive(database, "Amara Osei", subject="amara")
    second = arrive(database, "Amara Osei", **({"subject": "amara"} | changes))
    token = csrf(app, first.admission.visit_id)
    reply = browser(app, second).post("/finish", data={"csrf_token": token})
    assert reply.status_code == status


def test_what_is_set_up_in_one_tab_is_not_what_another_shows(
    app: Flask, database: Database
) -> None:
    first, second = (
        arrive(database, "Amara Osei", "", subject="amara", place_id=UUID(int=place))
        for place in (1, 2)
    )
    token = csrf(app, first.admission.visit_id)
    reply = browser(app, second).post("/finish", data={"csrf_token": token})
    assert reply.status_code == 400


def test_nobody_answers_is_that_you_for_another_browser(app: Flask, database: Database) -> None:
    """Who has a launch of theirs posted by another's browser knows the forms of their own visits,
    not of that one."""
    own = arrive(database, "Amara Osei", subject="amara")
    known = {csrf(app, own.admission.visit_id)}
    unbound = arrive(database, "Amara Osei", subject="amara", is_bound=False)
    known.add(csrf(app, unbound.admission.visit_id))
    planted = arrive(database, "Amara Osei", subject="amara", is_bound=False)
    client = browser(app, planted)
    for token in known:
        reply = client.post("/confirm", data={"csrf_token": token, "answer": "yes"})
        assert reply.status_code == 400
    assert visit_of(database, planted).confirmed_at is None
