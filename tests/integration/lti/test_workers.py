"""Several workers, dead workers, and the queue that wakes them."""

import threading
from uuid import uuid4

from sqlalchemy import select

from lti_tool.lti.models import Nonce, Registration
from lti_tool.lti.platforms import disable_platform
from lti_tool.lti.services import claiming, outbox, scores, sending
from tests.conformance.world import SCHOOL, World
from tests.conftest import SetClock
from tests.factories.scoring import arrive, asked, held, owe, rows, where


def test_a_lease_left_behind_is_taken_over(tool: World, clock: SetClock) -> None:
    """A worker that was killed after the platform took the score."""
    completion_id = owe(tool, arrive(tool))
    (claimed,) = claiming.claim(tool.lti)
    assert outbox.send_due(tool.lti) == 0
    clock.move(minutes=11)
    assert outbox.send_due(tool.lti) == 1
    assert where(tool, completion_id).state == "sent"
    outbox._record(tool.lti, [(claimed, sending.Outcome("dead", "late"))])
    assert where(tool, completion_id).state == "sent"


def test_a_worker_that_lost_its_lease_has_no_say(tool: World, clock: SetClock) -> None:
    owe(tool, arrive(tool))
    (first,) = claiming.claim(tool.lti)
    clock.move(minutes=11)
    (second,) = claiming.claim(tool.lti)
    outbox._record(tool.lti, [(first, sending.Outcome("dead", "late"))])
    assert [row.state for row in rows(tool)] == ["sending"]
    outbox._record(tool.lti, [(second, sending.Outcome("sent"))])
    assert [row.state for row in rows(tool)] == ["sent"]


def test_somebody_whose_score_is_on_its_way_holds_up_nobody_else(tool: World) -> None:
    visit = arrive(tool)
    owe(tool, visit, cycle="2025")
    assert claiming.claim(tool.lti)
    owe(tool, visit, cycle="2026")
    owe(tool, arrive(tool, tool.platform.person(SCHOOL, "governor")))
    assert outbox.send_due(tool.lti) == 1
    assert [row.state for row in rows(tool)] == ["sending", "pending", "sent"]


def test_two_workers_send_a_score_once(tool: World) -> None:
    owe(tool, arrive(tool))
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
    assert len(asked(tool, "/scores")) == 1


def test_a_dead_platform_does_not_hold_up_others_people(tool: World) -> None:
    for kind in ("starter", "assistant", "governor"):
        owe(tool, arrive(tool, tool.platform.person(SCHOOL, kind)))
    tool.platform.faults.put("scores", "503")
    outbox.send_due(tool.lti)
    assert len(asked(tool, "/scores")) == 1, "left alone for the rest of the round"


def test_a_disabled_platform_is_sent_nothing(tool: World, clock: SetClock) -> None:
    completion_id = owe(tool, arrive(tool))
    with tool.database.transaction() as session:
        row = session.get_one(Registration, tool.registration_id)
        disable_platform(session, row, now=clock())
    assert outbox.send_due(tool.lti) == 0
    tool.register(SCHOOL, SCHOOL)
    assert outbox.send_due(tool.lti) == 1
    assert where(tool, completion_id).state == "sent"


def test_the_queue_sends_at_once_after_the_commit(tool: World) -> None:
    visit = arrive(tool)
    queue = tool.app.extensions["queue"]
    with tool.app.app_context():
        owe(tool, visit)
    queue.execute(queue.dequeue())
    assert held(tool) == 90


def test_the_queue_is_not_woken_without_a_commit(tool: World) -> None:
    visit = arrive(tool)
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
    assert rows(tool) == []


def test_a_failed_first_try_is_queued_again(tool: World) -> None:
    visit = arrive(tool)
    queue = tool.app.extensions["queue"]
    tool.platform.faults.put("scores", "503")
    with tool.app.app_context():
        owe(tool, visit)
    queue.execute(queue.dequeue())
    queue.execute(queue.dequeue())  # which sees that it is not time yet
    assert queue.scheduled_count() == 1


def test_spent_nonces_are_forgotten_once_their_state_is_refused(
    tool: World, clock: SetClock
) -> None:
    arrive(tool)

    def kept() -> int:
        outbox.sweep(tool.lti)
        with tool.database.reading() as session:
            return len(session.scalars(select(Nonce)).all())

    clock.move(minutes=5)
    assert kept() == 1
    clock.move(minutes=2)
    assert kept() == 0
