"""A manager brings a version of the policy into use: shown before, weighed, recorded, settled."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from lti_tool.core.database import Database
from lti_tool.core.errors import ToolError
from lti_tool.core.ledger import LedgerEntry
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.reading import ROOT, read_catalogue
from lti_tool.people.models import Membership
from lti_tool.policies.diff import Weight
from lti_tool.policies.policy import School
from lti_tool.training.course import course_of
from lti_tool.training.cycles.models import Obligation, PolicyOpening
from lti_tool.training.cycles.versions import in_use
from lti_tool.training.declarations import note, paragraphs
from lti_tool.training.journeys import progress
from lti_tool.training.models import Completion, Declaration, Journey
from lti_tool.training.versions.cli import policies
from lti_tool.training.versions.opening import open_version
from lti_tool.training.versions.preview import difference, preview
from lti_tool.ui.format import local
from tests.conftest import SetClock
from tests.factories.registers import (
    Guest,
    arrive,
    browser,
    complete,
    csrf,
    make_manager,
    place,
    running,
    start_training,
)

LFSSQ = "langley-fitzurse-and-stanton-st-quintin"
OLD, NEW = "2024-09", "2026-09"
PAGE = f"/policy/versions/{NEW}"


@pytest.fixture(scope="module")
def content() -> Catalogue:
    return read_catalogue(ROOT)


@pytest.fixture
def school(content: Catalogue) -> School:
    return content.schools[LFSSQ]


@pytest.fixture
def app(database: Database, tmp_path: Path, clock: SetClock, content: Catalogue) -> Iterator[Flask]:
    with running(tmp_path, database, clock, content) as app:
        yield app


def somebody(
    database: Database, name: str, clock: SetClock, *, declared: str = "", group: str = "teaching"
) -> Guest:
    """One of the school's people, perhaps with a version declared; known for longer than the tool
    has been there, so that no induction is owed."""
    guest = arrive(database, name, LFSSQ, now=clock())
    place(database, guest, role_group=group, site="Langley Fitzurse")
    with database.transaction() as session:
        member = session.get_one(Membership, guest.membership_id)
        member.confirmed_at = clock() - timedelta(days=400)
    if declared:
        complete(database, guest, number=declared, cycle="2025-26")
    return guest


def bring(database: Database, school: School, clock: SetClock, **changes: object) -> int:
    """Open the new version as the comparison proposes; returns how many owe it."""
    with database.transaction() as session:
        diff = difference(session, school=school, number=str(changes.get("number", NEW)))
        shown = preview(session, school=school, diff=diff, weight=diff.weight, now=clock())
        given = {
            "number": NEW,
            "before": diff.before.number,
            "weight": diff.weight,
            "reason": "",
            "due_on": shown.due_on,
            "by": None,
        } | changes
        return open_version(session, school=school, now=clock(), **given).people  # type: ignore[arg-type]


def owed(database: Database) -> dict[str, str]:
    """Reference of an update and its outcome by the person's name."""
    with database.reading() as session:
        rows = session.execute(
            select(Membership.person_id, Obligation.cycle, Obligation.outcome)
            .join(Obligation, Obligation.person_id == Membership.person_id)
            .where(Obligation.module == "policy-update")
        )
        return {str(person): f"{cycle} {outcome}".strip() for person, cycle, outcome in rows}


def test_opening_obliges_whom_a_changed_clause_binds_and_the_preview_said_so(
    database: Database, school: School, clock: SetClock
) -> None:
    taught = somebody(database, "Taught", clock, declared=OLD)
    governor = somebody(database, "Governor", clock, declared=OLD, group="governor")
    somebody(database, "Not Yet", clock)
    known = somebody(database, "Known", clock, declared=NEW)
    with database.reading() as session:
        diff = difference(session, school=school, number=NEW)
        shown = preview(session, school=school, diff=diff, weight=Weight.MAJOR, now=clock())
        minor = preview(session, school=school, diff=diff, weight=Weight.MINOR, now=clock())
    assert (shown.people, shown.everybody, len(shown.clauses)) == (2, 4, 8)
    by_group = {group.role_group: group for group in shown.groups}
    assert by_group["teaching"].people == 1
    assert dict(by_group["teaching"].excused) == {"not-declared": 1, "known": 1}
    assert len(by_group["teaching"].changes) > len(by_group["governor"].changes) > 0
    assert (minor.people, minor.clauses) == (0, ())
    # Ten school days after Monday 23 November.
    assert shown.due_on.isoformat() == "2026-12-07"

    assert bring(database, school, clock) == 2
    assert owed(database) == {
        str(taught.person_id): f"policy-{NEW}",
        str(governor.person_id): f"policy-{NEW}",
    }
    assert str(known.person_id) not in owed(database)
    with database.reading() as session:
        assert in_use(session, school).number == NEW
        rows = session.scalars(select(PolicyOpening).order_by(PolicyOpening.opened_at)).all()
        assert [(row.number, row.weight, row.before) for row in rows] == [
            (OLD, "first", ""),
            (NEW, "major", OLD),
        ]
        assert rows[1].binds == ["governor", "supply", "support", "teaching", "volunteer"]
        assert {"c115-tell", "c151-grown", "c116"} <= set(rows[1].clauses)
        assert "c117" not in rows[1].clauses
        entry = session.scalars(
            select(LedgerEntry).where(LedgerEntry.kind == "policy-opened")
        ).one()
        facts = json.loads(entry.body)["facts"]
        assert (facts["number"], facts["people"], facts["demonstration"]) == (NEW, 2, 1)


def test_minor_obliges_nobody_and_needs_a_reason_where_major_was_proposed(
    database: Database, school: School, clock: SetClock
) -> None:
    somebody(database, "Taught", clock, declared=OLD)
    with pytest.raises(ToolError) as refused:
        bring(database, school, clock, weight=Weight.MINOR)
    assert refused.value.code == "reason-missing"
    assert bring(database, school, clock, weight=Weight.MINOR, reason="Taught in a meeting") == 0
    assert owed(database) == {}
    with database.reading() as session:
        row = session.scalars(select(PolicyOpening).where(PolicyOpening.number == NEW)).one()
        assert (row.weight, row.proposed, row.reason) == ("minor", "major", "Taught in a meeting")
        assert row.due_on is None


def test_the_same_version_is_not_opened_twice_nor_one_compared_with_another(
    database: Database, school: School, clock: SetClock
) -> None:
    bring(database, school, clock)
    for number, before, code in ((NEW, NEW, "version-in-use"), (OLD, OLD, "version-changed")):
        with pytest.raises(ToolError) as refused:
            bring(database, school, clock, number=number, before=before)
        assert refused.value.code == code
    for due in (local(clock()).date(), local(clock()).date() + timedelta(days=367), None):
        with pytest.raises(ToolError) as refused:
            bring(database, school, clock, number=OLD, due_on=due)
        assert refused.value.code == "due-date-wrong"


def test_an_older_version_opened_again_asks_only_those_who_do_not_know_it(
    database: Database, school: School, clock: SetClock
) -> None:
    old_hand = somebody(database, "Old Hand", clock, declared=OLD)
    bring(database, school, clock)
    newcomer = somebody(database, "New Hand", clock, declared=NEW)
    clock.move(days=1)
    bring(database, school, clock, number=OLD)
    with database.reading() as session:
        assert in_use(session, school).number == OLD
    found = owed(database)
    assert found[str(newcomer.person_id)] == f"policy-{OLD}"
    assert found[str(old_hand.person_id)] != f"policy-{NEW}", "what it asked is no longer asked"
    with database.reading() as session:
        assert session.scalars(select(Completion)).all() != []
        assert {one.policy_number for one in session.scalars(select(Declaration))} == {OLD, NEW}


def test_two_openings_at_one_moment_keep_their_order(
    database: Database, school: School, clock: SetClock
) -> None:
    """No journey has begun: the version that was in use is noted, and before the new one."""
    bring(database, school, clock)
    bring(database, school, clock, number=OLD)
    with database.reading() as session:
        assert in_use(session, school).number == OLD


# Pages -----------------------------------------------------------------------------------------


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url)
    yield database
    database.engine.dispose()


class TestPages:
    """Over HTTP, on one kind of database: the verbs above ran on both."""

    @pytest.fixture
    def database(self, sqlite_database: Database) -> Database:
        return sqlite_database

    @pytest.fixture
    def head(self, database: Database, clock: SetClock) -> Guest:
        return make_manager(database, somebody(database, "Hedda Head", clock, declared=OLD))

    def sent(self, app: Flask, guest: Guest, **data: str) -> tuple[int, str]:
        given = {"csrf_token": csrf(app, guest.admission.visit_id), "before": OLD} | data
        reply = browser(app, guest).post(f"{PAGE}/open", data=given, base_url="https://localhost")
        return reply.status_code, reply.text

    def test_the_list_the_difference_and_the_points(self, app: Flask, head: Guest) -> None:
        client = browser(app, head)
        listed = client.get("/policy/versions").text
        assert f"Version {OLD} is in use." in listed
        assert "Demonstration: not adopted by this school" in listed
        compared = client.get(PAGE).text
        assert "Demonstration: not adopted by this school" in compared
        assert "Proposed weight: major." in compared
        assert "8 clauses ask something else than before" in compared
        assert 'cw-changed">' in compared
        assert "“are advised not to” (advice) becomes “must not” (must)" in compared
        points = client.get(f"/policy/versions/{OLD}/points").text
        assert "Clauses are in conflict" in points
        assert "Code of conduct, line 153" in points
        assert client.get("/policy/versions/1999-01").status_code == 404

    def test_opening_asks_what_it_needs_and_says_what_it_does(
        self, app: Flask, head: Guest, database: Database
    ) -> None:
        page = browser(app, head).get(f"{PAGE}/open").text
        assert "What it would do: 1 person, 8 clauses" in page
        due = {"day": "7", "month": "12", "year": "2026"}
        known = {"is_known": "yes"}
        for data, said in (
            ({"weight": ""} | due | known, "Choose major or minor"),
            ({"weight": "major"} | due, "Tick the box"),
            (
                {"weight": "major", "day": "31", "month": "2", "year": "2027"} | known,
                "Write a day,",
            ),
            ({"weight": "major"} | due | {"year": "2020"} | known, "Write a day from tomorrow"),
            ({"weight": "minor"} | known, "Say why it is not"),
            ({"weight": "minor", "reason": "x" * 1001} | known, "at most 1000"),
        ):
            status, text = self.sent(app, head, **data)
            assert (status, said in text) == (400, True), said
            assert "There is a problem" in text
        status, text = self.sent(app, head, weight="major", before="1999-01", **due, **known)
        assert (status, "Another version was opened meanwhile" in text) == (409, True)
        assert self.sent(app, head, weight="major", **due, **known)[0] == 303
        listed = browser(app, head).get("/policy/versions?opened=1").text
        assert f"Version {NEW} is in use from now on" in listed
        assert "Hedda Head" in listed
        assert browser(app, head).get(f"{PAGE}/open").status_code == 409
        assert owed(database) == {str(head.person_id): f"policy-{NEW}"}

    def test_nobody_but_a_manager_enters(
        self, app: Flask, database: Database, clock: SetClock
    ) -> None:
        teacher = somebody(database, "Tess Teacher", clock)
        for path in ("/policy/versions", PAGE, f"{PAGE}/open", f"{PAGE}/points"):
            assert browser(app, teacher).get(path).status_code == 403
        assert self.sent(app, teacher, weight="minor")[0] == 403

    def test_learners_see_on_every_page_that_it_is_a_demonstration(
        self, app: Flask, database: Database, clock: SetClock, school: School
    ) -> None:
        mark = "Demonstration: not adopted by this school"
        guest = arrive(database, "Lena Learner", LFSSQ, now=clock())
        client = browser(app, guest)
        assert mark not in client.get("/").text
        bring(database, school, clock)
        assert mark in client.get("/").text, "drawn anew"
        given = {
            "csrf_token": csrf(app, guest.admission.visit_id),
            "asked": "yes",
            "role_group": "teaching",
            "site": "Langley Fitzurse",
        }
        assert client.post("/begin", data=given, base_url="https://localhost").status_code == 303
        for path in ("", "/policy", "/policy/people", "/who-to-tell", "/questions/1"):
            page = client.get(f"/training{path}")
            assert (page.status_code, mark in page.text) == (200, True), path
        with database.reading() as session:
            journey = session.scalars(select(Journey)).one()
            assert journey.policy_number == NEW
            course = course_of(app.extensions["catalogue"], journey)
            so_far = progress(session, course=course, journey=journey)
        with app.test_request_context():
            said = paragraphs(so_far, site="")
            assert f"version {NEW}, a demonstration not adopted by this school, in" in said[0]
            assert "was written as a demonstration" in note(course)

    def test_the_register_marks_a_demonstration(
        self, app: Flask, database: Database, clock: SetClock, head: Guest
    ) -> None:
        other = somebody(database, "Known", clock)
        complete(database, other, number=NEW)
        start_training(database, head)
        text = browser(app, head).get("/register").text
        assert text.count("Demonstration: not adopted by this school") == 1

    def test_the_commands(self, app: Flask, database: Database, clock: SetClock) -> None:
        somebody(database, "Taught", clock, declared=OLD)
        run = app.test_cli_runner().invoke
        school = ["--school", LFSSQ]
        listed = run(policies, ["versions", *school])
        assert f"{OLD}  in use" in listed.output
        rows = json.loads(run(policies, ["versions", *school, "--json"]).output)
        assert [(row["number"], row["demonstration"]) for row in rows] == [
            (OLD, False),
            (NEW, True),
        ]
        said = run(policies, ["diff", *school, OLD, NEW]).output
        assert "proposed weight: major" in said
        assert "Taken out: Key Principles, line 117" in said
        assert run(policies, ["diff", *school, OLD, "1999-01"]).exit_code == 1
        refused = run(policies, ["open", *school, NEW])
        assert (refused.exit_code, "add --demonstration" in refused.output) == (1, True)
        shown = run(policies, ["open", *school, NEW, "--preview"])
        assert "major: 1 of 1 people, 8 clauses" in shown.output
        assert owed(database) == {}
        assert run(policies, ["open", *school, NEW, "--demonstration"]).exit_code == 0
        assert len(owed(database)) == 1
        again = run(policies, ["open", *school, NEW, "--demonstration"])
        assert (again.exit_code, "everybody learns now" in again.output) == (1, True)
