"""The register and one person's record: what a manager sees, and of whom."""

from datetime import date
from uuid import UUID, uuid4

import pytest
from flask import Flask

from lti_tool.core.database import Database
from lti_tool.core.ids import new_id
from lti_tool.people import memberships, staff_lists
from tests.factories.registers import (
    GLENMERE,
    NOW,
    Guest,
    arrive,
    browser,
    complete,
    counting,
    csrf,
    make_manager,
    owe,
    place,
    start_training,
)


@pytest.fixture
def head(database: Database) -> Guest:
    return make_manager(database, arrive(database, "Hedda Head", counted=True))


def shown(app: Flask, guest: Guest, query: str = "") -> str:
    response = browser(app, guest).get(f"/register{query}")
    assert response.status_code == 200, response.text
    return response.text


def test_states_scores_and_dates_of_the_schools_own_people(
    app: Flask, database: Database, head: Guest
) -> None:
    complete(database, arrive(database, "Amara Osei", counted=True), score=90)
    start_training(database, arrive(database, "Bethan Pugh", counted=True))
    owe(database, head, module="induction", due_on=date(2026, 12, 1))
    text = shown(app, head)
    assert "1 of 3 done" in text
    assert "1 December 2026" in text
    for word in ("Amara Osei", "90%", "23 November 2026", "2022-03", "Bethan Pugh", "In progress"):
        assert word in text
    assert text.index("Amara Osei") < text.index("Bethan Pugh") < text.index("Hedda Head")
    assert 'href="/"' in text


def test_another_schools_people_are_in_no_page(app: Flask, database: Database, head: Guest) -> None:
    other = arrive(database, "Other Person", GLENMERE, counted=True)
    complete(database, other)
    own = browser(app, head)
    for query in ("", "?q=Other", "?people=counted", "?state=done"):
        assert "Other Person" not in shown(app, head, query).replace('value="Other', "")
        assert "Other Person" not in own.get(f"/register.csv{query}", buffered=True).text
    assert own.get(f"/register/{other.membership_id}").status_code == 404
    assert own.get(f"/register?school={GLENMERE}").status_code == 400
    assert own.get(f"/register.csv?school_id={GLENMERE}").status_code == 400


def test_a_grant_at_one_school_opens_no_other(app: Flask, database: Database) -> None:
    """The same person, manager at one school, comes by a launch of another."""
    subject = uuid4().hex
    make_manager(database, arrive(database, "Hedda Head", subject=subject))
    elsewhere = arrive(database, "Hedda Head", GLENMERE, subject=subject)
    client = browser(app, elsewhere)
    assert client.get("/register").status_code == 403
    assert client.get("/register.csv").status_code == 403
    assert client.get(f"/register/{elsewhere.membership_id}").status_code == 403


def test_a_grant_taken_back_closes_the_register_at_once(
    app: Flask, database: Database, head: Guest
) -> None:
    client = browser(app, head)
    assert client.get("/register").status_code == 200
    with database.transaction() as session:
        memberships.revoke(
            session,
            person_id=head.person_id,
            school_id=head.school_id,
            now=NOW,
        )
    assert client.get("/register").status_code == 403


def test_somebody_whose_name_was_withheld_is_shown_by_reference(
    app: Flask, database: Database, head: Guest
) -> None:
    guest = arrive(database, "", counted=True)
    complete(database, guest)
    reference = guest.person_id.hex[-8:].upper()
    assert reference in shown(app, head)
    assert "Printed Name" not in shown(app, head)
    assert reference in shown(app, head, f"?q={reference}")
    assert reference in shown(app, head, f"?q={reference.lower()}")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=osei", {"Amara"}),
        ("?q=%25", set()),
        ("?q=_", set()),
        ("?state=done", {"Amara"}),
        ("?state=in-progress", {"Bethan"}),
        ("?state=overdue", {"Hedda"}),
        ("?state=not-due", {"Colin", "Dylan"}),
        ("?role_group=governor", {"Bethan"}),
        ("?module=annual-refresh&state=done", {"Colin"}),
        ("?cycle=2025-26&state=done", {"Bethan"}),
        ("?people=counted", {"Amara", "Bethan", "Colin", "Hedda"}),
        ("?people=waiting", {"Dylan"}),
    ],
)
def test_filters(app: Flask, database: Database, head: Guest, query: str, found: set[str]) -> None:
    complete(database, arrive(database, "Amara Osei", counted=True))
    bethan = arrive(database, "Bethan Pugh", counted=True)
    place(database, bethan, role_group="governor")
    start_training(database, bethan)
    complete(database, bethan, cycle="2025-26")
    complete(database, arrive(database, "Colin Marsh", counted=True), module="annual-refresh")
    arrive(database, "Dylan Waits")
    owe(database, head, module="induction")
    everybody = ("Amara", "Bethan", "Colin", "Dylan", "Hedda")
    page = shown(app, head, query)
    assert {name for name in everybody if name in page} == found
    file = browser(app, head).get(f"/register.csv{query}", buffered=True).text
    assert {name for name in everybody if name in file} == found


def test_sites_of_a_federation_can_be_told_apart(app: Flask, database: Database) -> None:
    head = make_manager(database, arrive(database, "Hedda Head", GLENMERE, counted=True))
    for site in ("North", "South"):
        guest = arrive(database, f"{site} Person", GLENMERE, counted=True)
        place(database, guest, role_group="support", site=site)
    text = shown(app, head, "?site=North")
    assert "North Person" in text
    assert "South Person" not in text


def test_pages_hold_fifty_and_keep_the_filters(app: Flask, database: Database, head: Guest) -> None:
    for number in range(55):
        arrive(database, f"Person {number:02}", counted=True)
    first, second = shown(app, head, "?q=Person"), shown(app, head, "?q=Person&page=2")
    assert "Person 49" in first
    assert "Person 50" not in first
    assert "55 people found" in first
    assert "page=2" in first
    assert "q=Person" in first
    assert "Person 50" in second
    assert browser(app, head).get("/register?page=3").status_code == 404


def test_a_page_of_fifty_takes_at_most_seven_queries(
    app: Flask, database: Database, head: Guest
) -> None:
    for number in range(50):
        complete(database, arrive(database, f"Person {number:02}", counted=True))
    client = browser(app, head)
    with counting(database) as statements:
        assert client.get("/register").status_code == 200
    assert len(statements) <= 7, statements


def test_unconfirmed_people_stand_apart_and_are_confirmed_in_bulk(
    app: Flask, database: Database, head: Guest
) -> None:
    waiting = [arrive(database, f"Waiting {number}") for number in range(3)]
    complete(database, waiting[0])
    other = arrive(database, "Other Person", GLENMERE)
    owe(database, head, module="induction")
    assert "0 of 1 done" in shown(app, head)
    client = browser(app, head)
    ids = [str(guest.membership_id) for guest in (*waiting[:2], other)]
    form = {"person": ids, "csrf_token": csrf(app, head.admission.visit_id)}
    response = client.post("/register/confirm", data=form)
    assert (response.status_code, response.location) == (303, "/register?confirmed=2")
    text = client.get(response.location).text
    assert "2 people are now counted" in text
    assert "1 of 2 done" in text
    with database.reading() as session:
        member = memberships.membership(session, school_id=GLENMERE, person_id=other.person_id)
        assert member is not None
        assert member.confirmed_at is None


def test_who_has_left_is_shown_apart_and_can_be_counted_again(
    app: Flask, database: Database, head: Guest
) -> None:
    gone = arrive(database, "Gone Away", counted=True)
    complete(database, gone, score=90)
    arrive(database, "Still Here", counted=True)
    with database.transaction() as session:
        staff_lists.leave(
            session, [gone.person_id], school_id=gone.school_id, list_id=new_id(), now=NOW
        )
    owe(database, head, module="induction")
    text = shown(app, head)
    assert "0 of 1 done" in text
    assert "Not in the course since 23 November 2026" in text
    assert text.index("Still Here") < text.index("Gone Away")
    assert "Gone Away" in shown(app, head, "?people=left")
    assert "Still Here" not in shown(app, head, "?people=left")
    assert "Gone Away" not in shown(app, head, "?people=counted")
    assert "Gone Away" not in shown(app, head, "?people=waiting")
    client = browser(app, head)
    record = client.get(f"/register/{gone.membership_id}").text
    assert "Not active on a staff list since" in record
    line = next(
        line
        for line in client.get("/register.csv", buffered=True).text.splitlines()
        if "Gone Away" in line
    )
    assert '"No","2026-11-23"' in line
    form = {"person": [str(gone.membership_id)], "csrf_token": csrf(app, head.admission.visit_id)}
    assert client.post("/register/confirm", data=form).status_code == 303
    text = shown(app, head)
    assert "1 of 2 done" in text
    assert "Not in the course" not in text


def test_a_bad_confirmation_changes_nothing(app: Flask, database: Database, head: Guest) -> None:
    form = {"person": "not-a-number", "csrf_token": csrf(app, head.admission.visit_id)}
    assert browser(app, head).post("/register/confirm", data=form).status_code == 400


def test_confirming_nobody_comes_back_to_the_register(
    app: Flask, database: Database, head: Guest
) -> None:
    arrive(database, "Waiting Person")
    client = browser(app, head)
    reply = client.post(
        "/register/confirm",
        data={"csrf_token": csrf(app, head.admission.visit_id)},
        follow_redirects=True,
    )
    assert reply.status_code == 200
    assert "Nobody was ticked" in reply.text
    assert "Waiting Person" in reply.text


def test_confirming_needs_the_visits_own_form_and_a_grant(
    app: Flask, database: Database, head: Guest
) -> None:
    guest = arrive(database, "Waiting Person")
    form = {"person": str(guest.membership_id)}
    assert browser(app, head).post("/register/confirm", data=form).status_code == 400
    form["csrf_token"] = csrf(app, guest.admission.visit_id)
    assert browser(app, guest).post("/register/confirm", data=form).status_code == 403


def test_a_record_shows_dates_and_its_place_in_the_ledger_but_no_answers(
    app: Flask, database: Database, head: Guest
) -> None:
    guest = arrive(database, "Amara Osei", counted=True)
    record_id: UUID = complete(database, guest, score=90)
    start_training(database, guest, module="annual-refresh")
    text = browser(app, head).get(f"/register/{guest.membership_id}").text
    for word in ("Amara Osei", "23 November 2026, 09:00", "90%", str(record_id), "In progress"):
        assert word in text
    assert "60 %" not in text  # the first-time score is the person's own


def test_the_record_of_somebody_who_has_not_started(
    app: Flask, database: Database, head: Guest
) -> None:
    guest = arrive(database, "Amara Osei", counted=True)
    text = browser(app, head).get(f"/register/{guest.membership_id}").text
    assert "No training has been started yet" in text


def test_a_bad_filter_is_a_clear_page(app: Flask, database: Database, head: Guest) -> None:
    response = browser(app, head).get("/register?state=not-started")
    assert response.status_code == 400
    assert "state" in response.text


@pytest.mark.parametrize("page", ["/register", "/register.csv"])
def test_a_search_for_what_no_name_holds_finds_nobody(
    app: Flask, database: Database, head: Guest, page: str
) -> None:
    """PostgreSQL keeps no null characters and takes none in a question either."""
    response = browser(app, head).get(f"{page}?q=He%00dda")
    assert response.status_code in (200, 400), response.text
    assert "Hedda" not in response.text
