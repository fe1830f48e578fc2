"""A journey from its beginning to its declaration, on a real database."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import func, select

from lti_tool.core import ledger
from lti_tool.core.database import Table
from lti_tool.core.errors import ToolError
from lti_tool.core.ledger import Disclosure, LedgerEntry
from lti_tool.curriculum.models import Content
from lti_tool.lti.models import ScoreOutbox
from lti_tool.people.models import Visit
from lti_tool.training import declarations, journeys
from lti_tool.training.course import course_of, new_course
from lti_tool.training.models import Completion, Declaration, Journey, Question, SectionRead
from tests.integration.training.conftest import Learner, from_a_platform


def count(learner: Learner, table: type[Table]) -> int:
    with learner.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def declare(
    learner: Learner,
    *,
    name: str = "Sam  Ostler",
    has_agreed: bool = True,
    module: str = "induction",
    role_group: str = "teaching",
    fault: Exception | None = None,
) -> Completion:
    course = learner.course(module, role_group)
    with learner.database.transaction() as session:
        journey = learner.held(session, module)
        completion = declarations.declare(
            session,
            progress=journeys.progress(session, course=course, journey=journey),
            visit=learner.visit,
            printed_name=name,
            has_agreed=has_agreed,
            now=learner.clock(),
        )
        if fault:
            raise fault
        return completion


@pytest.fixture
def ready(learner: Learner) -> Learner:
    """Somebody who has learned everything and has not declared it; two topics came again."""
    learner.begin()
    learner.read_all()
    learner.answer_round(wrong=2)
    learner.answer_round()
    return learner


def test_beginning_twice_finds_the_first(learner: Learner) -> None:
    first, second = learner.begin(), learner.begin()
    assert first.id == second.id
    assert count(learner, Question) == 10


def test_two_tabs_that_begin_at_once_begin_one_journey(learner: Learner) -> None:
    ready = Barrier(2)

    def press(_: int) -> Journey:
        ready.wait()
        return learner.begin()

    with ThreadPoolExecutor(2) as tabs:
        begun = list(tabs.map(press, range(2)))
    assert begun[0].id == begun[1].id
    assert count(learner, Question) == 10


def test_nobody_begins_without_a_role_group(learner: Learner) -> None:
    with pytest.raises(ToolError) as refusal:
        learner.begin(role_group="")
    assert refusal.value.code == "role-group-unknown"


def test_a_new_school_year_is_a_new_journey(learner: Learner) -> None:
    first = learner.begin()
    learner.clock.move(days=365)
    assert learner.begin().id != first.id


def test_only_what_binds_the_reader_is_to_be_read(learner: Learner) -> None:
    readings = learner.course().readings
    assert [one.id for one in readings] == ["private", "work"]
    assert "c99" in [one.clause.id for one in readings[1].bound]


def test_wording_on_discipline_is_for_employees(learner: Learner) -> None:
    for role_group, is_shown in (("support", True), ("governor", False), ("volunteer", False)):
        shown = [
            one.clause.id
            for section in learner.course(role_group=role_group).sections
            for one in section.every
        ]
        assert ("c99" in shown) is is_shown


def test_a_section_is_read_once_and_only_if_it_is_there(learner: Learner) -> None:
    learner.begin()
    learner.read_all()
    learner.read_all()
    assert count(learner, SectionRead) == 2
    for section in ("school", "nothing"):
        with pytest.raises(ToolError) as refusal, learner.database.transaction() as session:
            journeys.read_section(
                session,
                course=learner.course(),
                journey=learner.held(session),
                section=section,
                now=learner.clock(),
            )
        assert refusal.value.code == "page-not-found"


def test_a_journey_is_taken_up_where_it_was_left(learner: Learner) -> None:
    learner.begin()
    learner.answer(1, "b")
    learner.clock.move(days=3)
    so_far = learner.sitting()
    assert so_far.at(1).choice == "b"
    assert so_far.open is not None
    assert so_far.open.position == 2


def test_a_journey_keeps_the_policy_it_began_with(learner: Learner) -> None:
    learner.begin()
    school = learner.catalogue.schools["little-school"]
    newer = replace(school.policy, number="2026-11")
    changed = replace(
        learner.catalogue,
        schools={school.id: replace(school, versions=(*school.versions, newer))},
    )
    with learner.database.transaction() as session:
        journey = learner.held(session)
        assert course_of(changed, journey).version.number == "2026-03"
    assert new_course(changed, school_id=school.id, module="induction").version.number == "2026-11"
    gone = replace(learner.catalogue, schools={school.id: replace(school, versions=(newer,))})
    with pytest.raises(ToolError) as refusal:
        course_of(gone, journey)
    assert refusal.value.code == "policy-version-missing"


@pytest.mark.parametrize(
    ("school_id", "module", "code"),
    [("nowhere", "induction", "school-unknown"), ("little-school", "x", "module-unknown")],
)
def test_what_is_not_taught_cannot_begin(
    learner: Learner, school_id: str, module: str, code: str
) -> None:
    with pytest.raises(ToolError) as refusal:
        new_course(learner.catalogue, school_id=school_id, module=module)
    assert refusal.value.code == code


def test_a_closed_school_teaches_nobody(learner: Learner) -> None:
    school = replace(learner.catalogue.schools["little-school"], closed=("a fault",))
    closed = replace(learner.catalogue, schools={school.id: school})
    with pytest.raises(ToolError) as refusal:
        new_course(closed, school_id=school.id, module="induction")
    assert refusal.value.code == "school-closed"


@pytest.mark.parametrize("left_out", ["reading", "telling", "answering", "passing"])
def test_nobody_declares_what_is_not_done(learner: Learner, left_out: str) -> None:
    learner.begin()
    if left_out != "reading":
        learner.read_all()
    if left_out == "telling":
        with learner.database.transaction() as session:
            learner.held(session).told_at = None
    if left_out != "answering":
        learner.answer_round(wrong=10 if left_out == "passing" else 0)
    with pytest.raises(ToolError) as refusal:
        declare(learner)
    assert refusal.value.code == "learning-incomplete"
    assert count(learner, Declaration) == 0


@pytest.mark.parametrize(
    ("name", "has_agreed"),
    [("", True), ("   ", True), ("12", True), ("Sam\x07", True), ("x" * 256, True), ("Sam", False)],
)
def test_a_declaration_needs_a_name_and_a_tick(ready: Learner, name: str, has_agreed: bool) -> None:
    with pytest.raises(ToolError) as refusal:
        declare(ready, name=name, has_agreed=has_agreed)
    assert refusal.value.code == "declaration-incomplete"
    assert count(ready, Declaration) == count(ready, LedgerEntry) == 0


def test_a_declaration_is_recorded_once_with_all_that_belongs_to_it(ready: Learner) -> None:
    completion = declare(ready)
    assert declare(ready, name="Somebody Else").id == completion.id
    assert (completion.score, completion.first_score, completion.pass_mark) == (100, 75, 80)
    with ready.database.reading() as session:
        declaration = session.scalars(select(Declaration)).one()
        entry = session.scalars(select(LedgerEntry)).one()
        verified, broken = ledger.verify(session, school_id="little-school")
    assert declaration.printed_name == "Sam Ostler"
    assert "Social media policy, version 2026-03, approved March 2026, in English" in (
        declaration.text
    )
    assert "I will ask the Headteacher before I act" in declaration.text
    assert declaration.text.endswith("The Headteacher tells us it is in use.")
    assert (verified, broken) == (1, None)
    assert entry.record_id == completion.record_id


def test_the_ledger_names_nobody_and_can_be_opened(ready: Learner) -> None:
    declare(ready)
    with ready.database.reading() as session:
        entry = session.scalars(select(LedgerEntry)).one()
        opened = {one.field: json.loads(one.value) for one in session.scalars(select(Disclosure))}
    said = json.loads(entry.body)
    assert said["kind"] == "completion"
    for word in ("Ostler", str(ready.person_id), "not-sure", "fairly-sure"):
        assert word not in entry.body.decode()
    assert set(said["personal"]) == set(opened)
    assert opened["printed_name"] == "Sam Ostler"
    assert opened["person"] == str(ready.person_id)
    assert (opened["score"], opened["first_score"]) == (100, 75)
    asked = said["facts"]["questions"]
    assert len(asked) == 12
    assert [one["round"] for one in asked] == [1] * 10 + [2] * 2
    assert {opened[f"choice-{one['position']}"] for one in asked} == {"a", "b"}
    settled = next(one for one in asked if one["state"] == "settled")
    assert settled["facts"]["is-own-child"] == "false"
    assert len(settled["clauses"]) == 1
    assert settled["option_order"] != []
    assert said["facts"]["policy"]["clauses_shown"][-1] == "c99"


def test_a_fault_before_the_commit_leaves_no_trace(ready: Learner) -> None:
    with pytest.raises(RuntimeError):
        declare(ready, fault=RuntimeError("the power went"))
    for table in (Declaration, Completion, LedgerEntry, Disclosure):
        assert count(ready, table) == 0
    with ready.database.transaction() as session:
        assert ready.held(session).completed_at is None
    assert declare(ready).score == 100


def test_the_score_is_owed_in_the_same_transaction(ready: Learner) -> None:
    from_a_platform(ready.database, ready.visit.id, ready.clock())
    with ready.database.reading() as session:
        ready.visit = session.get_one(Visit, ready.visit.id)
    with pytest.raises(RuntimeError):
        declare(ready, fault=RuntimeError("the power went"))
    assert count(ready, ScoreOutbox) == 0
    completion = declare(ready)
    declare(ready)
    with ready.database.reading() as session:
        owed = session.scalars(select(ScoreOutbox)).one()
    assert (owed.completion_id, owed.score) == (completion.id, 100)
    assert (owed.cycle, owed.module) == ("2026-27", "induction")


def test_what_was_asked_and_declared_is_kept_by_its_hash(ready: Learner) -> None:
    declare(ready)
    with ready.database.reading() as session:
        kept = {one.hash: one.kind for one in session.scalars(select(Content))}
        said = json.loads(session.scalars(select(LedgerEntry)).one().body)
    assert kept[said["facts"]["policy"]["sha256"]] == "policy"
    assert {kept[one["sha256"]] for one in said["facts"]["questions"]} == {"scenario"}


def test_two_tabs_that_sign_at_once_sign_once(ready: Learner) -> None:
    both = Barrier(2)

    def press(_: int) -> Completion:
        both.wait()
        return declare(ready)

    with ThreadPoolExecutor(2) as tabs:
        signed = list(tabs.map(press, range(2)))
    assert signed[0].id == signed[1].id
    assert count(ready, LedgerEntry) == 1


def test_a_scenario_that_left_the_bank_does_not_stop_a_declaration(ready: Learner) -> None:
    gone = ready.sitting().questions[0].scenario
    ready.catalogue = replace(
        ready.catalogue,
        scenarios={name: one for name, one in ready.catalogue.scenarios.items() if name != gone},
    )
    declare(ready)
    with ready.database.reading() as session:
        said = json.loads(session.scalars(select(LedgerEntry)).one().body)
    assert said["facts"]["questions"][0]["scenario"] == gone
    assert "facts" not in said["facts"]["questions"][0]


def test_who_is_outside_the_scope_is_asked_nothing_and_promises_nothing(learner: Learner) -> None:
    learner.begin(role_group="volunteer")
    course = learner.course(role_group="volunteer")
    assert not course.in_scope
    assert course.readings == ()
    assert learner.sitting().questions == ()
    learner.read_all(role_group="volunteer")
    completion = declare(learner, role_group="volunteer")
    assert completion.score == 100
    with learner.database.reading() as session:
        text = session.scalars(select(Declaration.text)).one()
    assert "I will follow the policy" not in text
    assert "does not say it applies to me" in text
    assert "I have read" not in text


def test_before_you_start_reads_the_musts_and_asks_nothing(learner: Learner) -> None:
    learner.begin("before-you-start")
    course = learner.course("before-you-start")
    (reading,) = course.readings
    assert reading.bound
    assert all(("must", "will not") in one.forces for one in reading.bound)
    learner.read_all("before-you-start")
    assert declare(learner, module="before-you-start").module == "before-you-start"
    with learner.database.reading() as session:
        text = session.scalars(select(Declaration.text)).one()
    assert "I have read what I must and must not do under the Social media policy" in text
    assert "Where I was shown" not in text
