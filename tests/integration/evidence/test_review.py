"""The review of a policy: of whom it is told, what is decided, and what it never says."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from lti_tool.core.database import Database
from lti_tool.core.ids import new_id
from lti_tool.core.ledger import LedgerEntry
from lti_tool.evidence.review import agenda as agendas
from lti_tool.evidence.review.agenda import SILENT, UNCLEAR, Agenda
from lti_tool.evidence.review.models import ReviewDecision
from lti_tool.people.models import Membership, Person
from lti_tool.training.models import Question, Round
from tests.conftest import SetClock
from tests.factories.little_school import little_school
from tests.factories.packs import files, made, open_cycle
from tests.factories.papers import text_of
from tests.factories.registers import (
    NOW,
    Guest,
    arrive,
    begin,
    browser,
    csrf,
    make_manager,
    place,
    running,
)

SCHOOL, NUMBER = "little-school", "2026-03"
CATALOGUE = replace(little_school(), role_groups=("support", "teaching"))
RIGHT, WRONG = ("b", "right"), ("a", "breaks")
ADDRESS = f"/policy/review/{NUMBER}"


@pytest.fixture
def app(database: Database, tmp_path: Path, clock: SetClock) -> Iterator[Flask]:
    with running(tmp_path, database, clock, CATALOGUE) as app:
        yield app


@pytest.fixture
def head(database: Database) -> Guest:
    return make_manager(database, arrive(database, "Hedda Head", SCHOOL, counted=True))


def answer(database: Database, guest: Guest, *said: str, at: int = 0, **given: str) -> None:
    """Somebody sits down once: each word is a scenario with ``+``, ``-`` or ``!`` (sure, but
    mistaken) behind it, or without where nothing is scored."""
    with database.transaction() as session:
        journey = begin(session, guest, **{"number": NUMBER} | given)
        sitting = Round(
            id=new_id(), school_id=SCHOOL, journey_id=journey.id, number=1, started_at=NOW
        )
        session.add(sitting)
        session.flush()
        for position, one in enumerate(said, 1):
            scenario = CATALOGUE.scenarios[one.rstrip("+-!")]
            choice, verdict = RIGHT if one.endswith("+") else WRONG
            state = scenario.id.rpartition("-")[2] if one[-1] not in "+-!" else "settled"
            session.add(
                Question(
                    id=new_id(),
                    school_id=SCHOOL,
                    journey_id=journey.id,
                    round_id=sitting.id,
                    position=position,
                    topic=scenario.topic,
                    scenario=scenario.id,
                    scenario_sha256=scenario.sha256,
                    option_order=["a", "b", "c"],
                    state=state,
                    is_first_asking=True,
                    choice=choice,
                    sureness="sure" if one.endswith("!") else "",
                    verdict=verdict,
                    answered_at=NOW + timedelta(minutes=at, seconds=position),
                )
            )


def people(database: Database, number: int) -> list[Guest]:
    return [
        place(
            database, arrive(database, f"Person {one}", SCHOOL, counted=True), role_group="teaching"
        )
        for one in range(number)
    ]


def look(database: Database, number: str = NUMBER) -> Agenda:
    school = CATALOGUE.schools[SCHOOL]
    version = school.version(number)
    assert version is not None
    with database.reading() as session:
        return agendas.agenda(session, school=school, version=version, catalogue=CATALOGUE, now=NOW)


def test_people_count_once_by_their_first_answer_and_only_the_schools_own(
    database: Database,
) -> None:
    staff = people(database, 11)
    for at, guest in enumerate(staff[:9]):
        answer(database, guest, "topic-00-x-" if at < 2 else "topic-00-x+", at=at)
    assert look(database).topics == ()  # nine
    answer(database, staff[0], "topic-00-x+", at=20, module="annual-refresh")  # a later year's
    answer(database, arrive(database, "A Pupil", SCHOOL), "topic-00-x+", at=21)
    answer(database, staff[9], "topic-00-x+", at=22, number="2024-01")  # another version
    answer(database, staff[10], "topic-00-x+", at=23)
    with database.transaction() as session:  # who is one with somebody is nobody new
        session.get_one(Person, staff[10].person_id).one_with = staff[1].person_id
    assert look(database).topics == ()
    answer(database, staff[9], "topic-00-y-", at=24, module="annual-refresh")
    (told,) = look(database).topics
    assert (told.name, told.figure.people, told.figure.right) == ("Topic 0", 10, 7)
    (clause,) = look(database).clauses
    assert (clause.name, clause.figure) == ("Line 0", told.figure)


def test_nobody_who_answers_next_can_be_read_off_the_figures(database: Database) -> None:
    staff = people(database, 14)
    for at, guest in enumerate(staff[:10]):
        answer(database, guest, "topic-00-x+", "topic-01-x+", at=at)
    before = look(database)
    for at, guest in enumerate(staff[10:], 10):
        answer(database, guest, "topic-00-x!", "topic-01-x-", "topic-02-x-", at=at)
        assert look(database) == before


def test_a_wording_is_doubted_with_its_clause_and_a_silence_is_told(database: Database) -> None:
    for at, guest in enumerate(people(database, 12)):
        said = ["topic-03-x+" if at < 4 else "topic-03-x!", "topic-02-x+"]
        answer(database, guest, *said, *(["topic-10-silent"] if at < 3 else []), at=at)
    found = {one.kind: one for one in look(database).points}
    unclear = found[UNCLEAR]
    assert unclear.topics == ("topic-03",)
    assert [one.id for one in unclear.clauses] == ["c3"]
    assert "4 of 10 people were right" in unclear.text
    assert "Do it" in unclear.text
    silence = found[SILENT]
    assert "Fewer than ten people" in silence.text
    assert silence.cases == ("Story topic-10-silent for the Headteacher.",)
    assert {"review-missing", "conflict"} <= set(found)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_agenda_goes_into_a_pack_with_what_people_really_answered(
    app: Flask, database: Database, head: Guest
) -> None:
    open_cycle(database, SCHOOL)
    for at, guest in enumerate(people(database, 30)):
        said = ["topic-03-x+", "topic-02-x+"] if at < 12 else ["topic-03-x!", "topic-02-x-"]
        answer(database, guest, *said, *(["topic-10-silent"] if at < 3 else []), at=at)
    page = " ".join(browser(app, head).get(ADDRESS, base_url="https://localhost").text.split())
    assert page.count('data-label="Fits the rest">1.00') + page.count(">1.00<") >= 2
    paper = text_of(files(made(app, head, audience="governors"))["report.pdf"])
    undecided = look(database).undecided
    assert f"{undecided} points in the policy need a decision, listed in this paper" in paper
    for words in (
        "The wording may be unclear On “Topic 3”, 12 of 30 people were right at first.",
        "It was: “Do it” “Nobody does topic-03.” Line 3",
        "People met a case that the policy leaves open On “Topic 10”. Fewer than ten people",
        "Story topic-10-silent for the Headteacher.",
        "Not decided yet",
        # Wilson for 12 of 30: 24.6 to 57.7. Who is right on one is right on the other.
        "Topic 3 30 40% 24 to 58% 18 1.00",
        "Line 3 30 40% 24 to 58% 18 1.00",
        "“Fits the rest” says, from thirty people on,",
    ):
        assert words in paper
    assert "Person" not in paper.replace("Personal", "")


def test_a_decision_is_kept_recorded_and_can_be_made_anew(
    app: Flask, database: Database, head: Guest
) -> None:
    client, token = browser(app, head), csrf(app, head.admission.visit_id)
    point = look(database).points[0]
    page = client.get("/policy/review", base_url="https://localhost")
    assert page.status_code == 200
    assert "Not decided yet" in page.text

    def send(**given: str) -> tuple[int, str]:
        data = {"csrf_token": token, "point": point.key} | given
        reply = client.post(ADDRESS, data=data, base_url="https://localhost")
        return reply.status_code, reply.text

    for given, words in (
        ({}, "Choose what is to become of this point"),
        ({"decision": "mend", "mend_in": "soon"}, "Write the number of a version after 2026-03"),
        ({"decision": "mend", "mend_in": NUMBER}, "Write the number of a version after 2026-03"),
    ):
        status, text = send(**given)
        assert (status, words in text) == (400, True), given
    assert send(point="0" * 32, decision="noted")[0] == 409
    assert send(point="x", decision="noted")[0] == 400
    assert look(database).points[0].decision is None

    assert send(decision="noted")[0] == 303
    assert send(decision="accepted")[0] == 303
    assert (
        "Accepted as it is (23 November 2026)"
        in client.get(ADDRESS, base_url="https://localhost").text
    )
    assert send(decision="mend", mend_in=" 2027-09 ")[0] == 303
    text = client.get(ADDRESS, base_url="https://localhost").text
    assert "To be mended in version 2027-09 (23 November 2026)" in text
    assert look(database).undecided == len(look(database).points) - 1
    with database.reading() as session:
        assert len(session.scalars(select(ReviewDecision)).all()) == 3
        asked = select(LedgerEntry.body).where(LedgerEntry.kind == "review-decided")
        entries = [json.loads(one) for one in session.scalars(asked.order_by(LedgerEntry.sequence))]
    assert [one["facts"]["decision"] for one in entries] == ["noted", "accepted", "mend"]
    assert entries[2]["facts"]["mend_in"] == "2027-09"
    assert entries[2]["facts"]["kind"] == point.kind
    assert "actor" in entries[2]["personal"]
    assert str(head.person_id) not in json.dumps(entries)


def test_the_page_names_nobody_and_is_for_managers(
    app: Flask, database: Database, head: Guest
) -> None:
    staff = people(database, 10)
    for at, guest in enumerate(staff):
        answer(database, guest, "topic-00-x!", at=at)
    with database.transaction() as session:
        session.execute(update(Membership).values(payroll_number="PAY-77"))
    text = browser(app, head).get(ADDRESS, base_url="https://localhost").text
    assert "0 to 28%" in text
    assert "Hedda" not in text
    assert "Person " not in text
    assert "PAY-77" not in text
    assert not any(str(one.person_id) in text for one in staff)
    reply = browser(app, staff[0]).get(ADDRESS, base_url="https://localhost")
    assert reply.status_code == 403
    reply = browser(app, head).get("/policy/review/2030-01", base_url="https://localhost")
    assert reply.status_code == 404
