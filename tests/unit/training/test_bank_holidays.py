"""Bank holidays by their rules, against the dates that were published."""

from datetime import date

import pytest

from lti_tool.training.year.bank_holidays import bank_holidays, easter


@pytest.mark.parametrize(
    ("year", "sunday"),
    [
        (2018, date(2018, 4, 1)),
        (2024, date(2024, 3, 31)),
        (2025, date(2025, 4, 20)),
        (2026, date(2026, 4, 5)),
        (2027, date(2027, 3, 28)),
        (2038, date(2038, 4, 25)),
    ],
)
def test_easter(year: int, sunday: date) -> None:
    assert easter(year) == sunday


def test_the_bank_holidays_of_a_year() -> None:
    assert [day for _, day in bank_holidays(date(2026, 1, 1), date(2026, 12, 31))] == [
        date(2026, 1, 1), date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 4),
        date(2026, 5, 25), date(2026, 8, 31), date(2026, 12, 25), date(2026, 12, 28),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("year", "christmas", "boxing_day", "new_year"),
    [(2021, 27, 28, 1), (2022, 27, 26, 3), (2026, 25, 28, 1), (2024, 25, 26, 1)],
)
def test_weekends_have_substitutes(
    year: int, christmas: int, boxing_day: int, new_year: int
) -> None:
    found = dict(bank_holidays(date(year, 1, 1), date(year, 12, 31)))
    assert found["Christmas Day"].day == christmas
    assert found["Boxing Day"].day == boxing_day
    assert found["New Year’s Day"].day == new_year
