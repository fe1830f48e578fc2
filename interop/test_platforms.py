"""Launch, line item, score and result at each platform, seen from both sides."""

from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update

from interop.conftest import Tool, clauseway, eventually
from interop.platforms import OpenEdx, Platform, Score
from interop.world import (
    COLLEAGUE,
    COURSE_TITLE,
    DECLARED,
    LATECOMER,
    LEARNER,
    NEWCOMER,
    PEOPLE,
    PROGRAMMED,
    STAYS_AWAY,
    TEACHER,
    UNCHOSEN,
    Activity,
    Person,
)
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.lti.models import PENDING, SENT, AccessToken, ScoreOutbox
from lti_tool.lti.services import outbox
from lti_tool.lti.services.line_items import read_results
from tests.factories.plain_browser import PlainBrowser

Arrive = Callable[[Person, Activity], PlainBrowser]


def test_a_score_reaches_the_line_item_that_the_launch_named(
    platform: Platform, tool: Tool, arrive: Arrive, app: Flask
) -> None:
    learner = arrive(LEARNER, DECLARED)
    learner.learn()
    eventually(learner, "/training/finished", "Sent to")

    (item,) = platform.line_items(DECLARED)
    (score,) = platform.scores(item["id"])
    assert score == Score(platform.subject(LEARNER), 100, 100, score.comment)
    assert score.comment
    if isinstance(platform, OpenEdx):
        assert platform.grades(DECLARED) == [(LEARNER.username, 10.0, 10.0)]

    lti = app.extensions["lti"]
    known = lti.registry.by_id(UUID(tool.realms[platform.name]))
    (result,) = read_results(lti, known, item["url"], subject=platform.subject(LEARNER)).values()
    assert result.percent == 100


def test_a_line_item_is_made_once_and_then_found(platform: Platform, arrive: Arrive) -> None:
    assert platform.line_items(PROGRAMMED) == []
    for person in (COLLEAGUE, NEWCOMER):
        learner = arrive(person, PROGRAMMED)
        learner.learn()
        eventually(learner, "/training/finished", "Sent to")

    (item,) = platform.line_items(PROGRAMMED)
    assert item["maximum"] == 100
    assert item["resource_id"] == "induction"
    assert item["tag"]
    subjects = [score.subject for score in platform.scores(item["id"])]
    assert subjects == [platform.subject(COLLEAGUE), platform.subject(NEWCOMER)]


def test_a_score_sent_again_because_its_reply_was_lost_is_known_to_be_there(
    platform: Platform, tool: Tool, arrive: Arrive, app: Flask
) -> None:
    learner = arrive(LATECOMER, DECLARED)
    learner.learn()
    eventually(learner, "/training/finished", "Sent to")
    lti = app.extensions["lti"]
    with lti.database.transaction() as session:
        row = session.scalars(
            select(ScoreOutbox)
            .where(ScoreOutbox.registration_id == UUID(tool.realms[platform.name]))
            .where(ScoreOutbox.subject == platform.subject(LATECOMER))
        ).one()
        row_id, row.state, row.next_at = row.id, PENDING, lti.clock()
    outcome = outbox.deliver(lti, row_id)
    assert outcome is not None
    assert (outcome.state, outcome.reason) == (SENT, "held-already")


# The other's library fails at such a token, with 500, and nothing tells it from other faults.
@pytest.mark.parametrize("platform", ["openedx"], indirect=True)
def test_a_token_that_is_no_longer_taken_is_renewed(
    platform: Platform, tool: Tool, arrive: Arrive, app: Flask
) -> None:
    arrive(LEARNER, DECLARED)
    lti = app.extensions["lti"]
    known = lti.registry.by_id(UUID(tool.realms[platform.name]))
    (item,) = platform.line_items(DECLARED)
    assert read_results(lti, known, item["url"])
    with lti.database.transaction() as session:
        mine = AccessToken.registration_id == known.id
        session.execute(update(AccessToken).where(mine).values(token="no.longer.taken"))
    assert read_results(lti, known, item["url"])


def test_what_a_teacher_picks_is_added_and_opens(
    platform: Platform, tool: Tool, arrive: Arrive, catalogue: Catalogue
) -> None:
    teacher = PlainBrowser(tool.url, catalogue, platform.school, TEACHER.name)
    platform.sign_in(teacher.http, TEACHER)
    teacher.see(platform.launch(teacher.http, UNCHOSEN, chooses=True))
    assert teacher.heading == "Add to your course"
    teacher.send({"module": "before-you-start", "answer": "add"})
    (form,) = teacher.page.select("main form")
    (answer,) = form.select("input[name=JWT]")
    reply = teacher.http.post(str(form["action"]), data={"JWT": answer["value"]}, timeout=30)
    assert reply.status_code == 200, reply.text
    assert "saved" in reply.text

    (content,) = platform.content(UNCHOSEN)
    assert content["url"].startswith(f"{tool.url}/")
    assert content["custom"] == {"school": platform.school, "module": "before-you-start"}

    learner = arrive(LEARNER, UNCHOSEN)
    # They have done the induction above, so nothing is asked of them; they may do more.
    assert learner.heading == "My training"
    assert "Take “Before you start today”" in learner.page.get_text()
    learner.learn()
    eventually(learner, "/training/finished", "Sent to")
    (item,) = platform.line_items(UNCHOSEN)
    (score,) = platform.scores(item["id"])
    assert (score.subject, score.given, score.maximum) == (platform.subject(LEARNER), 100, 100)


def test_a_learner_is_given_nothing_to_pick(
    platform: Platform, tool: Tool, catalogue: Catalogue
) -> None:
    learner = PlainBrowser(tool.url, catalogue, platform.school, LEARNER.name)
    platform.sign_in(learner.http, LEARNER)
    refusal = platform.launch(learner.http, UNCHOSEN, chooses=True)
    assert refusal.status_code == 403


def test_everybody_in_the_course_is_read_and_stands_in_the_register(
    platform: Platform, tool: Tool, arrive: Arrive
) -> None:
    arrive(TEACHER, DECLARED)
    who = (f"--realm={tool.realms[platform.name]}", f"--subject={platform.subject(TEACHER)}")
    clauseway("people", "grant", *who, f"--school={platform.school}")
    manager = arrive(TEACHER, DECLARED)
    assert manager.path == "/register"
    assert STAYS_AWAY.name not in manager.page.get_text()

    (course,) = manager.get("/staff-lists").select('a[href*="/staff-lists/link/"]')
    assert COURSE_TITLE in course.get_text()
    manager.get(str(course["href"]))
    manager.send({"is_staff_only": "yes"})
    eventually(manager, "/staff-lists", f"{len(PEOPLE)} people")
    assert STAYS_AWAY.name in manager.get("/register").get_text()
