"""What the doctor says of one thing."""

from dataclasses import dataclass
from typing import Final, Literal

OK: Final = "ok"
WARNING: Final = "warning"
FAULT: Final = "fault"


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, in words, and what to do about it."""

    about: str
    state: Literal["ok", "warning", "fault"]
    says: str
    does: str = ""


def ok(about: str, says: str) -> Finding:
    """All is well."""
    return Finding(about, OK, says)


def warning(about: str, says: str, does: str) -> Finding:
    """It works, and something should be done."""
    return Finding(about, WARNING, says, does)


def fault(about: str, says: str, does: str) -> Finding:
    """It does not work, or loses something."""
    return Finding(about, FAULT, says, does)
