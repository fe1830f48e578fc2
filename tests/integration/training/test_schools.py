"""Every school’s own content, for every role group, from the first page to the declaration."""

import json

import pytest
from sqlalchemy import select

from lti_tool.core.database import Database
from lti_tool.core.ledger import LedgerEntry
from lti_tool.curriculum.reading import ROOT, read_catalogue
from lti_tool.people import arrive
from lti_tool.people.arrive import Arrival
from lti_tool.people.memberships import ROLE_GROUPS
from lti_tool.people.models import Visit
from lti_tool.policies.resolve import State
from lti_tool.training import declarations, journeys, questions
from lti_tool.training.course import new_course
from lti_tool.training.feedback import feedback
from lti_tool.training.questions import scenario_of
from tests.conftest import SetClock

CATALOGUE = read_catalogue(ROOT)


def visit_at(database: Database, school_id: str, clock: SetClock) -> Visit:
    arrival = Arrival(
        door="test",
        realm="test",
        subject="subject",
        name="",
        email="",
        school_id=school_id,
        module="induction",
        is_bound=True,
        may_ask_to_manage=False,
        may_set_up=False,
        platform_name="",
        frame_ancestors="",
    )
    with database.transaction() as session:
        admission = arrive.admit(session, arrival, now=clock())
        return session.get_one(Visit, admission.visit_id)


@pytest.mark.parametrize("module", sorted(CATALOGUE.modules))
@pytest.mark.parametrize("role_group", ROLE_GROUPS)
@pytest.mark.parametrize("school_id", sorted(CATALOGUE.schools))
def test_everybody_can_finish_at_every_school(
    sqlite_url: str, clock: SetClock, school_id: str, role_group: str, module: str
) -> None:
    database = Database(sqlite_url)
    visit = visit_at(database, school_id, clock)
    course = new_course(CATALOGUE, school_id=school_id, module=module, role_group=role_group)
    with database.transaction() as session:
        journey = journeys.begin(session, course=course, person_id=visit.person_id, now=clock())
        for reading in course.readings:
            journeys.read_section(
                session, course=course, journey=journey, section=reading.id, now=clock()
            )
        journeys.tell(session, journey=journey, now=clock())
        session.refresh(journey)
        asked = questions.sitting(session, course, journey).questions
        assert len(asked) <= course.module.scenarios
        assert sum(one.state != State.SETTLED for one in asked) <= course.module.unscored_at_most
        for one in asked:
            resolution = course.resolution(scenario_of(course, one))
            right = sorted(resolution.right) or one.option_order
            questions.submit_answer(
                session,
                course=course,
                journey=journey,
                position=one.position,
                choice=right[0],
                sureness="",
                now=clock(),
            )
            assert feedback(course, one).state is resolution.state
        completion = declarations.declare(
            session,
            progress=journeys.progress(session, course=course, journey=journey),
            visit=visit,
            printed_name="Sam Ostler",
            has_agreed=True,
            now=clock(),
        )
    assert (completion.score, completion.first_score) == (100, 100)
    with database.reading() as session:
        said = json.loads(session.scalars(select(LedgerEntry)).one().body)
    assert said["facts"]["policy"]["sha256"] == course.version.sha256
    assert "{" not in said["facts"]["declaration"]["text"]
    database.engine.dispose()
