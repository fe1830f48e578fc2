"""Launch, line item, score and result at each platform, seen from both sides."""

from collections.abc import Callable
from uuid import UUID

from flask import Flask

from interop.conftest import Tool, eventually
from interop.platforms import OpenEdx, Platform, Score
from interop.world import (
    COLLEAGUE,
    DECLARED,
    LEARNER,
    NEWCOMER,
    PROGRAMMED,
    SCHOOL,
    TEACHER,
    UNCHOSEN,
    Activity,
    Person,
)
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.lti.services.line_items import read_result
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
    result = read_result(lti, known, item["url"], platform.subject(LEARNER))
    assert result is not None
    assert result.percent == 100
    assert read_result(lti, known, item["url"], "nobody") is None


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


def test_what_a_teacher_picks_is_added_and_opens(
    platform: Platform, tool: Tool, arrive: Arrive, catalogue: Catalogue
) -> None:
    teacher = PlainBrowser(tool.url, catalogue, SCHOOL, TEACHER.name)
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
    assert content["custom"] == {"school": SCHOOL, "module": "before-you-start"}

    learner = arrive(LEARNER, UNCHOSEN)
    assert "Before you start" in learner.heading
    learner.learn()
    eventually(learner, "/training/finished", "Sent to")
    (item,) = platform.line_items(UNCHOSEN)
    (score,) = platform.scores(item["id"])
    assert (score.subject, score.given, score.maximum) == (platform.subject(LEARNER), 100, 100)


def test_a_learner_is_given_nothing_to_pick(
    platform: Platform, tool: Tool, catalogue: Catalogue
) -> None:
    learner = PlainBrowser(tool.url, catalogue, SCHOOL, LEARNER.name)
    platform.sign_in(learner.http, LEARNER)
    refusal = platform.launch(learner.http, UNCHOSEN, chooses=True)
    assert refusal.status_code == 403
