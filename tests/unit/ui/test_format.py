"""Dates and times as people read them."""

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from flask_babel import force_locale

from lti_tool.ui.format import clock_time, day, day_and_time
from lti_tool.ui.pages import install


def test_dates_and_times_are_local_to_the_school() -> None:
    late_in_summer = datetime(2026, 7, 31, 23, 30, tzinfo=UTC)
    assert day(late_in_summer) == "1 August 2026"
    assert clock_time(late_in_summer) == "00:30"
    assert day_and_time(datetime(2026, 11, 21, 14, 5, tzinfo=UTC)) == "21 November 2026, 14:05"


def test_a_date_stays_the_day_it_is() -> None:
    assert day(date(2026, 9, 1)) == "1 September 2026"


def test_nothing_is_shown_for_nothing() -> None:
    assert (day(None), clock_time(None), day_and_time(None)) == ("", "", "")


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        clock_time(datetime(2026, 11, 21))  # noqa: DTZ001


def test_month_names_follow_the_pages_language() -> None:
    app = Flask(__name__)
    install(app)
    with app.test_request_context(), force_locale("cy"):
        assert day(date(2026, 11, 21)) == "21 Tachwedd 2026"
