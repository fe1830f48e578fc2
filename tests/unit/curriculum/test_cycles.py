from datetime import UTC, datetime

import pytest

from lti_tool.curriculum.cycles import cycle_of


@pytest.mark.parametrize(
    ("moment", "cycle"),
    [
        (datetime(2026, 8, 31, 22, 59, tzinfo=UTC), "2025-26"),
        (datetime(2026, 8, 31, 23, 0, tzinfo=UTC), "2026-27"),  # midnight on clocks at school
        (datetime(2026, 9, 1, 0, 0, tzinfo=UTC), "2026-27"),
        (datetime(2027, 1, 1, 0, 0, tzinfo=UTC), "2026-27"),
        (datetime(2099, 12, 31, 0, 0, tzinfo=UTC), "2099-00"),
    ],
)
def test_a_school_year_begins_in_september(moment: datetime, cycle: str) -> None:
    assert cycle_of(moment) == cycle
