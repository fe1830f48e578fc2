"""Which training comes next, by what is owed and what was begun."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from lti_tool.training.cycles.models import Obligation
from lti_tool.training.cycles.turn import Turn, choose
from lti_tool.training.models import Journey

NOW = datetime(2026, 9, 10, 9, 0, tzinfo=UTC)
THIS, LAST = "2026-27", "2025-26"


def owed(module: str, cycle: str = THIS, due: date = date(2026, 10, 31)) -> Obligation:
    return Obligation(id=UUID(int=1), module=module, cycle=cycle, due_on=due)


def begun(module: str, cycle: str = THIS, *, days: int = 1, done: bool = False) -> Journey:
    at = NOW - timedelta(days=days)
    return Journey(
        id=UUID(int=days),
        module=module,
        cycle=cycle,
        started_at=at,
        completed_at=at if done else None,
    )


def turn(owing: list[Obligation], journeys: list[Journey], asked: str = "induction") -> Turn:
    return choose(owing, journeys, asked=asked, cycle=THIS, now=NOW)


def which(found: Turn) -> tuple[str, str, bool]:
    return found.module, found.cycle, found.journey is not None


def test_the_same_link_leads_to_what_is_owed() -> None:
    assert which(turn([owed("annual-refresh")], [])) == ("annual-refresh", THIS, False)
    assert which(turn([owed("policy-update", "policy-2026-09")], [])) == (
        "policy-update", "policy-2026-09", False,
    )  # fmt: skip
    assert which(turn([], [])) == ("induction", THIS, False)


def test_what_the_link_is_for_goes_first_else_what_is_due_first() -> None:
    both = [owed("annual-refresh"), owed("policy-update", "policy-2026-09")]
    assert turn(both, [], asked="policy-update").module == "policy-update"
    assert turn(both, [], asked="induction").module == "annual-refresh"


def test_what_has_to_be_known_on_the_first_day_goes_before_all() -> None:
    both = [owed("induction"), owed("before-you-start")]
    assert turn(both, [], asked="induction").module == "before-you-start"


def test_an_induction_begun_in_august_goes_on_in_september() -> None:
    august = begun("induction", LAST, days=12)
    assert turn([], [august]).journey is august
    assert turn([owed("induction")], [august]).journey is august
    assert turn([owed("annual-refresh")], [august]).journey is august
    # Who came for the refresh gets it.
    assert turn([owed("annual-refresh")], [august], asked="annual-refresh").journey is None


def test_what_was_left_lying_for_months_does_not_go_on() -> None:
    old = begun("induction", LAST, days=120)
    assert which(turn([], [old])) == ("induction", THIS, False)
    assert which(turn([owed("annual-refresh")], [old])) == ("annual-refresh", THIS, False)
    assert turn([owed("induction", LAST)], [old]).journey is old  # unless it is what is owed


def test_a_refresh_of_last_year_is_not_this_years() -> None:
    last = begun("annual-refresh", LAST, days=20)
    assert turn([owed("annual-refresh")], [last], asked="annual-refresh").journey is None


def test_where_nothing_is_owed_what_was_done_is_shown() -> None:
    done = begun("induction", days=3, done=True)
    found = turn([], [done])
    assert found.journey is done
    assert found.is_done
    refreshed = begun("annual-refresh", days=2, done=True)
    found = turn([], [refreshed])
    assert found.rests
    assert found.journey is refreshed
    last_year = begun("annual-refresh", LAST, days=300, done=True)
    found = turn([], [last_year])
    assert found.rests
    assert found.journey is None
