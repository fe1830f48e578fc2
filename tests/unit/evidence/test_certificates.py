"""A certificate's number, until when it is valid, and what takes its place."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.evidence.certificates import numbers, validity
from lti_tool.evidence.certificates.numbers import ALPHABET
from lti_tool.training.cycles.owing import FIRST_DAY, INDUCTION, REFRESH, UPDATE, Window

WINDOWS = [
    Window(f"{year}-{year % 100 + 1:02}", date(year, 9, 1), date(year, 10, 31))
    for year in (2028, 2026, 2027, 2025)
]
NUMBER = st.builds(numbers.new_number)


def until(module: str, on: date, cycle: str = "2026-27") -> date:
    return validity.valid_to(module=module, cycle=cycle, on=on, windows=WINDOWS, grace_days=90)


@pytest.mark.parametrize(
    ("module", "cycle", "on", "expected"),
    [
        (REFRESH, "2026-27", date(2026, 9, 20), date(2027, 10, 31)),
        (REFRESH, "2026-27", date(2027, 3, 1), date(2027, 10, 31)),
        # Done after the next has opened: still for its own year, and no date that is over.
        (REFRESH, "2026-27", date(2027, 9, 10), date(2027, 10, 31)),
        (REFRESH, "2026-27", date(2027, 11, 10), date(2028, 10, 31)),
        (INDUCTION, "2026-27", date(2027, 2, 1), date(2027, 10, 31)),
        # A short time before the refresh opens: it counts for that one.
        (INDUCTION, "2026-27", date(2027, 6, 2), date(2027, 10, 31)),
        (INDUCTION, "2026-27", date(2027, 6, 3), date(2028, 10, 31)),
        (INDUCTION, "2027-28", date(2027, 9, 20), date(2028, 10, 31)),
        (FIRST_DAY, "2026-27", date(2027, 7, 1), date(2027, 10, 31)),
        (UPDATE, "policy-2026-10", date(2026, 12, 1), date(2027, 10, 31)),
    ],
)
def test_it_is_valid_until_the_next_refresh_closes(
    module: str, cycle: str, on: date, expected: date
) -> None:
    assert until(module, on, cycle) == expected


@given(
    st.sampled_from([REFRESH, INDUCTION, FIRST_DAY, UPDATE]),
    st.dates(date(2026, 9, 1), date(2027, 8, 31)),
)
@settings(max_examples=50)
def test_it_never_bears_a_date_that_is_over_or_of_the_year_it_was_done_in(
    module: str, on: date
) -> None:
    assert until(module, on) > max(on, date(2026, 10, 31))


def test_years_that_are_not_known_are_a_fault() -> None:
    with pytest.raises(ValueError, match="no refresh"):
        until(REFRESH, date(2029, 1, 1), "2028-29")


@pytest.mark.parametrize(
    ("withdrawn", "superseded", "today", "expected"),
    [
        (False, False, date(2027, 10, 31), "valid"),
        (False, False, date(2027, 11, 1), "expired"),
        (False, True, date(2027, 11, 1), "superseded"),
        (True, True, date(2027, 11, 1), "withdrawn"),
    ],
)
def test_the_gravest_state_is_the_one_that_is_told(
    withdrawn: bool, superseded: bool, today: date, expected: str
) -> None:
    found = validity.state(
        is_withdrawn=withdrawn,
        is_superseded=superseded,
        valid_to=date(2027, 10, 31),
        today=today,
    )
    assert found == expected


@given(NUMBER)
@settings(max_examples=20)
def test_a_number_is_read_however_it_is_typed(number: str) -> None:
    assert len(number) == 12
    assert numbers.read(f" {numbers.shown(number).lower()} ") == number
    assert numbers.read(number.replace("1", "l")) == number


@given(NUMBER, st.integers(0, 11), st.sampled_from(ALPHABET))
@settings(max_examples=50)
def test_one_wrong_letter_shows(number: str, at: int, letter: str) -> None:
    altered = number[:at] + letter + number[at + 1 :]
    assert numbers.read(altered) == (number if altered == number else "")


@given(NUMBER, st.integers(0, 11), st.integers(0, 11))
@settings(max_examples=50)
def test_two_letters_that_changed_places_show(number: str, one: int, other: int) -> None:
    letters = list(number)
    letters[one], letters[other] = letters[other], letters[one]
    altered = "".join(letters)
    assert numbers.read(altered) == (number if altered == number else "")


@pytest.mark.parametrize("text", ["", "K7QM", "0" * 12, "é" * 12, "²" * 12, "1" * 13, "-" * 40])
def test_what_is_none_is_told_from_one(text: str) -> None:
    assert numbers.read(text) == ""
