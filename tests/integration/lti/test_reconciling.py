"""Each night: does the platform hold what we sent?"""

import json
from collections import Counter

from click.testing import Result

from lti_tool.lti import cli
from lti_tool.lti.claims import SCORE_SCOPE
from lti_tool.lti.services import outbox
from lti_tool.lti.services.reconciling import reconcile
from sandbox_lms.platform import OMIT
from sandbox_lms.schools import Person
from tests.conformance.world import SCHOOL, World
from tests.conftest import SetClock
from tests.factories.scoring import arrive, asked, endpoint, held, owe, rows, where

CYCLE = "2026-27"


def _sent(tool: World, clock: SetClock, *kinds: str, score: int = 90) -> list[Person]:
    """Scores of these people have been sent, and some hours have gone by."""
    people = [tool.platform.person(SCHOOL, kind) for kind in kinds or ("starter",)]
    for person in people:
        owe(tool, arrive(tool, person), score, cycle=CYCLE)
    assert outbox.send_due(tool.lti) == len(people)
    clock.move(hours=5)
    tool.platform.requests_seen.clear()
    return people


def _counts(tool: World, *, at_once: bool = False) -> Counter[str]:
    return +reconcile(tool.lti, at_once=at_once)


def _item(tool: World) -> int:
    (found,) = tool.platform.items_of(tool.activity)
    return found


def test_what_is_held_is_left_alone(tool: World, clock: SetClock) -> None:
    _sent(tool, clock, "starter", "assistant", "governor")
    assert _counts(tool) == {"held": 3}
    (asked_for,) = asked(tool, "/results")
    assert "limit" not in asked_for.path, "Moodle has an error page for it"
    assert "user_id" not in asked_for.path, "one call for a line item, not one for each person"
    assert not asked(tool, "/scores")


def test_what_is_lost_is_sent_again_once_a_night(tool: World, clock: SetClock) -> None:
    _sent(tool, clock, "starter", "assistant")
    before = rows(tool)[0]
    del tool.platform.gradebook.grades[_item(tool), tool.learner.id]
    assert _counts(tool) == {"held": 1, "lost": 1}
    assert where(tool, before.completion_id).state == "waiting"
    assert outbox.sweep(tool.lti) == 1
    assert held(tool) == 90
    assert rows(tool)[0].timestamp > before.timestamp
    assert _counts(tool) == {}, "not twice in a night"


def test_what_a_platform_loses_again_and_again_needs_attention(
    tool: World, clock: SetClock
) -> None:
    _sent(tool, clock)
    for _ in range(4):
        tool.platform.gradebook.grades.clear()
        assert _counts(tool) == {"lost": 1}
        outbox.sweep(tool.lti)
        clock.move(days=1)
    assert len(asked(tool, "/scores")) == 3
    (row,) = rows(tool)
    assert where(tool, row.completion_id).state == "attention"
    assert where(tool, row.completion_id).reason_code == "lost"
    assert _counts(tool) == {}


def test_what_was_changed_by_hand_is_shown_so_and_never_overwritten(
    tool: World, clock: SetClock
) -> None:
    _sent(tool, clock)
    tool.platform.gradebook.override(_item(tool), tool.learner.id, 40)
    assert _counts(tool) == {"changed": 1}
    completion_id = rows(tool)[0].completion_id
    assert where(tool, completion_id).state == "changed"
    better = owe(tool, arrive(tool), 100, cycle=CYCLE)
    outbox.sweep(tool.lti)
    assert not asked(tool, "/scores")
    assert where(tool, better).state == where(tool, completion_id).state == "changed"
    clock.move(days=1)
    assert _counts(tool) == {"changed": 1}


def test_what_was_changed_back_by_hand_is_ours_again(tool: World, clock: SetClock) -> None:
    _sent(tool, clock)
    tool.platform.gradebook.override(_item(tool), tool.learner.id, 40)
    _counts(tool)
    tool.platform.gradebook.override(_item(tool), tool.learner.id, 90)
    clock.move(days=1)
    assert _counts(tool) == {"restored": 1}
    assert where(tool, rows(tool)[0].completion_id).state == "sent"


def test_a_line_item_that_was_deleted_is_made_again_for_everybody(
    tool: World, clock: SetClock
) -> None:
    _sent(tool, clock, "starter", "assistant")
    tool.platform.gradebook.delete(_item(tool))
    assert _counts(tool) == {"lost": 2}
    assert outbox.sweep(tool.lti) == 2
    assert held(tool) == 90
    clock.move(days=1)
    assert _counts(tool) == {"held": 2}


def test_each_persons_latest_score(tool: World, clock: SetClock) -> None:
    visit = arrive(tool)
    for score in (80, 90):
        owe(tool, visit, score, cycle=CYCLE)
        outbox.send_due(tool.lti)
    clock.move(hours=5)
    assert _counts(tool) == {"held": 1}


def test_every_score_of_twelve_months_whatever_its_cycle(tool: World, clock: SetClock) -> None:
    """A policy's update has a cycle of its own, and schools begin their year when they like."""
    for cycle in (CYCLE, "policy-2"):
        owe(tool, arrive(tool), cycle=cycle)
        outbox.send_due(tool.lti)
    clock.move(days=300)
    assert _counts(tool) == {"held": 2}
    clock.move(days=100)
    assert _counts(tool) == {}


def test_a_score_sent_this_moment_is_not_missed_yet(tool: World, clock: SetClock) -> None:
    _sent(tool, clock)
    tool.platform.gradebook.grades.clear()
    clock.move(hours=-4.9)
    assert _counts(tool) == {}


def test_without_leave_to_read_results_no_call_is_made(tool: World, clock: SetClock) -> None:
    owe(tool, arrive(tool, **endpoint(tool, scope=[SCORE_SCOPE])), cycle=CYCLE)
    outbox.send_due(tool.lti)
    clock.move(hours=5)
    assert _counts(tool) == {"no-leave": 1}
    assert not asked(tool, "/results")


def test_a_platform_that_does_not_answer_loses_nothing(tool: World, clock: SetClock) -> None:
    _sent(tool, clock)
    for kind in ("503", "403", "reset", "401"):
        tool.platform.faults.put("results", kind)
        assert _counts(tool) == {"unreadable": 1}
        clock.move(days=1)
    tool.platform.faults.clear()
    tool.platform.faults.put("token", "400")
    tool.platform.revoke_tokens()
    assert _counts(tool) == {"unreadable": 1}
    assert [row.state for row in rows(tool)] == ["sent"]
    tool.platform.faults.clear()
    clock.move(days=1)
    assert _counts(tool) == {"held": 1}


def test_a_platform_without_own_line_item_url(tool: World, clock: SetClock) -> None:
    only = endpoint(tool, lineitem=OMIT)
    owe(tool, arrive(tool, **only), cycle=CYCLE)
    outbox.send_due(tool.lti)
    clock.move(hours=5)
    assert _counts(tool) == {"held": 1}


def _run(tool: World, *words: str) -> Result:
    return tool.app.test_cli_runner().invoke(cli.scores, words)


def test_the_command_compares_at_once_and_says_how_it_came_out(
    tool: World, clock: SetClock
) -> None:
    _sent(tool, clock)
    assert _counts(tool) == {"held": 1}
    assert json.loads(_run(tool, "reconcile", "--json").output)["held"] == 1
    said = _run(tool, "reconcile").output
    assert "held: 1" in said
    assert "lost: 0" in said


def test_a_replaced_mark_needs_saying_so(tool: World, clock: SetClock) -> None:
    _sent(tool, clock)
    tool.platform.gradebook.override(_item(tool), tool.learner.id, 40)
    _counts(tool)
    (row,) = rows(tool)
    assert "score-changed-there" in _run(tool, "resend", str(row.id)).output
    assert _run(tool, "resend", "--replace", str(row.id)).output.strip() == "sent"
