"""People who train at the little school."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core.database import Database
from lti_tool.core.ids import new_id
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.cycles import cycle_of
from lti_tool.lti.claims import SCORE_SCOPE
from lti_tool.lti.models import Deployment, Registration, ResourceLink
from lti_tool.people import arrive
from lti_tool.people.arrive import Admission, Arrival
from lti_tool.people.models import Visit
from lti_tool.training import journeys, questions
from lti_tool.training.course import Course, new_course
from lti_tool.training.models import Journey
from tests.conftest import SetClock
from tests.factories.learner_browser import Browser
from tests.factories.little_school import little_school


@pytest.fixture
def catalogue() -> Catalogue:
    return little_school()


@dataclass
class Learner:
    """Somebody at the little school, with a visit; each act is a transaction of its own."""

    database: Database
    catalogue: Catalogue
    clock: SetClock
    visit: Visit

    @property
    def person_id(self) -> UUID:
        return self.visit.person_id

    def course(self, module: str = "induction", role_group: str = "teaching") -> Course:
        return new_course(
            self.catalogue, school_id="little-school", module=module, role_group=role_group
        )

    def begin(self, module: str = "induction", role_group: str = "teaching") -> Journey:
        with self.database.transaction() as session:
            return journeys.begin(
                session,
                course=self.course(module, role_group),
                person_id=self.person_id,
                now=self.clock(),
            )

    def held(self, session: Session, module: str = "induction") -> Journey:
        journey = journeys.find(
            session,
            school_id="little-school",
            person_id=self.person_id,
            module=module,
            cycle=cycle_of(self.clock()),
            is_locked=True,
        )
        assert journey is not None
        return journey

    def answer(self, position: int, choice: str, sureness: str = "sure") -> questions.Answered:
        with self.database.transaction() as session:
            return questions.submit_answer(
                session,
                course=self.course(),
                journey=self.held(session),
                position=position,
                choice=choice,
                sureness=sureness,
                now=self.clock(),
            )

    def sitting(self) -> questions.Sitting:
        with self.database.transaction() as session:
            return questions.sitting(session, self.course(), self.held(session))

    def answer_round(self, *, wrong: int = 0) -> None:
        """Answer what is open in this round; the first ``wrong`` scored ones wrongly."""
        for one in self.sitting().round_now:
            if one.answered_at is not None:
                continue
            is_wrong = wrong > 0 and one.state == "settled"
            wrong -= is_wrong
            self.answer(one.position, "a" if is_wrong else "b")

    def read_all(self, module: str = "induction", role_group: str = "teaching") -> None:
        course = self.course(module, role_group)
        with self.database.transaction() as session:
            journey = self.held(session, module)
            for reading in course.readings:
                journeys.read_section(
                    session, course=course, journey=journey, section=reading.id, now=self.clock()
                )
            journeys.tell(session, journey=journey, now=self.clock())


@pytest.fixture
def learner(database: Database, catalogue: Catalogue, clock: SetClock) -> Learner:
    admission = arrived(database, clock())
    with database.reading() as session:
        visit = session.get_one(Visit, admission.visit_id)
    return Learner(database, catalogue, clock, visit)


def from_a_platform(database: Database, visit_id: UUID, now: datetime) -> None:
    """Let a visit have come from an activity that takes scores."""
    registration = Registration(
        id=new_id(),
        name="School Moodle",
        issuer="https://moodle.example.org",
        client_id="client",
        auth_login_url="https://moodle.example.org/auth",
        auth_token_url="https://moodle.example.org/token",
        jwks_url="https://moodle.example.org/jwks",
        created_at=now,
    )
    deployment = Deployment(
        id=new_id(), registration_id=registration.id, deployment_id="1", created_at=now
    )
    link = ResourceLink(
        id=new_id(),
        deployment_row_id=deployment.id,
        resource_link_id="7",
        line_item_url="https://moodle.example.org/items/7",
        scopes=SCORE_SCOPE,
        seen_at=now,
    )
    with database.transaction() as session:
        for row in (registration, deployment, link):
            session.add(row)
            session.flush()
        visit = session.get_one(Visit, visit_id)
        visit.door, visit.place_id = "lti", link.id


def arrived(
    database: Database,
    now: datetime,
    *,
    module: str = "induction",
    school_id: str = "little-school",
    subject: str = "subject",
) -> Admission:
    """Somebody arrives at the little school."""
    arrival = Arrival(
        door="test",
        realm="test",
        subject=subject,
        name="Sam Ostler",
        email="",
        school_id=school_id,
        module=module,
        is_bound=True,
        may_ask_to_manage=False,
        may_set_up=False,
        platform_name="Test platform",
        frame_ancestors="",
    )
    with database.transaction() as session:
        return arrive.admit(session, arrival, now=now)


@pytest.fixture
def sites() -> tuple[str, ...]:
    """The school's sites; a test of a federation sets its own."""
    return ()


@pytest.fixture
def browser(
    tmp_path: Path,
    sqlite_url: str,
    catalogue: Catalogue,
    clock: SetClock,
    sites: tuple[str, ...],
) -> Browser:
    school = catalogue.schools["little-school"]
    brought = replace(school, document="policy.pdf", sites=sites)
    catalogue = replace(catalogue, schools={school.id: brought})
    folder = tmp_path / "content" / "modules" / "schools" / school.id
    folder.mkdir(parents=True)
    (folder / "policy.pdf").write_bytes(b"%PDF our own")
    (folder / "school.yaml").write_text("name: secret")
    config = Config(instance=tmp_path, database_url=sqlite_url, content=str(tmp_path / "content"))
    app = create_app(config, clock=clock, catalogue=catalogue)
    database: Database = app.extensions["database"]
    admission = arrived(database, clock())
    browser = Browser(app.test_client(use_cookies=False), admission)
    browser.get("/")
    return browser
