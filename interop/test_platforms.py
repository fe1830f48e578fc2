"""Launch, line item, score and result at each platform, seen from both sides."""

from collections.abc import Callable
from uuid import UUID

from flask import Flask

from interop.conftest import Tool, eventually
from interop.platforms import OpenEdx, Platform, Score
from interop.world import COLLEAGUE, DECLARED, LEARNER, NEWCOMER, PROGRAMMED, Activity, Person
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

    lti = app.extensions["lti"]
    known = lti.registry.by_id(UUID(tool.realms[platform.name]))
    results = read_results(lti, known, item["url"], subject=platform.subject(LEARNER))
    assert [result.percent for result in results.values()] == [100]
    assert platform.subject(LEARNER) in results
    assert "nobody" not in read_results(lti, known, item["url"], subject="nobody")


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


def test_open_edx_publishes_the_score_as_points_of_the_block(
    platform: Platform, arrive: Arrive
) -> None:
    if not isinstance(platform, OpenEdx):
        return
    learner = arrive(LEARNER, DECLARED)
    learner.get("/")
    assert platform.grades(DECLARED) == [(LEARNER.username, 10.0, 10.0)]
