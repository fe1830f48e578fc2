"""A second school of the trust: only what differs is read and asked there."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from lti_tool.training.models import Completion
from tests.factories.learner_browser import begin, headings, sign
from tests.factories.little_school import with_other_school
from tests.integration.training.refresh.conftest import YEAR, World, answer, inducted, last_facts


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
