"""Learning anew over HTTP: what has changed is read and asked, by a refresh or an update."""

from dataclasses import replace

from sqlalchemy import delete, select, update

from lti_tool.curriculum.models import Content
from lti_tool.people.models import Person
from lti_tool.training.models import Journey
from tests.factories.learner_browser import begin, headings, sign
from tests.factories.little_school import with_next_version
from tests.integration.training.refresh.conftest import YEAR, World, answer, inducted, last_facts


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
    assert "Training finished" in page
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


def test_the_old_version_is_read_as_it_was_kept(world: World) -> None:
    inducted(world)
    taught = with_next_version(world.app.extensions["catalogue"])
    school = taught.schools["little-school"]
    world.teach(replace(taught, schools={school.id: replace(school, versions=school.versions[1:])}))
    browser = world.enter()
    # The little school's body is no policy, so what was declared cannot be shown: all is read.
    assert "Private" in browser.post("/begin")
    browser.get("/training/changes")
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
