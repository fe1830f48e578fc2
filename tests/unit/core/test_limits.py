"""How often one may try: pure arithmetic, and a memory that does not grow."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.core import limits
from lti_tool.core.limits import CODES, LAUNCHES, LOOK_UPS, Limit, Tally, network
from lti_tool.evidence.certificates import numbers
from lti_tool.people import memberships

CALLER = ("door", "192.0.2.1")


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def tally(seconds: Seconds) -> Tally:
    return Tally(seconds)


def test_ten_at_once_and_then_one_a_minute(tally: Tally, seconds: Seconds) -> None:
    for _ in range(CODES.tries):
        assert tally.wait(CODES, CALLER) == 0
        tally.count(CODES, CALLER)
    assert tally.wait(CODES, CALLER) == 60
    seconds.now += 59.5
    assert tally.wait(CODES, CALLER) == 1
    seconds.now += 0.5
    assert tally.wait(CODES, CALLER) == 0


def test_each_door_and_each_caller_apart(tally: Tally) -> None:
    for _ in range(CODES.tries):
        tally.count(CODES, CALLER)
    assert tally.wait(CODES, CALLER)
    assert not tally.wait(CODES, ("door", "192.0.2.2"))
    assert not tally.wait(CODES, ("other door", "192.0.2.1"))


def test_a_door_closes_to_a_flood_alone(tally: Tally) -> None:
    for _ in range(LAUNCHES.tries * LAUNCHES.patience - 1):
        tally.count(LAUNCHES, CALLER)
    assert tally.wait(LAUNCHES, CALLER) == 540  # that long, what is refused hears no more why
    assert not tally.wait(LAUNCHES, CALLER, patience=LAUNCHES.patience)
    tally.count(LAUNCHES, CALLER)
    assert tally.wait(LAUNCHES, CALLER, patience=LAUNCHES.patience) == 1


@settings(max_examples=50)
@given(st.lists(st.floats(0, 100), max_size=60), st.integers(1, 20), st.integers(1, 600))
def test_no_window_holds_more_than_twice_the_tries(
    gaps: list[float], tries: int, span: int
) -> None:
    seconds = Seconds()
    tally, limit, let_in = Tally(seconds), Limit(tries, span), []
    for gap in gaps:
        seconds.now += gap
        if not tally.wait(limit, CALLER):
            tally.count(limit, CALLER)
            let_in.append(seconds.now)
    for first in let_in:
        assert sum(first <= moment < first + span for moment in let_in) <= 2 * tries


def test_many_callers_take_no_more_memory_and_the_worst_are_remembered(
    tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_CALLERS", 100)
    for _ in range(CODES.tries):
        tally.count(CODES, CALLER)
    for number in range(1000):
        tally.count(CODES, ("door", str(number)))
    assert len(tally._worked_off) <= 100
    assert tally.wait(CODES, CALLER)


@pytest.mark.parametrize(
    ("address", "stands_for"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix:", "unix:"),
        ("", ""),
    ],
)
def test_whom_an_address_stands_for(address: str, stands_for: str) -> None:
    assert network(address) == stands_for


def test_no_secret_hangs_on_a_limit() -> None:
    """As docs/security.md says: each process counts for itself, and there may be many."""
    processes, year = 64, 365 * 24 * 3600
    lives = memberships.CODE_LIFE.total_seconds()
    codes = len(memberships.CODE_LETTERS) ** memberships.CODE_LENGTH
    wrong = processes * (CODES.tries + lives * CODES.tries / CODES.seconds)
    assert wrong / codes < 1e-11
    certificates = len(numbers.ALPHABET) ** numbers.DRAWN / 1_000_000
    asked_in_a_year = processes * year * LOOK_UPS.tries / LOOK_UPS.seconds
    assert certificates / asked_in_a_year > 12
