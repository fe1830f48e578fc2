"""Who is reminded when: never twice in a week, never when nothing may go, and why not others."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.training.reminders.planning import (
    LEFT_OUT,
    Duty,
    Figures,
    Letter,
    Reader,
    Terms,
    figures,
    is_digest_day,
    plan,
    shut,
)
from lti_tool.ui.format import LOCAL

TODAY = date(2026, 10, 5)  # a Monday
DAYS = st.dates(date(2026, 8, 25), date(2026, 12, 1))


def at_noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def duty(due_on: date = date(2026, 10, 31), opens_on: date = date(2026, 9, 1)) -> Duty:
    return Duty("annual-refresh", "2026-27", opens_on, due_on, at_noon(date(2026, 9, 1)))


def reader(number: int = 1, **values: Any) -> Reader:
    given: dict[str, Any] = {
        "person_id": UUID(int=number),
        "name": "Sam Ostler",
        "address": "sam@example.org",
        "duties": (duty(),),
    }
    return Reader(**(given | values))


def terms(**values: Any) -> Terms:
    given: dict[str, Any] = {
        "is_on": True,
        "quiet_from": 18,
        "quiet_until": 7,
        "has_digest": True,
        "digest_weekday": 0,
        "holidays": (("Half term", date(2026, 10, 26), date(2026, 10, 30)),),
    }
    return Terms(**(given | values))


def planned(
    one: Reader, today: date = TODAY, *, has_digest: bool = False, is_digest_day: bool = False
) -> str:
    """The kind of the one mail, or why there is none."""
    found = plan([one], has_digest=has_digest, is_digest_day=is_digest_day, today=today)
    if found.letters:
        assert not found.left_out
        return found.letters[0].kind
    (reason,) = found.left_out
    return reason


@pytest.mark.parametrize(
    ("due_on", "told_at", "expected"),
    [
        (date(2026, 10, 31), None, "opened"),
        (date(2026, 10, 31), at_noon(date(2026, 8, 31)), "opened"),
        (date(2026, 10, 31), at_noon(date(2026, 9, 1)), "not-yet"),
        (date(2026, 10, 13), at_noon(date(2026, 9, 1)), "not-yet"),
        (date(2026, 10, 12), at_noon(date(2026, 9, 1)), "due"),
        (date(2026, 10, 5), at_noon(date(2026, 9, 1)), "due"),
        (date(2026, 10, 4), at_noon(date(2026, 9, 1)), "overdue"),
    ],
)
def test_what_presses_most_is_said(due_on: date, told_at: datetime | None, expected: str) -> None:
    assert planned(reader(duties=(duty(due_on),), told_at=told_at)) == expected


def test_what_was_known_before_it_opened_is_said_once_it_does() -> None:
    early = duty(date(2026, 10, 31), opens_on=date(2026, 10, 5))
    told = at_noon(date(2026, 9, 20))
    assert planned(reader(duties=(early,), told_at=told)) == "opened"
    assert planned(reader(duties=(early,), told_at=told), date(2026, 10, 4)) == "nothing-owed"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"standing": "left"}, "left"),
        ({"standing": "away"}, "away"),
        ({"standing": "waiting"}, "waiting"),
        ({"duties": ()}, "nothing-owed"),
        ({"address": ""}, "no-address"),
        ({"mailed_on": TODAY}, "this-week"),
        ({"mailed_on": TODAY - timedelta(days=6)}, "this-week"),
        ({"mailed_on": TODAY - timedelta(days=7)}, "overdue"),
    ],
)
def test_who_is_left_out_and_why(values: dict[str, Any], expected: str) -> None:
    one = reader(**{"duties": (duty(TODAY - timedelta(days=1)),)} | values)
    assert planned(one) == expected


def test_a_manager_reads_of_their_own_in_the_digest_alone() -> None:
    head = reader(is_manager=True)
    assert planned(head, has_digest=False) == "opened"
    assert planned(head, has_digest=True) == "with-digest"
    assert planned(head, has_digest=True, is_digest_day=True) == "digest"


def test_there_is_no_digest_once_everybody_is_done() -> None:
    head = reader(is_manager=True, duties=())
    away = reader(2, standing="away")
    found = plan([head, away], has_digest=True, is_digest_day=True, today=TODAY)
    assert found.letters == ()
    busy = reader(3)
    found = plan([head, busy], has_digest=True, is_digest_day=True, today=TODAY)
    assert found.letters == (
        Letter(busy, "opened", busy.duties),
        Letter(head, "digest", ()),
    )
    assert found.counts() == {"opened": 1, "digest": 1}


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ((5, 6, 59), "quiet"),
        ((5, 7, 0), ""),
        ((5, 17, 59), ""),
        ((5, 18, 0), "quiet"),
        ((3, 12, 0), "weekend"),
        ((26, 12, 0), "holiday"),
        ((30, 12, 0), "holiday"),
    ],
)
def test_when_nothing_goes(moment: tuple[int, int, int], expected: str) -> None:
    day, hour, minute = moment
    assert shut(terms(), datetime(2026, 10, day, hour, minute, tzinfo=LOCAL)) == expected


def test_off_goes_before_everything() -> None:
    assert shut(terms(is_on=False), datetime(2026, 10, 26, 12, tzinfo=LOCAL)) == "off"


@given(st.integers(0, 23), st.integers(0, 23))
def test_quiet_hours_may_span_midnight(first: int, end: int) -> None:
    loud = [
        hour
        for hour in range(24)
        if not shut(
            terms(quiet_from=first, quiet_until=end), datetime(2026, 10, 5, hour, tzinfo=LOCAL)
        )
    ]
    quiet = {(first + step) % 24 for step in range((end - first) % 24)}
    assert set(loud) == set(range(24)) - quiet


def test_what_a_digest_counts() -> None:
    people = [
        reader(1, duties=(duty(TODAY - timedelta(days=1)), duty())),
        reader(2, duties=(Duty("induction", "2026-27", TODAY, TODAY, at_noon(TODAY), True),)),
        reader(3),
        reader(4, standing="away"),
        reader(5, standing="left"),
        reader(6, standing="waiting"),
        reader(7, duties=()),
    ]
    assert figures(people, today=TODAY, finished=4, failed=5) == Figures(1, 2, 1, 1, 4, 5)


DUTIES = st.lists(
    st.builds(
        lambda opens, lasts: duty(opens + timedelta(days=lasts), opens), DAYS, st.integers(0, 90)
    ),
    max_size=3,
).map(tuple)
READERS = st.lists(
    st.builds(
        lambda duties, standing, address, is_manager: reader(
            duties=duties, standing=standing, address=address, is_manager=is_manager
        ),
        DUTIES,
        st.sampled_from(["counted", "counted", "counted", "away", "left", "waiting"]),
        st.sampled_from(["sam@example.org", "sam@example.org", ""]),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)
SPANS = st.lists(
    st.builds(lambda day, days: ("Away", day, day + timedelta(days=days)), DAYS, st.integers(0, 9)),
    max_size=3,
).map(tuple)


@settings(max_examples=60, deadline=None)
@given(READERS, SPANS, st.booleans(), st.integers(0, 4), st.integers(0, 23), st.integers(0, 23))
def test_a_whole_autumn(
    readers: list[Reader],
    holidays: tuple[tuple[str, date, date], ...],
    has_digest: bool,
    weekday: int,
    quiet_from: int,
    quiet_until: int,
) -> None:
    """Asked every hour: never twice in a week, never when it is shut, nobody who should not."""
    people = [reader(number, **_values(one)) for number, one in enumerate(readers)]
    school = terms(
        holidays=holidays,
        has_digest=has_digest,
        digest_weekday=weekday,
        quiet_from=quiet_from,
        quiet_until=quiet_until,
    )
    mailed: dict[UUID, list[date]] = {one.person_id: [] for one in people}
    moment = datetime(2026, 9, 1, tzinfo=LOCAL)
    while moment < datetime(2026, 11, 15, tzinfo=LOCAL):
        today = moment.date()
        if not shut(school, moment):
            found = plan(
                people,
                has_digest=has_digest,
                is_digest_day=is_digest_day(school, today),
                today=today,
            )
            everybody = [one.reader for one in found.letters]
            for reason, who in found.left_out.items():
                assert reason in LEFT_OUT
                everybody += who
            assert sorted(one.person_id for one in everybody) == sorted(mailed)
            for letter in found.letters:
                one = letter.reader
                assert one.standing == "counted"
                assert one.address
                assert letter.duties or letter.kind == "digest"
                assert (letter.kind == "digest") <= (one.is_manager and has_digest)
                mailed[one.person_id].append(today)
                people[people.index(one)] = _mailed(one, moment)
        moment += timedelta(hours=5)
    for days in mailed.values():
        for first, then in pairwise(days):
            assert then - first >= timedelta(days=7)
        for day in days:
            assert day.weekday() < 5
            assert not any(first <= day <= last for _, first, last in holidays)


def _values(one: Reader) -> dict[str, Any]:
    return {
        "duties": one.duties,
        "standing": one.standing,
        "address": one.address,
        "is_manager": one.is_manager,
    }


def _mailed(one: Reader, moment: datetime) -> Reader:
    number = one.person_id.int
    return reader(number, **_values(one), mailed_on=moment.date(), told_at=moment)
