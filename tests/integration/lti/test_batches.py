"""Scores of one activity that go out under one lease: none is lost, none doubled, none waits."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select, update

from lti_tool.core import ledger
from lti_tool.lti.claims import SCORE_SCOPE
from lti_tool.lti.models import ScoreOutbox
from lti_tool.lti.platforms import Lti
from lti_tool.lti.services import claiming, outbox, sending
from lti_tool.lti.services.breaker import breaker_state
from lti_tool.lti.services.sending import Outcome, Owed
from tests.conformance.world import SCHOOL, World
from tests.conftest import SetClock
from tests.factories.scoring import arrive, asked, endpoint, held, owe, rows

FOUR = ("starter", "teacher", "assistant", "governor")


def owe_all(tool: World, *kinds: str, cycle: str = "2026") -> None:
    for kind in kinds:
        owe(tool, arrive(tool, tool.platform.person(SCHOOL, kind)), cycle=cycle)


def standing(tool: World) -> list[tuple[str, int]]:
    return [(row.state, row.attempts) for row in rows(tool)]


def posted(tool: World) -> list[tuple[str, str]]:
    """Whose scores the platform was sent, and with what timestamps."""
    said = [json.loads(seen.body) for seen in asked(tool, "/scores")]
    return [(each["userId"], each["timestamp"]) for each in said]


def recorded(tool: World) -> int:
    with tool.database.reading() as session:
        links = (link for chunk in ledger.walk(session, school_id=SCHOOL) for link in chunk)
        return sum(link.kind == "score-sent" for link in links)


def before_each(
    monkeypatch: pytest.MonkeyPatch, then: Callable[[int, Owed], None]
) -> Callable[[Lti, Owed], Outcome]:
    """``then`` is called as the first score is about to be sent, the second, and so on."""
    numbers = iter(range(1, 1000))

    def attempt(lti: Lti, owed: Owed) -> Outcome:
        then(next(numbers), owed)
        return sending.attempt(lti, owed)

    monkeypatch.setattr(outbox, "attempt", attempt)
    return attempt


def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many scores each claim takes from now on."""
    taken: list[int] = []

    def claim(*args: object, **options: object) -> list[Owed]:
        claimed = claiming.claim(*args, **options)  # type: ignore[arg-type]
        taken.append(len(claimed))
        return claimed

    monkeypatch.setattr(outbox, "claim", claim)
    return taken


def test_scores_of_one_activity_go_under_one_lease(tool: World) -> None:
    owe_all(tool, *FOUR)
    owe_all(tool, "starter", cycle="2027")
    claimed = claiming.claim(tool.lti, most=25)
    assert len(claimed) == 4, "each person once, of one training and year"
    assert len({one.subject for one in claimed}) == 4
    (lease,) = {one.lease_until for one in claimed}
    assert [row.lease_until for row in rows(tool)] == [*[lease] * 4, None]
    assert claiming.claim(tool.lti, most=25) == []


def test_one_goes_alone_where_its_line_item_has_to_be_found(tool: World) -> None:
    owe_all(tool, "supply")
    assert outbox.send_due(tool.lti) == 1
    owe_all(tool, *FOUR, cycle="2027")
    assert len(claiming.claim(tool.lti, most=25)) == 1


def test_where_none_may_be_looked_for_all_go_to_the_one_there_is(tool: World) -> None:
    only = endpoint(tool, scope=[SCORE_SCOPE])
    for cycle in ("2026", "2027"):
        for kind in FOUR:
            owe(tool, arrive(tool, tool.platform.person(SCHOOL, kind), **only), 90, cycle=cycle)
    for _ in range(2):
        claimed = claiming.claim(tool.lti, most=25)
        assert len(claimed) == 4
        assert {outcome.state for _, outcome in outbox._deliver(tool.lti, claimed)} == {"sent"}
        tool.platform.gradebook.grades.clear()  # which would hold the first year's as just as new


def test_never_two_of_one_person_even_where_one_stands_for_the_other(tool: World) -> None:
    owe_all(tool, "starter", "starter", cycle="2026")
    with tool.database.transaction() as session:
        session.execute(update(ScoreOutbox).values(state="pending", superseded_by=None))
    assert len(claiming.claim(tool.lti, most=25)) == 1


def test_what_was_claimed_and_not_tried_is_given_back_as_it_was(
    tool: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A platform so slow that the first score has waited for long enough to be recorded."""
    owe_all(tool, *FOUR)
    before = rows(tool)
    monkeypatch.setattr(outbox, "UNRECORDED", -1.0)
    tried = outbox._deliver(tool.lti, claiming.claim(tool.lti, most=25))
    assert [outcome.state for _, outcome in tried] == ["sent", *["pending"] * 3]
    assert standing(tool) == [("sent", 1), *[("pending", 0)] * 3]
    for now, then in zip(rows(tool)[1:], before[1:], strict=True):
        assert (now.next_at, now.reason, now.last_status) == (then.next_at, "", 0)
        assert (now.lease_until, now.payload) == (None, then.payload)
    assert recorded(tool) == 1


def test_a_better_score_owed_meanwhile_stands_for_what_is_given_back(
    tool: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    owe_all(tool, *FOUR)
    claimed = claiming.claim(tool.lti, most=25)
    owe(tool, arrive(tool, tool.platform.person(SCHOOL, "governor")), 95)
    monkeypatch.setattr(outbox, "UNRECORDED", -1.0)
    outbox._deliver(tool.lti, claimed)
    assert [row.state for row in rows(tool)] == ["sent", *["pending"] * 2, "superseded", "pending"]
    assert outbox.send_due(tool.lti) == 3
    assert held(tool, tool.platform.person(SCHOOL, "governor")) == 95


def test_a_slow_platform_is_sent_few_at_a_time_and_more_once_it_is_quick(
    tool: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    owe_all(tool, *FOUR, "volunteer", "supply")
    taken = sizes(monkeypatch)
    monkeypatch.setattr(outbox, "UNRECORDED", -1.0)
    before_each(
        monkeypatch,
        lambda number, _: monkeypatch.setattr(outbox, "UNRECORDED", 60.0) if number == 2 else None,
    )
    assert outbox.send_due(tool.lti) == 6
    assert taken == [6, 1, 2, 2, 0]
    assert standing(tool) == [("sent", 1)] * 6
    assert len(posted(tool)) == len(set(posted(tool))) == 6


def test_a_worker_killed_in_mid_batch_leaves_nothing_lost_and_nothing_doubled(
    tool: World, clock: SetClock
) -> None:
    """Two of four were sent, and nothing was recorded."""
    owe_all(tool, *FOUR)
    frozen = [row.payload for row in rows(tool)]
    for owed in claiming.claim(tool.lti, most=25)[:2]:
        assert sending.attempt(tool.lti, owed).state == "sent"
    clock.move(minutes=9)
    assert outbox.send_due(tool.lti) == 0, "the leases still run"
    clock.move(minutes=2)
    assert outbox.send_due(tool.lti) == 4
    assert standing(tool) == [("sent", 2)] * 4
    assert [row.reason for row in rows(tool)] == ["held-already"] * 2 + [""] * 2
    assert [row.last_status for row in rows(tool)] == [409] * 2 + [200] * 2
    assert [row.payload for row in rows(tool)] == frozen
    assert sorted(Counter(posted(tool)).values()) == [1, 1, 2, 2], "with the timestamps they had"
    assert recorded(tool) == 4


def test_a_worker_that_stops_in_mid_batch_records_what_it_sent(
    tool: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told to end, or falls over a fault of ours: only the score in hand keeps its lease."""

    def stop(number: int, _: Owed) -> None:
        if number == 3:
            raise SystemExit

    owe_all(tool, *FOUR)
    before_each(monkeypatch, stop)
    with pytest.raises(SystemExit):
        outbox.send_due(tool.lti)
    assert standing(tool) == [("sent", 1), ("sent", 1), ("sending", 1), ("pending", 0)]


def test_a_worker_whose_leases_ran_out_in_mid_batch_has_no_say(
    tool: World, clock: SetClock
) -> None:
    owe_all(tool, *FOUR)
    late = claiming.claim(tool.lti, most=25)
    clock.move(minutes=11)
    taken = claiming.claim(tool.lti, most=2)
    outbox._deliver(tool.lti, late)
    assert [row.state for row in rows(tool)] == [*["sending"] * 2, *["sent"] * 2]
    outbox._deliver(tool.lti, taken)
    assert standing(tool) == [*[("sent", 2)] * 2, *[("sent", 1)] * 2]
    assert recorded(tool) == 4


def test_workers_that_race_send_each_score_once_and_one_of_a_person_at_a_time(
    tool: World, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cycle in ("2026", "2027"):  # so that each has its line item
        owe_all(tool, "supply", cycle=cycle)
        assert outbox.send_due(tool.lti) == 1
    for cycle in ("2026", "2027"):
        owe_all(tool, *FOUR, cycle=cycle)
    tool.platform.requests_seen.clear()
    on_their_way, gate, lock = Counter[str](), threading.Barrier(4), threading.Lock()
    faults: list[BaseException] = []

    def attempt(lti: Lti, owed: Owed) -> Outcome:
        with lock:
            on_their_way[owed.subject] += 1
            assert on_their_way[owed.subject] == 1
        try:
            return sending.attempt(lti, owed)
        finally:
            with lock:
                on_their_way[owed.subject] -= 1

    def work() -> None:
        gate.wait()
        try:
            outbox.send_due(tool.lti)
        except BaseException as fault:
            faults.append(fault)

    monkeypatch.setattr(outbox, "attempt", attempt)
    monkeypatch.setattr(outbox, "AT_A_TIME", 3)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    clock.move(minutes=1)
    outbox.send_due(tool.lti)  # what a race left
    assert standing(tool) == [("sent", 1)] * 10
    assert sorted(Counter(user for user, _ in posted(tool)).values()) == [2] * 4
    assert recorded(tool) == 10


def test_a_score_that_is_refused_holds_up_no_other(
    tool: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a head, who can have no score there, and of somebody whose mark is locked."""
    owe_all(tool, "starter", "head", "teacher", "assistant")
    (item_id,) = tool.platform.items_of(tool.activity)
    tool.platform.gradebook.lock(item_id, tool.platform.person(SCHOOL, "teacher").id)
    taken = sizes(monkeypatch)
    assert outbox.send_due(tool.lti) == 2
    assert taken == [4, 0]
    assert [(row.state, row.reason) for row in rows(tool)] == [
        ("sent", ""),
        ("not-scored", "not-gradable"),
        ("pending", "platform-fault"),
        ("sent", ""),
    ]
    with tool.database.reading() as session:
        assert breaker_state(session, tool.registration_id).failures == 0


def test_a_platform_that_goes_away_in_mid_batch_is_left_alone(
    tool: World, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    owe_all(tool, *FOUR)
    before_each(
        monkeypatch,
        lambda number, _: tool.platform.faults.put("scores", "503") if number == 3 else None,
    )
    assert outbox.send_due(tool.lti) == 2
    assert standing(tool) == [("sent", 1), ("sent", 1), ("pending", 1), ("pending", 0)]
    assert [row.reason for row in rows(tool)] == ["", "", "unreachable", ""]
    assert rows(tool)[3].next_at == clock()
    with tool.database.reading() as session:
        assert breaker_state(session, tool.registration_id).failures == 1
    tool.platform.faults.clear()
    clock.move(minutes=1)
    assert outbox.send_due(tool.lti) == 2
    assert len(posted(tool)) == 5
    assert recorded(tool) == 4


def test_a_reply_that_is_lost_in_mid_batch_is_no_second_score(tool: World, clock: SetClock) -> None:
    owe_all(tool, *FOUR)
    tool.platform.faults.put("scores", "lost-reply", times=1)
    assert outbox.send_due(tool.lti) == 0
    clock.move(minutes=1)
    assert outbox.send_due(tool.lti) == 4
    assert [row.reason for row in rows(tool)] == ["held-already", "", "", ""]
    assert recorded(tool) == 4


def test_while_a_platform_is_tried_again_one_score_goes_alone(tool: World, clock: SetClock) -> None:
    owe_all(tool, *FOUR)
    tool.platform.faults.put("scores", "503")
    for _ in range(3):
        outbox.send_due(tool.lti)
        clock.move(seconds=1)
    clock.move(minutes=1)
    assert len(claiming.claim(tool.lti, most=25)) == 1


@pytest.mark.parametrize("unrecorded", [60.0, -1.0], ids=["quick", "slow"])
def test_a_score_that_wakes_the_worker_takes_the_others_with_it(
    tool: World, monkeypatch: pytest.MonkeyPatch, unrecorded: float
) -> None:
    """The others' own calls were lost, and what one batch gives back the next takes up."""
    monkeypatch.setattr(outbox, "UNRECORDED", unrecorded)
    queue = tool.app.extensions["queue"]
    owe_all(tool, *FOUR[:3])
    visit = arrive(tool, tool.platform.person(SCHOOL, FOUR[3]))
    with tool.app.app_context():
        owe(tool, visit)
    while (task := queue.dequeue()) is not None:
        queue.execute(task)
    assert standing(tool) == [("sent", 1)] * 4
    assert len(posted(tool)) == 4
    assert queue.scheduled_count() == 0


def test_one_score_that_is_sent_by_hand_takes_none_with_it(tool: World) -> None:
    owe_all(tool, *FOUR)
    which: UUID = rows(tool)[1].id
    assert outbox.deliver(tool.lti, which) is not None
    with tool.database.reading() as session:
        sent = session.scalars(select(ScoreOutbox.id).where(ScoreOutbox.state == "sent")).all()
    assert sent == [which]
