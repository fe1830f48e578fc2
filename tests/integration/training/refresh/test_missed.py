"""What was missed is asked again, and read again before."""

from dataclasses import replace

from tests.factories.learner_browser import sign
from tests.integration.training.refresh.conftest import World, answer, inducted


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
    browser.get("/training/declaration")
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
