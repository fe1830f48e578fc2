"""The school year, which training, scores and line items are counted by."""

from datetime import datetime
from typing import Final

from lti_tool.ui.format import local

FIRST_MONTH: Final = 9
"""A school year runs from 1 September to 31 August."""


def cycle_of(moment: datetime) -> str:
    """The school year a moment falls in, by the clocks at school: ``2026-27``."""
    today = local(moment)
    first = today.year if today.month >= FIRST_MONTH else today.year - 1
    return f"{first}-{(first + 1) % 100:02}"
