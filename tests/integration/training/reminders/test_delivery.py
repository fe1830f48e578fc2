"""Reminders on their way to a mail server that refuses, waits, hangs or is gone: once each."""

import threading
from datetime import date, timedelta

import pytest

from lti_tool.core import mail
from lti_tool.training.reminders import delivery
from tests.integration.training.reminders.conftest import MONDAY, World


def test_a_temporary_answer_is_tried_again_later_and_later(world: World) -> None:
    world.on()
    world.somebody("Sam Ostler")
    world.server.to["sam@example.org"] = "450 Greylisted"
    assert world.run() == 0
    (row,) = world.reminders()
    assert (row.state, row.reason, row.status) == ("waiting", "later", 450)
    assert row.next_at == MONDAY + timedelta(minutes=5)
    world.run()
    assert world.server.lines == 1, "not before its time"
    world.clock.move(minutes=5)
    world.run()
    (row,) = world.reminders()
    assert row.next_at == world.clock() + timedelta(minutes=10)
    world.server.to.clear()
    world.clock.move(minutes=10)
    assert world.run() == 1
    (row,) = world.reminders()
    assert (row.state, row.attempts) == ("sent", 3)


def test_a_refusal_is_for_good_and_keeps_nobody_else_waiting(world: World) -> None:
    world.on()
    world.somebody("Ada First")
    world.somebody("Sam Ostler")
    world.server.to["ada@example.org"] = "550 No such user ada@example.org"
    assert world.run() == 1
    assert world.states == {"Ada First": "refused", "Sam Ostler": "sent"}
    assert world.entries("reminders-ended")[0]["facts"]["outcomes"] == {"refused": 1, "sent": 1}
    world.next_morning()
    assert world.run() == 0, "once a week, whatever became of it"
    world.next_morning(6)
    world.server.to.clear()
    assert world.run() == 1
    assert world.server.recipients == ["sam@example.org", "ada@example.org"]


def test_while_the_server_is_away_everything_waits_and_nothing_is_lost(world: World) -> None:
    world.on()
    world.somebody("Ada First")
    world.somebody("Sam Ostler")
    world.mail_through("smtp+plain://127.0.0.1:9")
    assert world.run() == 0
    rows = world.reminders()
    assert [(row.state, row.reason, row.attempts) for row in rows] == [("waiting", "away", 1)] * 2
    assert {row.next_at for row in rows} == {MONDAY + timedelta(minutes=5)}
    world.clock.move(minutes=5)
    world.run()
    assert {row.next_at for row in world.reminders()} == {world.clock() + timedelta(minutes=10)}
    world.mail_through(world.server.url)
    world.clock.now = MONDAY + timedelta(days=2, hours=12)
    assert world.run() == 0, "quiet hours"
    world.clock.now = MONDAY + timedelta(days=3)
    assert world.run() == 2
    assert {row.tried_on for row in world.reminders()} == {date(2026, 10, 8)}
    world.clock.now = MONDAY + timedelta(days=7)
    assert world.run() == 0, "a week from the day it went"


def test_what_could_not_go_for_days_is_given_up(world: World) -> None:
    world.on()
    world.somebody("Sam Ostler")
    world.server.mail_from = "550 We do not know you"
    world.run()
    world.clock.now = MONDAY + timedelta(days=6)
    world.run()
    (row,) = world.reminders()
    assert (row.state, row.reason) == ("given-up", "sender")
    world.server.mail_from = ""
    world.clock.now = MONDAY + timedelta(days=7)
    assert world.run() == 1


def test_whoever_dies_over_a_mail_leaves_it_perhaps_sent(world: World) -> None:
    """Taken by the server, and the worker gone before it could note that: not sent twice."""

    class Killed(BaseException):
        pass

    world.on()
    world.somebody("Sam Ostler")
    noted = delivery._note

    def die(*_given: object) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "_note", die)
        with pytest.raises(Killed):
            world.run()
    assert delivery._note is noted
    assert world.server.recipients == ["sam@example.org"]
    assert world.states == {"Sam Ostler": "sending"}
    world.clock.move(minutes=9)
    world.run()
    assert world.states == {"Sam Ostler": "sending"}, "somebody may still be at it"
    world.clock.move(minutes=2)
    for _ in range(7):
        world.run()
        world.clock.move(hours=3)
    assert world.states == {"Sam Ostler": "perhaps"}
    assert world.server.recipients == ["sam@example.org"]
    assert world.entries("reminders-ended")[0]["facts"]["outcomes"] == {"perhaps": 1}


def test_a_server_that_breaks_off_leaves_one_unsure_and_the_others_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "TIMEOUT", 0.3)
    world.on()
    for name in ("Ada First", "Bea Second", "Cai Third"):
        world.somebody(name)
    hold = threading.Event()

    def hang() -> None:
        hold.wait(2)

    world.server.before_answer = hang
    assert world.run() == 0
    hold.set()
    assert sorted(world.states.values()) == ["perhaps", "waiting", "waiting"]
    world.server.before_answer = lambda: None
    world.clock.move(minutes=5)
    assert world.run() == 2
    assert sorted(world.states.values()) == ["perhaps", "sent", "sent"]
    assert len(set(world.server.recipients)) == len(world.server.recipients) == 3


def test_a_server_that_takes_a_few_on_a_line_is_called_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MOST_ON_A_LINE", 2)
    world.on()
    for number in range(5):
        world.somebody(f"Person{number} Name")
    assert world.run() == 5
    assert world.server.lines == 3


def test_two_workers_send_nothing_twice(world_of_each: World) -> None:
    world = world_of_each
    world.on()
    for number in range(12):
        world.somebody(f"Person{number} Name")
    faults: list[BaseException] = []

    def work() -> None:
        try:
            world.run()
        except BaseException as fault:
            faults.append(fault)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert faults == []
    assert len(world.server.recipients) == len(set(world.server.recipients)) == 12
    assert len(world.entries("reminders-begun")) == 1
    assert len(world.entries("reminders-ended")) == 1
