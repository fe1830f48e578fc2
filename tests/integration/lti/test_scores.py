"""Which scores are owed, and what is sent (AGS-4 to AGS-7, AGS-11)."""

import json
from datetime import timedelta
from itertools import pairwise
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from sqlalchemy import select

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.lti.models import ScoreOutbox
from lti_tool.lti.services import claiming, outbox, scores, sending
from lti_tool.lti.services.scores import Delivery
from sandbox_lms.platform import OMIT
from tests.conformance.world import SCHOOL, World
from tests.conftest import SetClock
from tests.factories.scoring import arrive, asked, endpoint, held, owe, rows, where


def test_a_score_arrives(tool: World) -> None:
    completion_id = owe(tool, arrive(tool))
    assert where(tool, completion_id) == Delivery("waiting", "The platform")
    assert outbox.send_due(tool.lti) == 1
    assert held(tool) == 90
    assert where(tool, completion_id) == Delivery("sent", "The platform", "", tool.lti.clock())
    assert outbox.send_due(tool.lti) == 0
    with tool.database.reading() as session:
        entry = session.scalars(select(ledger.LedgerEntry)).one()
        assert (entry.kind, entry.school_id) == ("score-sent", SCHOOL)
        assert ledger.verify(session, school_id=SCHOOL) == (1, None)


def test_ags_4_and_ags_5_what_is_sent(tool: World) -> None:
    owe(tool, arrive(tool), 0)
    outbox.send_due(tool.lti)
    (seen,) = asked(tool, "/scores")
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
    assert held(tool) == 0


def test_ags_6_and_ags_7_neither_score_nor_comment_is_ever_left_out(
    tool: World, clock: SetClock
) -> None:
    """Without one, a platform clears what it holds: at the first time, a better one, and again."""
    visit = arrive(tool)
    for score in (0, 80, 95):
        owe(tool, visit, score)
        outbox.send_due(tool.lti)
    with tool.database.transaction() as session:
        scores.resend(session, session.get_one(ScoreOutbox, rows(tool)[-1].id), now=clock())
    outbox.send_due(tool.lti)
    said = [json.loads(seen.body) for seen in asked(tool, "/scores")]
    assert [one["scoreGiven"] for one in said] == [0, 80, 95, 95]
    assert {one["scoreMaximum"] for one in said} == {100}
    assert {one["comment"] for one in said} == {"Finished – da iawn"}
    assert {one["gradingProgress"] for one in said} == {"FullyGraded"}
    (item_id,) = tool.platform.items_of(tool.activity)
    grade = tool.platform.gradebook.grade(item_id, tool.learner.id)
    assert grade is not None
    assert grade.comment == "Finished – da iawn"


def test_ags_5_timestamps_rise_by_a_second(tool: World) -> None:
    visit = arrive(tool)
    for cycle in ("2024", "2025", "2026"):
        owe(tool, visit, 90, cycle=cycle)
    stamps = [row.timestamp for row in rows(tool)]
    assert [later - first for first, later in pairwise(stamps)] == [timedelta(seconds=1)] * 2


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ({"scope": ["other"]}, "not-granted"),
        ({"scope": OMIT}, "not-granted"),
        ({"lineitem": OMIT, "lineitems": OMIT}, "no-marks"),
    ],
)
def test_ags_11_no_call_without_leave_until_there_is_leave(
    tool: World, clock: SetClock, claim: dict[str, object], reason: str
) -> None:
    completion_id = owe(tool, arrive(tool, **endpoint(tool, **claim)))
    tool.platform.requests_seen.clear()
    assert outbox.sweep(tool.lti) == 0
    assert where(tool, completion_id) == Delivery("not-scored", "The platform", reason)
    assert not asked(tool, "/token")
    clock.move(days=30)
    arrive(tool)
    assert outbox.sweep(tool.lti) == 1
    assert held(tool) == 90


def test_ags_11_leave_that_was_withdrawn_meanwhile(tool: World) -> None:
    completion_id = owe(tool, arrive(tool))
    arrive(tool, **endpoint(tool, scope=[]))
    tool.platform.requests_seen.clear()
    assert outbox.send_due(tool.lti) == 0
    assert where(tool, completion_id) == Delivery("not-scored", "The platform", "not-granted")
    assert list(tool.platform.requests_seen) == []


@pytest.mark.parametrize(("later", "stays"), [(70, 90), (90, 90), (95, 95)])
def test_never_a_lower_score_after_a_pass(tool: World, later: int, stays: int) -> None:
    visit = arrive(tool)
    owe(tool, visit, 90)
    outbox.send_due(tool.lti)
    second = owe(tool, visit, later)
    outbox.send_due(tool.lti)
    assert held(tool) == stays
    assert where(tool, second).state == "sent"
    assert len(asked(tool, "/scores")) == (2 if later > 90 else 1)


def test_a_better_score_supersedes_what_waits(tool: World) -> None:
    visit = arrive(tool)
    first, second, third = (owe(tool, visit, score) for score in (80, 95, 85))
    assert outbox.send_due(tool.lti) == 1
    assert held(tool) == 95
    with tool.database.reading() as session:
        found = scores.deliveries(session, completion_ids=[first, second, third, uuid4()])
    assert [one.state for one in found.values()] == ["sent", "sent", "sent", "none"]


def test_a_better_score_owed_while_one_is_on_its_way(tool: World, clock: SetClock) -> None:
    """The first try fails after a better score came: the lower one must never follow it."""
    visit = arrive(tool)
    owe(tool, visit, 80)
    (claimed,) = claiming.claim(tool.lti)
    owe(tool, visit, 95)
    assert outbox.send_due(tool.lti) == 0, "one at a time for each person"
    outbox._record(tool.lti, [(claimed, sending.Outcome("pending", "unreachable"))])
    clock.move(hours=2)
    assert outbox.send_due(tool.lti) == 1
    assert held(tool) == 95
    assert [row.state for row in rows(tool)] == ["superseded", "sent"]


@pytest.mark.parametrize("score", [-1, 101])
def test_a_score_is_out_of_a_hundred(tool: World, score: int) -> None:
    visit = arrive(tool)
    with pytest.raises(ValueError, match="between 0 and 100"):
        owe(tool, visit, score)


def test_what_is_on_its_way_or_stands_below_a_better_one_is_not_sent_again(tool: World) -> None:
    visit = arrive(tool)
    owe(tool, visit, 80)
    outbox.send_due(tool.lti)
    owe(tool, visit, 90)
    assert claiming.claim(tool.lti)
    lower, better = rows(tool)
    for row, code in ((lower, "score-superseded"), (better, "score-is-waiting")):
        with tool.database.transaction() as session, pytest.raises(ToolError) as refusal:
            scores.resend(session, session.get_one(ScoreOutbox, row.id), now=tool.lti.clock())
        assert refusal.value.code == code
