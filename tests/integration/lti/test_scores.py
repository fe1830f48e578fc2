"""Scores reach the platform, whatever happens to it or to us (AGS-2 to AGS-11)."""

import json
import threading
from datetime import timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import jwt
import pytest
from sqlalchemy import select

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.lti.claims import SCORE_SCOPE
from lti_tool.lti.models import AccessToken, Nonce, Registration, ScoreOutbox
from lti_tool.lti.platforms import disable_platform
from lti_tool.lti.services import outbox, scores
from lti_tool.lti.services.scores import Delivery
from lti_tool.people.models import Visit
from sandbox_lms.platform import OMIT, Seen
from sandbox_lms.schools import Person
from tests.conformance.world import AGS, SCHOOL, World
from tests.conftest import SetClock


def _arrive(tool: World, person: Person | None = None, **changes: object) -> Visit:
    begun = tool.begin()
    someone = person or tool.learner
    said = tool.platform.id_token_claims(someone, tool.activity, begun.nonce, **changes)
    assert tool.post(begun, tool.platform.sign(said)).status_code == 303
    return tool.visits()[-1]


def _owe(tool: World, visit: Visit, score: int = 90, *, cycle: str = "2026") -> UUID:
    completion_id = uuid4()
    now = tool.lti.clock()
    with tool.database.transaction() as session:
        scores.owe(
            session,
            visit=visit,
            completion_id=completion_id,
            cycle=cycle,
            module="induction",
            score=score,
            comment="Finished – da iawn",
            completed_at=now,
            now=now,
        )
    return completion_id


def _where(tool: World, completion_id: UUID) -> Delivery:
    with tool.database.reading() as session:
        return scores.delivery(session, completion_id=completion_id)


def _rows(tool: World) -> list[ScoreOutbox]:
    with tool.database.reading() as session:
        return list(session.scalars(select(ScoreOutbox).order_by(ScoreOutbox.id)))


def _held(tool: World, person: Person | None = None) -> float | None:
    (item_id,) = tool.platform.items_of(tool.activity)
    grade = tool.platform.gradebook.grade(item_id, (person or tool.learner).id)
    return grade.score if grade else None


def _asked(tool: World, end: str) -> list[Seen]:
    return [seen for seen in tool.platform.requests_seen if urlsplit(seen.path).path.endswith(end)]


def _endpoint(tool: World, **changes: object) -> dict[str, Any]:
    """The AGS claim with some of it changed."""
    claim = tool.platform.id_token_claims(tool.learner, tool.activity, "")[AGS]
    assert isinstance(claim, dict)
    said = claim | changes
    return {AGS: {name: value for name, value in said.items() if value is not OMIT}}


def test_a_score_arrives(tool: World) -> None:
    completion_id = _owe(tool, _arrive(tool))
    assert _where(tool, completion_id) == Delivery("waiting", "The platform")
    assert outbox.send_due(tool.lti) == 1
    assert _held(tool) == 90
    assert _where(tool, completion_id) == Delivery("sent", "The platform", "", tool.lti.clock())
    assert outbox.send_due(tool.lti) == 0
    with tool.database.reading() as session:
        entry = session.scalars(select(ledger.LedgerEntry)).one()
        assert (entry.kind, entry.school_id) == ("score-sent", SCHOOL)
        assert ledger.verify(session, school_id=SCHOOL) == (1, None)


def test_ags_4_and_ags_5_what_is_sent(tool: World) -> None:
    _owe(tool, _arrive(tool), 0)
    outbox.send_due(tool.lti)
    (seen,) = _asked(tool, "/scores")
    assert urlsplit(seen.path).query.startswith("type_id=")
    assert seen.headers["Content-Type"] == "application/vnd.ims.lis.v1.score+json"
    said = json.loads(seen.body)
    assert said == {
        "userId": tool.learner.id,
        "scoreGiven": 0,
        "scoreMaximum": 100,
        "comment": "Finished – da iawn",
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "timestamp": "2026-11-23T09:00:00.000+00:00",
        "submission": {"submittedAt": "2026-11-23T09:00:00.000+00:00"},
    }
    assert _held(tool) == 0


def test_ags_5_timestamps_rise_by_a_second(tool: World) -> None:
    visit = _arrive(tool)
    for cycle in ("2024", "2025", "2026"):
        _owe(tool, visit, 90, cycle=cycle)
    stamps = [row.timestamp for row in _rows(tool)]
    assert [later - first for first, later in pairwise(stamps)] == [timedelta(seconds=1)] * 2


def test_ags_2_declared_line_item_is_not_looked_up(tool: World) -> None:
    visit = _arrive(tool, **_endpoint(tool, lineitems=OMIT, scope=[SCORE_SCOPE]))
    _owe(tool, visit)
    assert outbox.send_due(tool.lti) == 1
    assert not _asked(tool, "/lineitems")


def test_ags_3_line_item_is_found_by_its_link(tool: World) -> None:
    items = len(tool.platform.gradebook.items)
    _owe(tool, _arrive(tool, **_endpoint(tool, lineitem=OMIT)))
    assert outbox.send_due(tool.lti) == 1
    assert _held(tool) == 90
    assert len(tool.platform.gradebook.items) == items


def test_ags_3_line_item_is_made_once(tool: World) -> None:
    for item_id in tool.platform.items_of(tool.activity):
        tool.platform.gradebook.delete(item_id)
    visit = _arrive(tool, **_endpoint(tool, lineitem=OMIT))
    _owe(tool, visit, 80)
    assert outbox.send_due(tool.lti) == 1
    _owe(tool, visit, 95)
    assert outbox.send_due(tool.lti) == 1
    (item_id,) = tool.platform.items_of(tool.activity)
    item = tool.platform.gradebook.item(item_id)
    assert (item.resource_id, item.tag, item.score_maximum) == ("induction", "2026", 100)
    assert _held(tool) == 95


@pytest.mark.parametrize(
    "endpoint",
    [{"scope": ["other"]}, {"lineitem": OMIT, "lineitems": OMIT}, {"scope": OMIT}],
)
def test_ags_11_nothing_is_owed_without_leave_or_line_item(
    tool: World, endpoint: dict[str, object]
) -> None:
    completion_id = _owe(tool, _arrive(tool, **_endpoint(tool, **endpoint)))
    assert _rows(tool) == []
    assert _where(tool, completion_id) == Delivery("none")


def test_a_line_item_that_may_not_be_looked_for_needs_attention(tool: World) -> None:
    visit = _arrive(tool, **_endpoint(tool, lineitem=OMIT, scope=[SCORE_SCOPE]))
    completion_id = _owe(tool, visit)
    outbox.send_due(tool.lti)
    assert _where(tool, completion_id).state == "attention"
    assert _where(tool, completion_id).reason_code == "no-line-item"


def test_somebody_who_cannot_be_scored_is_told_so_and_not_tried_again(
    tool: World, clock: SetClock
) -> None:
    completion_id = _owe(tool, _arrive(tool, tool.platform.person(SCHOOL, "head")))
    outbox.send_due(tool.lti)
    assert _where(tool, completion_id) == Delivery("not-scored", "The platform", "not-gradable")
    tool.platform.requests_seen.clear()
    clock.move(days=1)
    outbox.sweep(tool.lti)
    assert not _asked(tool, "/scores")


@pytest.mark.parametrize(("later", "held"), [(70, 90), (90, 90), (95, 95)])
def test_never_a_lower_score_after_a_pass(tool: World, later: int, held: int) -> None:
    visit = _arrive(tool)
    _owe(tool, visit, 90)
    outbox.send_due(tool.lti)
    second = _owe(tool, visit, later)
    outbox.send_due(tool.lti)
    assert _held(tool) == held
    assert _where(tool, second).state == "sent"
    assert len(_asked(tool, "/scores")) == (2 if later > 90 else 1)


def test_a_better_score_supersedes_what_waits(tool: World) -> None:
    visit = _arrive(tool)
    first, second, third = (_owe(tool, visit, score) for score in (80, 95, 85))
    assert outbox.send_due(tool.lti) == 1
    assert _held(tool) == 95
    with tool.database.reading() as session:
        found = scores.deliveries(session, completion_ids=[first, second, third, uuid4()])
    assert [one.state for one in found.values()] == ["sent", "sent", "sent", "none"]


def test_a_better_score_owed_while_one_is_on_its_way(tool: World, clock: SetClock) -> None:
    """The first try fails after a better score came: the lower one must never follow it."""
    visit = _arrive(tool)
    _owe(tool, visit, 80)
    claimed = outbox._claim(tool.lti)
    assert claimed is not None
    _owe(tool, visit, 95)
    assert outbox.send_due(tool.lti) == 0, "one at a time for each person"
    outbox._record(tool.lti, claimed, outbox.Outcome("pending", "unreachable"))
    clock.move(hours=2)
    assert outbox.send_due(tool.lti) == 1
    assert _held(tool) == 95
    assert [row.state for row in _rows(tool)] == ["superseded", "sent"]


@pytest.mark.parametrize("kind", ["503", "500", "429", "reset"])
def test_a_platform_away_for_a_day_loses_nothing(tool: World, clock: SetClock, kind: str) -> None:
    completion_id = _owe(tool, _arrive(tool))
    (before,) = _rows(tool)
    tool.platform.faults.put("scores", kind)
    for _ in range(24 * 2):
        outbox.sweep(tool.lti)
        clock.move(minutes=30)
    assert _where(tool, completion_id).state == "waiting"
    (row,) = _rows(tool)
    assert 16 <= row.attempts <= 48
    assert row.payload == before.payload
    tool.platform.faults.clear()
    clock.move(hours=2)
    assert outbox.sweep(tool.lti) == 1
    assert _held(tool) == 90


def test_after_three_days_somebody_must_look(tool: World, clock: SetClock) -> None:
    completion_id = _owe(tool, _arrive(tool))
    tool.platform.faults.put("scores", "503")
    for _ in range(75):
        outbox.sweep(tool.lti)
        clock.move(hours=1.3)
    assert _where(tool, completion_id).state == "attention"
    tool.platform.faults.clear()
    (row,) = _rows(tool)
    with tool.database.transaction() as session:
        scores.resend(session, session.get_one(ScoreOutbox, row.id), now=clock())
    assert outbox.send_due(tool.lti) == 1
    assert _held(tool) == 90


def test_waits_grow_and_retry_after_is_honoured(tool: World, clock: SetClock) -> None:
    _owe(tool, _arrive(tool))
    tool.platform.faults.put("scores", "503")
    waits = []
    for _ in range(4):
        outbox.send_due(tool.lti)
        (row,) = _rows(tool)
        waits.append((row.next_at - clock()).total_seconds())
        clock.now = row.next_at
    for number, wait in enumerate(waits):
        assert 7.5 * 2**number <= wait <= 12.5 * 2**number
    tool.platform.faults.put("scores", "429", seconds=1800)
    outbox.send_due(tool.lti)
    assert (_rows(tool)[0].next_at - clock()).total_seconds() == 1800


def test_ags_9_lost_reply_has_no_second_effect(tool: World, clock: SetClock) -> None:
    completion_id = _owe(tool, _arrive(tool))
    tool.platform.faults.put("scores", "lost-reply", times=1)
    assert outbox.send_due(tool.lti) == 0
    clock.move(minutes=1)
    assert outbox.send_due(tool.lti) == 1
    first, second = _asked(tool, "/scores")
    assert first.body == second.body
    assert _where(tool, completion_id).reason_code == "held-already"
    assert _held(tool) == 90


def test_ags_8_a_token_that_is_refused_is_renewed_once(tool: World) -> None:
    visit = _arrive(tool)
    _owe(tool, visit, 80)
    outbox.send_due(tool.lti)
    tool.platform.revoke_tokens()
    _owe(tool, visit, 90)
    assert outbox.send_due(tool.lti) == 1
    assert len(_asked(tool, "/token")) == 2


def test_ags_8_a_token_refused_twice_needs_attention(tool: World) -> None:
    completion_id = _owe(tool, _arrive(tool))
    tool.platform.faults.put("scores", "401")
    outbox.send_due(tool.lti)
    assert len(_asked(tool, "/scores")) == 2
    assert _where(tool, completion_id).reason_code == "reconnect"


@pytest.mark.parametrize(
    ("kind", "state"), [("400", "attention"), ("503", "waiting"), ("reset", "waiting")]
)
def test_token_service_in_trouble(tool: World, kind: str, state: str) -> None:
    completion_id = _owe(tool, _arrive(tool))
    tool.platform.faults.put("token", kind)
    outbox.send_due(tool.lti)
    assert _where(tool, completion_id).state == state
    assert not _asked(tool, "/scores")


def test_a_token_is_kept_until_shortly_before_its_end(tool: World, clock: SetClock) -> None:
    visit = _arrive(tool)
    for number, minutes in enumerate((0, 30, 28, 1.5)):
        clock.move(minutes=minutes)
        _owe(tool, visit, 80 + number)
        assert outbox.send_due(tool.lti) == 1
    assert len(_asked(tool, "/token")) == 2
    with tool.database.reading() as session:
        kept = session.scalars(select(AccessToken)).one()
        assert kept.scopes == SCORE_SCOPE


def test_sec_10_client_assertion(tool: World) -> None:
    _owe(tool, _arrive(tool))
    outbox.send_due(tool.lti)
    (asked,) = _asked(tool, "/token")
    assertion = parse_qs(asked.body.decode())["client_assertion"][0]
    header = jwt.get_unverified_header(assertion)
    said = jwt.decode(assertion, options={"verify_signature": False})
    registration = tool.registration()
    assert header["alg"] == "RS256"
    assert header["kid"] == tool.lti.tool_keys.kids()[-1]
    assert said["iss"] == said["sub"] == registration.client_id
    assert said["aud"] == registration.auth_token_url
    assert 0 < said["exp"] - said["iat"] <= 300
    assert len(said["jti"]) >= 32


def test_ags_10_forbidden_gets_one_more_try_after_a_launch(tool: World, clock: SetClock) -> None:
    completion_id = _owe(tool, _arrive(tool))
    tool.platform.faults.put("scores", "403")
    outbox.sweep(tool.lti)
    assert _where(tool, completion_id).reason_code == "forbidden"
    clock.move(hours=1)
    assert outbox.sweep(tool.lti) == 0
    assert len(_asked(tool, "/scores")) == 1
    _arrive(tool)
    outbox.sweep(tool.lti)
    assert len(_asked(tool, "/scores")) == 2
    clock.move(hours=1)
    _arrive(tool)
    outbox.sweep(tool.lti)
    assert len(_asked(tool, "/scores")) == 2, "one more, not one for each launch"


def test_ags_10_a_line_item_that_is_gone_is_found_again(tool: World) -> None:
    _owe(tool, _arrive(tool))
    (item_id,) = tool.platform.items_of(tool.activity)
    tool.platform.gradebook.delete(item_id)
    assert outbox.send_due(tool.lti) == 1
    assert _held(tool) == 90


def test_ags_10_a_course_that_is_gone_needs_attention(tool: World) -> None:
    completion_id = _owe(tool, _arrive(tool))
    tool.platform.faults.put("scores", "404")
    tool.platform.faults.put("lineitems", "404")
    outbox.send_due(tool.lti)
    assert _where(tool, completion_id) == Delivery("attention", "The platform", "line-item-gone")


def test_ags_10_a_later_score_of_ours_does_not_block_for_ever(tool: World, clock: SetClock) -> None:
    """The platform's clock ran ahead when it took our 80: the 90 goes out with a later time."""
    visit = _arrive(tool)
    _owe(tool, visit, 80)
    outbox.send_due(tool.lti)
    (item_id,) = tool.platform.items_of(tool.activity)
    tool.platform.gradebook.grades[item_id, tool.learner.id].timestamp += 3600
    clock.move(minutes=1)
    _owe(tool, visit, 90)
    assert outbox.send_due(tool.lti) == 1
    assert _held(tool) == 90


def test_ags_10_a_score_changed_by_hand_is_left_alone(tool: World, clock: SetClock) -> None:
    visit = _arrive(tool)
    _owe(tool, visit, 80)
    outbox.send_due(tool.lti)
    (item_id,) = tool.platform.items_of(tool.activity)
    tool.platform.gradebook.override(item_id, tool.learner.id, 40)
    tool.platform.gradebook.grades[item_id, tool.learner.id].timestamp += 3600
    clock.move(minutes=1)
    second = _owe(tool, visit, 90)
    outbox.send_due(tool.lti)
    assert _where(tool, second) == Delivery("attention", "The platform", "overridden")
    assert _held(tool) == 40


def test_ags_10_conflict_without_leave_to_read_results(tool: World, clock: SetClock) -> None:
    visit = _arrive(tool, **_endpoint(tool, scope=[SCORE_SCOPE]))
    completion_id = _owe(tool, visit)
    tool.platform.faults.put("scores", "lost-reply", times=1)
    outbox.send_due(tool.lti)
    clock.move(minutes=1)
    assert outbox.send_due(tool.lti) == 1
    assert not _asked(tool, "/results")
    assert _where(tool, completion_id).reason_code == "held-already"


def test_a_lease_left_behind_is_taken_over(tool: World, clock: SetClock) -> None:
    """A worker that was killed after the platform took the score."""
    completion_id = _owe(tool, _arrive(tool))
    claimed = outbox._claim(tool.lti)
    assert claimed is not None
    assert outbox.send_due(tool.lti) == 0
    clock.move(minutes=11)
    assert outbox.send_due(tool.lti) == 1
    assert _where(tool, completion_id).state == "sent"
    outbox._record(tool.lti, claimed, outbox.Outcome("dead", "late"))
    assert _where(tool, completion_id).state == "sent"


def test_a_worker_that_lost_its_lease_has_no_say(tool: World, clock: SetClock) -> None:
    _owe(tool, _arrive(tool))
    first = outbox._claim(tool.lti)
    clock.move(minutes=11)
    second = outbox._claim(tool.lti)
    assert first is not None
    assert second is not None
    outbox._record(tool.lti, first, outbox.Outcome("dead", "late"))
    assert [row.state for row in _rows(tool)] == ["sending"]
    outbox._record(tool.lti, second, outbox.Outcome("sent"))
    assert [row.state for row in _rows(tool)] == ["sent"]


def test_somebody_whose_score_is_on_its_way_holds_up_nobody_else(tool: World) -> None:
    visit = _arrive(tool)
    _owe(tool, visit, cycle="2025")
    assert outbox._claim(tool.lti) is not None
    _owe(tool, visit, cycle="2026")
    _owe(tool, _arrive(tool, tool.platform.person(SCHOOL, "governor")))
    assert outbox.send_due(tool.lti) == 1
    assert [row.state for row in _rows(tool)] == ["sending", "pending", "sent"]


def test_two_workers_send_a_score_once(tool: World) -> None:
    _owe(tool, _arrive(tool))
    gate, sent = threading.Barrier(4), list[int]()

    def work() -> None:
        gate.wait()
        sent.append(outbox.send_due(tool.lti))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sent) == [0, 0, 0, 1]
    assert len(_asked(tool, "/scores")) == 1


def test_a_dead_platform_does_not_hold_up_others_people(tool: World) -> None:
    for kind in ("starter", "assistant", "governor"):
        _owe(tool, _arrive(tool, tool.platform.person(SCHOOL, kind)))
    tool.platform.faults.put("scores", "503")
    outbox.send_due(tool.lti)
    assert len(_asked(tool, "/scores")) == 1, "left alone for the rest of the round"


def test_a_disabled_platform_is_sent_nothing(tool: World, clock: SetClock) -> None:
    completion_id = _owe(tool, _arrive(tool))
    with tool.database.transaction() as session:
        row = session.get_one(Registration, tool.registration_id)
        disable_platform(session, row, now=clock())
    assert outbox.send_due(tool.lti) == 0
    tool.register(SCHOOL, SCHOOL)
    assert outbox.send_due(tool.lti) == 1
    assert _where(tool, completion_id).state == "sent"


def test_the_queue_sends_at_once_after_the_commit(tool: World) -> None:
    visit = _arrive(tool)
    queue = tool.app.extensions["queue"]
    with tool.app.app_context():
        _owe(tool, visit)
    queue.execute(queue.dequeue())
    assert _held(tool) == 90


def test_the_queue_is_not_woken_without_a_commit(tool: World) -> None:
    visit = _arrive(tool)
    now = tool.lti.clock()
    with tool.app.app_context(), tool.database.writing() as session:
        scores.owe(
            session,
            visit=visit,
            completion_id=uuid4(),
            cycle="2026",
            module="induction",
            score=90,
            comment="",
            completed_at=now,
            now=now,
        )
        session.rollback()
    assert tool.app.extensions["queue"].pending_count() == 0
    assert _rows(tool) == []


def test_a_failed_first_try_is_queued_again(tool: World) -> None:
    visit = _arrive(tool)
    queue = tool.app.extensions["queue"]
    tool.platform.faults.put("scores", "503")
    with tool.app.app_context():
        _owe(tool, visit)
    queue.execute(queue.dequeue())
    queue.execute(queue.dequeue())  # which sees that it is not time yet
    assert queue.scheduled_count() == 1


@pytest.mark.parametrize("score", [-1, 101])
def test_a_score_is_out_of_a_hundred(tool: World, score: int) -> None:
    visit = _arrive(tool)
    with pytest.raises(ValueError, match="between 0 and 100"):
        _owe(tool, visit, score)


def test_what_waits_or_stands_below_a_better_one_is_not_sent_again(tool: World) -> None:
    visit = _arrive(tool)
    _owe(tool, visit, 80)
    outbox.send_due(tool.lti)
    _owe(tool, visit, 90)
    lower, better = _rows(tool)
    for row, code in ((lower, "score-superseded"), (better, "score-is-waiting")):
        with tool.database.transaction() as session, pytest.raises(ToolError) as refusal:
            scores.resend(session, session.get_one(ScoreOutbox, row.id), now=tool.lti.clock())
        assert refusal.value.code == code


def test_spent_nonces_are_forgotten_once_their_state_is_refused(
    tool: World, clock: SetClock
) -> None:
    _arrive(tool)

    def kept() -> int:
        outbox.sweep(tool.lti)
        with tool.database.reading() as session:
            return len(session.scalars(select(Nonce)).all())

    clock.move(minutes=5)
    assert kept() == 1
    clock.move(minutes=2)
    assert kept() == 0
