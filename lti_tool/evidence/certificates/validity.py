"""Until when a certificate is valid, and what becomes of it. Pure: no database, no clock."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from lti_tool.training.cycles.owing import INDUCTION, REFRESH, Window

VALID: Final = "valid"
EXPIRED: Final = "expired"
SUPERSEDED: Final = "superseded"
WITHDRAWN: Final = "withdrawn"
WHOLE: Final = (INDUCTION, REFRESH)
"""Trainings of the whole policy: they take the place of whatever was done before."""


def valid_to(
    *, module: str, cycle: str, on: date, windows: Iterable[Window], grace_days: int
) -> date:
    """The day on which the first refresh closes that this completion does not count for.

    A refresh counts for its own school year, whenever it was done; an induction also for the
    refresh that opens a short time after it; anything else for no later one. Never a day before
    ``on``. Raises ``ValueError`` where the windows do not reach so far.
    """
    until = on + timedelta(days=grace_days) if module == INDUCTION else on
    following = (
        one
        for one in sorted(windows, key=lambda one: one.opens_on)
        if (one.name > cycle if module == REFRESH else one.opens_on > until) and one.closes_on >= on
    )
    found = next(following, None)
    if found is None:
        raise ValueError(f"no refresh is known that follows {on}")
    return found.closes_on


def state(*, is_withdrawn: bool, is_superseded: bool, valid_to: date, today: date) -> str:
    """withdrawn, superseded, expired or valid: the first that holds."""
    if is_withdrawn:
        return WITHDRAWN
    if is_superseded:
        return SUPERSEDED
    return EXPIRED if valid_to < today else VALID
