"""What a platform may answer to a score, and what follows (AGS-9, AGS-10)."""

import pytest

from lti_tool.lti.claims import SCORE_SCOPE
from lti_tool.lti.models import ScoreOutbox
from lti_tool.lti.services import outbox, scores
from lti_tool.lti.services.scores import Delivery
from tests.conformance.world import SCHOOL, World
from tests.conftest import SetClock
from tests.factories.scoring import arrive, asked, endpoint, held, owe, rows, where


def test_somebody_who_cannot_be_scored_is_told_so_and_not_tried_again(
    tool: World, clock: SetClock
) -> None:
    completion_id = owe(tool, arrive(tool, tool.platform.person(SCHOOL, "head")))
    outbox.send_due(tool.lti)
    assert where(tool, completion_id) == Delivery("not-scored", "The platform", "not-gradable")
    tool.platform.requests_seen.clear()
    clock.move(days=1)
    outbox.sweep(tool.lti)
    assert not asked(tool, "/scores")


@pytest.mark.parametrize("kind", ["503", "500", "429", "reset"])
def test_a_platform_away_for_a_day_loses_nothing(tool: World, clock: SetClock, kind: str) -> None:
    completion_id = owe(tool, arrive(tool))
    (before,) = rows(tool)
    tool.platform.faults.put("scores", kind)
    for _ in range(24):
        outbox.sweep(tool.lti)
        clock.move(hours=1)
    assert where(tool, completion_id).state == "waiting"
    (row,) = rows(tool)
    assert 12 <= row.attempts <= 24
    assert row.payload == before.payload
    tool.platform.faults.clear()
    clock.move(hours=2)
    assert outbox.sweep(tool.lti) == 1
    assert held(tool) == 90


def test_after_three_days_somebody_must_look(tool: World, clock: SetClock) -> None:
    completion_id = owe(tool, arrive(tool))
    tool.platform.faults.put("scores", "503")
    for _ in range(25):
        outbox.sweep(tool.lti)
        clock.move(hours=3.9)
    assert where(tool, completion_id).state == "attention"
    tool.platform.faults.clear()
    (row,) = rows(tool)
    with tool.database.transaction() as session:
        scores.resend(session, session.get_one(ScoreOutbox, row.id), now=clock())
    assert outbox.send_due(tool.lti) == 1
    assert held(tool) == 90


def test_waits_grow_and_retry_after_is_honoured(tool: World, clock: SetClock) -> None:
    owe(tool, arrive(tool))
    tool.platform.faults.put("scores", "503")
    waits = []
    for _ in range(4):
        outbox.send_due(tool.lti)
        (row,) = rows(tool)
        waits.append((row.next_at - clock()).total_seconds())
        clock.now = row.next_at
    for number, wait in enumerate(waits):
        assert 7.5 * 2**number <= wait <= 12.5 * 2**number
    tool.platform.faults.put("scores", "429", seconds=1800)
    outbox.send_due(tool.lti)
    assert (rows(tool)[0].next_at - clock()).total_seconds() == 1800


def test_ags_9_lost_reply_has_no_second_effect(tool: World, clock: SetClock) -> None:
    completion_id = owe(tool, arrive(tool))
    tool.platform.faults.put("scores", "lost-reply", times=1)
    assert outbox.send_due(tool.lti) == 0
    clock.move(minutes=1)
    assert outbox.send_due(tool.lti) == 1
    first, second = asked(tool, "/scores")
    assert first.body == second.body
    assert where(tool, completion_id).reason_code == "held-already"
    assert held(tool) == 90


def test_ags_10_forbidden_gets_one_more_try_after_a_launch(tool: World, clock: SetClock) -> None:
    completion_id = owe(tool, arrive(tool))
    tool.platform.faults.put("scores", "403")
    outbox.sweep(tool.lti)
    assert where(tool, completion_id).reason_code == "forbidden"
    clock.move(hours=1)
    assert outbox.sweep(tool.lti) == 0
    assert len(asked(tool, "/scores")) == 1
    arrive(tool)
    outbox.sweep(tool.lti)
    assert len(asked(tool, "/scores")) == 2
    clock.move(hours=1)
    arrive(tool)
    outbox.sweep(tool.lti)
    assert len(asked(tool, "/scores")) == 2, "one more, not one for each launch"


def test_ags_10_a_later_score_of_ours_does_not_block_for_ever(tool: World, clock: SetClock) -> None:
    """The platform's clock ran ahead when it took our 80: the 90 goes out with a later time."""
    visit = arrive(tool)
    owe(tool, visit, 80)
    outbox.send_due(tool.lti)
    (item_id,) = tool.platform.items_of(tool.activity)
    tool.platform.gradebook.grades[item_id, tool.learner.id].timestamp += 3600
    clock.move(minutes=1)
    owe(tool, visit, 90)
    assert outbox.send_due(tool.lti) == 1
    assert held(tool) == 90


def test_ags_10_a_score_changed_by_hand_is_left_alone(tool: World, clock: SetClock) -> None:
    visit = arrive(tool)
    owe(tool, visit, 80)
    outbox.send_due(tool.lti)
    (item_id,) = tool.platform.items_of(tool.activity)
    tool.platform.gradebook.override(item_id, tool.learner.id, 40)
    tool.platform.gradebook.grades[item_id, tool.learner.id].timestamp += 3600
    clock.move(minutes=1)
    second = owe(tool, visit, 90)
    outbox.send_due(tool.lti)
    assert where(tool, second) == Delivery("changed", "The platform", "overridden")
    assert held(tool) == 40


def test_ags_10_conflict_without_leave_to_read_results(tool: World, clock: SetClock) -> None:
    visit = arrive(tool, **endpoint(tool, scope=[SCORE_SCOPE]))
    completion_id = owe(tool, visit)
    tool.platform.faults.put("scores", "lost-reply", times=1)
    outbox.send_due(tool.lti)
    clock.move(minutes=1)
    assert outbox.send_due(tool.lti) == 1
    assert not asked(tool, "/results")
    assert where(tool, completion_id).reason_code == "held-already"
