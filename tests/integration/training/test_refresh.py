"""Learning anew over HTTP: the refresh, an update of the policy, a second school of the trust."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.models import Content
from lti_tool.people.models import Person
from lti_tool.training.cycles.models import PolicyOpening
from lti_tool.training.models import Completion, Declaration, Journey, Question
from tests.conftest import SetClock
from tests.factories.little_school import with_next_version, with_other_school
from tests.integration.training.conftest import arrived
from tests.integration.training.test_pages import Browser, begin, finish, headings

YEAR = 365


class World:
    """The tool with a catalogue that can be changed, and somebody who comes back."""

    def __init__(self, tmp_path: Path, url: str, catalogue: Catalogue, clock: SetClock) -> None:
        self.clock = clock
        config = Config(instance=tmp_path, database_url=url)
        self.app = create_app(config, clock=clock, catalogue=catalogue)
        self.database: Database = self.app.extensions["database"]

    def teach(self, catalogue: Catalogue) -> None:
        """Start again with other content."""
        self.app.extensions["catalogue"] = catalogue
        self.app.extensions["drawn"].clear()

    def open_next_version(self) -> None:
        """A year on the school has a second version, and it is the one in use."""
        self.teach(with_next_version(self.app.extensions["catalogue"]))
        school = self.app.extensions["catalogue"].schools["little-school"]
        with self.database.transaction() as session:
            session.add(
                PolicyOpening(
                    school_id=school.id,
                    number=school.versions[-1].number,
                    sha256=school.versions[-1].sha256,
                    weight="major",
                    opened_on=self.clock().date(),
                    opened_at=self.clock(),
                )
            )

    def enter(self, module: str = "annual-refresh", **who: str) -> Browser:
        admission = arrived(self.database, self.clock(), module=module, **who)
        browser = Browser(self.app.test_client(use_cookies=False), admission)
        browser.get("/")
        return browser

    def journey(self, module: str = "annual-refresh", school: str = "little-school") -> Journey:
        with self.database.reading() as session:
            found = session.scalars(
                select(Journey)
                .where(Journey.module == module, Journey.school_id == school)
                .order_by(Journey.started_at.desc())
            ).first()
        assert found is not None
        return found

    def questions(self, journey: Journey) -> list[Question]:
        with self.database.reading() as session:
            asked = select(Question).where(Question.journey_id == journey.id)
            return list(session.scalars(asked.order_by(Question.position)))

    def said(self) -> str:
        """The last declaration's text."""
        with self.database.reading() as session:
            last = select(Declaration.text).order_by(Declaration.signed_at.desc())
            text = session.scalars(last).first()
        assert text is not None
        return text


@pytest.fixture
def world(tmp_path: Path, sqlite_url: str, catalogue: Catalogue, clock: SetClock) -> World:
    return World(tmp_path, sqlite_url, catalogue, clock)


def inducted(world: World, *, wrong: int = 0) -> None:
    """An induction, and a year that went by."""
    browser = world.enter("induction")
    begin(browser)
    for one in world.questions(world.journey("induction"))[:wrong]:
        answer(browser, one, "a")
    for one in world.questions(world.journey("induction"))[wrong:]:
        answer(browser, one)
    for one in world.questions(world.journey("induction"))[10:]:
        answer(browser, one)
    finish(browser)
    world.clock.move(days=YEAR)


def answer(browser: Browser, question: Question, choice: str = "b") -> str:
    return browser.post(f"/training/questions/{question.position}", choice=choice, sureness="")


def sign(browser: Browser) -> str:
    return browser.post("/training/declaration", printed_name="Sam Ostler", has_agreed="yes")


def test_nothing_changed(world: World) -> None:
    inducted(world)
    browser = world.enter()
    page = browser.post("/begin")
    assert "What has changed since 23 November 2026" in page
    assert "Nothing that applies to you" in page
    page = browser.get("/training/changes")
    assert headings(page) == ["Nothing has changed for you"]
    assert "declared version 2026-03 on 23 November 2026" in page
    browser.post("/training/changes")
    assert browser.path == "/training/who-to-tell"
    browser.post("/training/who-to-tell")
    journey = world.journey()
    asked = world.questions(journey)
    assert browser.path == "/training/questions/1"
    assert len(asked) == 6
    before = world.questions(world.journey("induction"))
    assert not {one.scenario for one in asked} & {one.scenario for one in before}
    for one in asked:
        answer(browser, one)
    page = browser.get("/training/results")
    assert 'href="/training/declaration"' in page
    page = browser.get("/training/declaration")
    assert "is still the one that I declared on 23 November 2026" in page
    page = sign(browser)
    assert headings(page) == ["Training finished"] or "Training finished" in page
    assert (journey.since_number, journey.since_role_group) == ("2026-03", "teaching")


def test_what_changed_is_read_old_beside_new_and_asked(world: World) -> None:
    inducted(world)
    world.open_next_version()
    browser = world.enter()
    assert "2 points that apply to you" in browser.post("/begin")
    page = browser.get("/training/changes")
    assert headings(page) == ["What has changed for you"]
    mine, _, others = page.partition("What has changed for others (you")
    assert 'Nobody <mark class="cw-changed">ever</mark> does' in mine
    assert "Nobody does topic-04." in mine
    assert "This is no longer in the policy." in mine
    assert "weekly" in others
    assert "weekly" not in mine
    asked = world.questions(world.journey())
    # On the fourth topic nothing is ruled any more: of the two new ones, one can be scored.
    assert asked[0].topic == "topic-03" or asked[1].topic == "topic-03"
    assert len(asked) == 6
    browser.post("/training/changes")
    browser.post("/training/who-to-tell")
    for one in asked:
        answer(browser, one)
    page = sign(browser)
    assert "Training finished" in page
    assert "I have read what has changed for me in the Social media policy, version 2027-03" in (
        world.said()
    )
    facts = last_facts(world)
    assert facts["changes"] == {
        "since": "2026-03",
        "since_sha256": world.journey().since_sha256,
        "clauses_changed": ["c3", "c4"],
        "topics_differing": [],
    }
    assert facts["policy"]["clauses_shown"] == ["c3"]  # type: ignore[index]


def last_facts(world: World, school: str = "little-school") -> dict[str, object]:
    with world.database.reading() as session:
        entry = session.scalars(
            select(ledger.LedgerEntry)
            .where(ledger.LedgerEntry.school_id == school)
            .order_by(ledger.LedgerEntry.sequence.desc())
        ).first()
        assert entry is not None
        found: dict[str, object] = json.loads(entry.body)["facts"]
    return found


def test_the_old_version_is_read_as_it_was_kept(world: World) -> None:
    inducted(world)
    taught = with_next_version(world.app.extensions["catalogue"])
    school = taught.schools["little-school"]
    world.teach(replace(taught, schools={school.id: replace(school, versions=school.versions[1:])}))
    browser = world.enter()
    # The little school's body is no policy, so what was declared cannot be shown: all is read.
    assert "Private" in browser.post("/begin")
    assert browser.get("/training/changes")
    assert browser.path == "/training"
    with world.database.transaction() as session:
        session.execute(delete(Content).where(Content.kind == "policy"))
    assert "Private" in browser.get("/training")


def test_who_never_declared_reads_the_whole_policy(world: World) -> None:
    browser = world.enter()
    page = begin(browser)
    assert "Read what your policy says" in page
    for section in ("private", "work"):
        browser.post(f"/training/policy/{section}")
    browser.post("/training/who-to-tell")
    asked = world.questions(world.journey())
    assert len(asked) == 6
    for one in asked:
        answer(browser, one)
    sign(browser)
    assert "I have read the Social media policy, version 2026-03" in world.said()
    assert world.journey().since_number == ""


def test_the_musts_alone_are_no_reading_of_the_policy(world: World) -> None:
    browser = world.enter("before-you-start")
    begin(browser)
    browser.post("/training/policy/musts")
    browser.post("/training/who-to-tell")
    assert "Training finished" in sign(browser)
    world.clock.move(days=YEAR)
    assert "Read what your policy says" in world.enter().post("/begin")


def test_what_was_missed_last_time_is_asked_again(world: World) -> None:
    inducted(world, wrong=2)
    first = world.questions(world.journey("induction"))
    missed = {one.topic for one in first if one.state == "settled" and one.verdict != "right"}
    world.enter().post("/begin")
    asked = [one.topic for one in world.questions(world.journey())]
    assert missed
    assert set(asked[: len(missed)]) == missed


def test_only_what_is_missed_is_read_again_before_it_is_asked_again(world: World) -> None:
    inducted(world)
    browser = world.enter()
    browser.post("/begin")
    browser.post("/training/changes")
    browser.post("/training/who-to-tell")
    asked = world.questions(world.journey())
    for one in asked[:2]:
        answer(browser, one, "a")
    for one in asked[2:]:
        answer(browser, one)
    page = browser.get("/training/results")
    assert "Read these again" in page
    again = world.questions(world.journey())[6:]
    assert {one.topic for one in again} == {one.topic for one in asked[:2]}
    browser.get("/training/questions/7")
    assert browser.path == "/training/again"
    browser.post("/training/questions/7", status=409, choice="b", sureness="")
    assert "Read 2 topics again first" in browser.get("/training")
    page = browser.get("/training/again")
    for one in asked:
        assert (f"Nobody does {one.topic}." in page) is (one in asked[:2])
    browser.post("/training/again")
    assert browser.path == "/training/questions/7"
    answer(browser, again[0])
    answer(browser, again[1], "a")  # missed once more: read once more
    browser.get("/training/questions/9")
    assert browser.path == "/training/again"
    page = browser.post("/training/again")
    answer(browser, world.questions(world.journey())[8])
    assert "I have read again what I missed." in browser.get("/training/declaration")
    assert "Training finished" in sign(browser)


def test_a_weak_topic_is_read_again_even_by_whoever_passed(world: World) -> None:
    inducted(world)
    catalogue = world.app.extensions["catalogue"]
    world.teach(
        replace(
            catalogue,
            topics={key: replace(one, important=False) for key, one in catalogue.topics.items()},
        )
    )
    browser = world.enter()
    browser.post("/begin")
    browser.post("/training/changes")
    browser.post("/training/who-to-tell")
    asked = world.questions(world.journey())
    for one in asked:
        answer(browser, one, "a" if one is asked[0] else "b")
    assert browser.get("/training/declaration")
    assert browser.path == "/training"
    browser.get("/training/again")
    browser.post("/training/again")
    assert browser.path == "/training/declaration"
    assert "Training finished" in sign(browser)


def test_reading_again_counts_once_and_only_when_there_is_something(world: World) -> None:
    inducted(world)
    browser = world.enter()
    browser.post("/begin")
    browser.post("/training/again")
    assert browser.path == "/training/changes"
    browser.post("/training/changes")
    first = world.journey().changes_read_at
    world.clock.move(minutes=5)
    browser.post("/training/changes")
    assert world.journey().changes_read_at == first


def test_the_changes_page_of_an_induction_leads_to_its_list(world: World) -> None:
    browser = world.enter("induction")
    begin(browser)
    browser.get("/training/changes")
    assert browser.path == "/training"
    browser.post("/training/changes", status=404)


def test_an_update_asks_about_what_changed_and_nothing_else(world: World) -> None:
    inducted(world)
    world.open_next_version()
    browser = world.enter("policy-update")
    page = browser.post("/begin")
    assert "Know who to tell" not in page
    asked = world.questions(world.journey("policy-update"))
    assert [one.topic for one in asked if one.state == "settled"] == ["topic-03"]
    assert {one.topic for one in asked} <= {"topic-03", "topic-04"}
    browser.post("/training/changes")
    assert browser.path == "/training/questions/1"
    for one in asked:
        answer(browser, one)
    assert "Training finished" in sign(browser)
    # Whoever declared it has nothing new to read in September.
    assert "Nothing that applies to you" in world.enter().post("/begin")


def test_an_update_that_changes_nothing_for_the_reader_is_declared(world: World) -> None:
    inducted(world)
    browser = world.enter("policy-update")
    browser.post("/begin")
    browser.post("/training/changes")
    assert browser.path == "/training/declaration"
    assert "Training finished" in sign(browser)


def test_persons_found_to_be_one_have_declared_as_one(world: World) -> None:
    inducted(world)
    browser = world.enter(subject="another")
    with world.database.transaction() as session:
        first, second = session.scalars(select(Person.id).order_by(Person.created_at)).all()
        session.execute(update(Person).where(Person.id == second).values(one_with=first))
    page = browser.post("/begin", asked="yes", role_group="teaching")
    assert "What has changed since 23 November 2026" in page


@pytest.mark.parametrize("same", [False, True])
def test_at_a_second_school_one_does_only_what_differs(world: World, same: bool) -> None:
    world.teach(with_other_school(world.app.extensions["catalogue"], same=same))
    inducted(world)
    browser = world.enter("induction", school_id="other-school")
    page = begin(browser)
    assert "What is not the same here as at Little School" in page
    assert "Open the whole policy" in page
    page = browser.get("/training/changes")
    assert "At your other school, Little School, you declared version 2026-03" in page
    browser.post("/training/changes")
    assert browser.path == "/training/who-to-tell"
    browser.post("/training/who-to-tell")
    asked = world.questions(world.journey("induction", "other-school"))
    if same:
        assert headings(page) == ["Nothing differs here"]
        assert asked == []
        assert browser.path == "/training/declaration"
    else:
        assert headings(page) == ["What differs here"]
        assert "Nobody ever does topic-03 at all." in page
        assert "Nobody does topic-03." in page
        assert "The policy does not say." in page  # here, on topic 4
        assert "topic-05" not in page
        assert {one.topic for one in asked} == {"topic-03", "topic-04"}
        for one in asked:
            answer(browser, one)
    assert "Training finished" in sign(browser)
    said = "asks the same of me as the policy" if same else "differs from the policy"
    assert f"{said} of Little School, version 2026-03, which I declared on 23 Nov" in world.said()
    with world.database.reading() as session:
        schools = session.scalars(select(Completion.school_id)).all()
    assert sorted(schools) == ["little-school", "other-school"]
    facts = last_facts(world, "other-school")
    assert "little-school" not in str(facts)
    assert facts["changes"]["topics_differing"] == ([] if same else ["topic-03", "topic-04"])  # type: ignore[index]


def test_a_refresh_done_at_one_school_is_not_done_in_full_at_the_other(world: World) -> None:
    catalogue = with_other_school(world.app.extensions["catalogue"])
    world.teach(catalogue)
    inducted(world)
    other = world.enter("induction", school_id="other-school")
    begin(other)
    other.post("/training/changes")
    other.post("/training/who-to-tell")
    for one in world.questions(world.journey("induction", "other-school")):
        answer(other, one)
    sign(other)
    world.clock.move(days=YEAR)
    for school in ("little-school", "other-school"):
        browser = world.enter(school_id=school)
        browser.post("/begin")
        browser.post("/training/changes")
        browser.post("/training/who-to-tell")
        asked = world.questions(world.journey(school=school))
        for one in asked:
            answer(browser, one)
        assert "Training finished" in sign(browser)
        topics = {one.topic for one in asked}
        assert len(topics) == 6 or topics == {"topic-03", "topic-04"}
    assert topics == {"topic-03", "topic-04"}


def test_without_a_completed_training_there_nothing_is_spared_here(world: World) -> None:
    world.teach(with_other_school(world.app.extensions["catalogue"]))
    begin(world.enter("induction"))
    page = begin(world.enter("induction", school_id="other-school"))
    assert "Read what your policy says" in page


def test_schools_of_no_trust_know_nothing_of_each_other(world: World) -> None:
    catalogue = with_other_school(world.app.extensions["catalogue"])
    apart = {key: replace(one, trust="") for key, one in catalogue.schools.items()}
    world.teach(replace(catalogue, schools=apart))
    inducted(world)
    page = begin(world.enter("induction", school_id="other-school"))
    assert "Read what your policy says" in page


def test_reload_back_and_two_tabs(world: World) -> None:
    inducted(world)
    one, two = world.enter(), world.enter()
    one.post("/begin")
    two.post("/begin")
    with world.database.reading() as session:
        assert len(session.scalars(select(Journey)).all()) == 2
    for browser in (one, two):
        browser.post("/training/changes")
        browser.post("/training/who-to-tell")
    first = world.questions(world.journey())[0]
    answer(one, first, "b")
    assert "Your first answer was kept" in answer(two, first, "a")
    assert world.questions(world.journey())[0].choice == "b"
