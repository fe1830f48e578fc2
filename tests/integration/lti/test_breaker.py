"""A platform that does not answer is left alone, and nothing is lost meanwhile."""

import threading
from datetime import timedelta

import pytest

from lti_tool.lti.models import ScoreOutbox
from lti_tool.lti.services import breaker, claiming, outbox, scores
from lti_tool.lti.services.breaker import Breaker, breaker_state
from lti_tool.lti.services.scores import Delivery
from lti_tool.lti.services.sending import Owed
from tests.conformance.world import SCHOOL, World
from tests.conftest import SetClock
from tests.factories.scoring import arrive, asked, held, owe, rows, where


def _state(tool: World) -> Breaker:
    with tool.database.reading() as session:
        return breaker_state(session, tool.registration_id)


def _open(tool: World, clock: SetClock) -> None:
    """Three scores are owed, and the platform answers none of three calls."""
    for kind in ("starter", "assistant", "governor"):
        owe(tool, arrive(tool, tool.platform.person(SCHOOL, kind)))
    tool.platform.faults.put("scores", "503")
    for _ in range(3):
        outbox.send_due(tool.lti)
        clock.move(seconds=1)
    assert _state(tool).is_open


def test_it_opens_after_three_calls_in_a_row_without_an_answer(
    tool: World, clock: SetClock
) -> None:
    assert _state(tool) == Breaker()
    _open(tool, clock)
    assert len(asked(tool, "/scores")) == 3
    assert _state(tool).failing_since == clock() - timedelta(seconds=3)
    assert outbox.send_due(tool.lti) == 0
    assert len(asked(tool, "/scores")) == 3, "left alone"
    assert [row.attempts for row in rows(tool)] == [1, 1, 1], "waiting uses up no tries"


@pytest.mark.parametrize("kind", ["500", "409", "403", "none"])
def test_an_answer_is_an_answer(tool: World, clock: SetClock, kind: str) -> None:
    """A locked mark is answered with 500: that is no reason to send nobody's score."""
    for person in ("starter", "assistant", "governor", "teacher"):
        owe(tool, arrive(tool, tool.platform.person(SCHOOL, person)))
        tool.platform.faults.put("scores", kind)
        outbox.send_due(tool.lti)
    assert not _state(tool).is_open
    assert _state(tool).failures == 0


def test_when_its_time_has_come_one_call_tries(tool: World, clock: SetClock) -> None:
    _open(tool, clock)
    clock.move(minutes=1)
    gate, claimed = threading.Barrier(3), list[list[Owed]]()

    def work() -> None:
        gate.wait()
        claimed.append(claiming.claim(tool.lti))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(map(len, claimed)) == 1


def test_a_probe_that_fails_waits_longer_each_time_up_to_a_quarter_of_an_hour(
    tool: World, clock: SetClock
) -> None:
    _open(tool, clock)
    pauses = []
    for _ in range(10):
        until = _state(tool).probe_at
        assert until is not None
        clock.now = until + timedelta(hours=1)
        outbox.send_due(tool.lti)
        again = _state(tool).probe_at
        assert again is not None
        pauses.append((again - clock()).total_seconds())
    assert pauses == [20, 40, 80, 160, 320, 640, 900, 900, 900, 900]


def test_the_first_answer_closes_it_and_everything_goes_out(tool: World, clock: SetClock) -> None:
    _open(tool, clock)
    clock.move(hours=20)
    outbox.send_due(tool.lti)
    tool.platform.faults.clear()
    clock.move(minutes=15)
    assert outbox.sweep(tool.lti) == 3
    assert _state(tool) == Breaker()


def test_a_platform_may_say_how_long_to_stay_away(tool: World, clock: SetClock) -> None:
    for kind in ("starter", "assistant"):
        owe(tool, arrive(tool, tool.platform.person(SCHOOL, kind)))
    tool.platform.faults.put("scores", "429", seconds=1800, times=1)
    outbox.send_due(tool.lti)
    clock.move(minutes=29)
    assert outbox.send_due(tool.lti) == 0
    assert len(asked(tool, "/scores")) == 1
    clock.move(minutes=2)
    assert outbox.send_due(tool.lti) == 2


def test_send_now_closes_it(tool: World, clock: SetClock) -> None:
    _open(tool, clock)
    tool.platform.faults.clear()
    row = rows(tool)[0]
    with tool.database.transaction() as session:
        scores.resend(session, session.get_one(ScoreOutbox, row.id), now=clock())
    assert not _state(tool).is_open
    assert rows(tool)[0].payload == row.payload, "it waited: the same score, sooner"
    assert outbox.send_due(tool.lti, hurry=True) == 3


def test_one_platform_that_is_away_does_not_hold_up_another(tool: World, clock: SetClock) -> None:
    _open(tool, clock)
    another = tool.register("theirs", SCHOOL, client_id="of-another")
    with tool.database.transaction() as session:
        theirs = session.get_one(ScoreOutbox, rows(tool)[0].id)
        theirs.registration_id, theirs.next_at = another, clock()
        which = theirs.id
    outbox.send_due(tool.lti)
    tried = {row.id: row.attempts for row in rows(tool)}
    assert tried.pop(which) == 2
    assert list(tried.values()) == [1, 1], "left alone"
    assert _state(tool).is_open


def test_nothing_is_given_up_while_the_whole_platform_is_away(tool: World, clock: SetClock) -> None:
    """A week, as over half-term: from the fourth day on somebody should know."""
    _open(tool, clock)
    for _ in range(7 * 8):
        outbox.sweep(tool.lti)
        clock.move(hours=3)
    assert [row.state for row in rows(tool)] == ["pending"] * 3
    assert where(tool, rows(tool)[0].completion_id) == Delivery(
        "attention", "The platform", "unreachable"
    )
    tool.platform.faults.clear()
    assert outbox.sweep(tool.lti) == 3


def test_a_score_that_was_given_up_has_another_try_when_the_platform_answers(
    tool: World, clock: SetClock
) -> None:
    owe(tool, arrive(tool))
    tool.platform.faults.put("scores", "503")
    outbox.send_due(tool.lti)
    clock.move(days=4)
    outbox.send_due(tool.lti)
    (row,) = rows(tool)
    assert (row.state, row.reason) == ("dead", "unreachable")
    tool.platform.faults.clear()
    owe(tool, arrive(tool, tool.platform.person(SCHOOL, "assistant")))
    assert outbox.sweep(tool.lti) == 2
    assert held(tool) == 90


def test_scores_blocked_for_want_of_a_token_follow_the_first_that_gets_one(
    tool: World, clock: SetClock
) -> None:
    for kind in ("starter", "assistant"):
        owe(tool, arrive(tool, tool.platform.person(SCHOOL, kind)))
    tool.platform.faults.put("token", "400")
    outbox.send_due(tool.lti)
    assert [row.reason for row in rows(tool)] == ["reconnect"] * 2
    assert _state(tool).refused_at == clock()
    tool.platform.faults.clear()
    clock.move(days=1)
    assert outbox.sweep(tool.lti) == 0
    with tool.database.transaction() as session:
        breaker.probe_what_was_given_up(session, tool.registration_id, now=clock())
    assert outbox.sweep(tool.lti) == 2
    assert _state(tool).refused_at is None
