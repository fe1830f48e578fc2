"""Who is on every platform, and what stands in its course. Imported by servers and tests alike."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Person:
    """Somebody with an account at the platform."""

    username: str
    name: str
    email: str
    teaches: bool = False


@dataclass(frozen=True)
class Activity:
    """A place in the course that opens the tool.

    ``own_line_item``: the platform names one line item in the launch, and lets the tool make
    none. ``module`` empty: nothing is chosen yet, as before deep linking.
    """

    id: str
    module: str
    own_line_item: bool


COURSE_TITLE: Final = "Staff training"

LEARNER: Final = Person("ada", "Ada Okafor", "ada@school.example")
COLLEAGUE: Final = Person("bryn", "Bryn Ellis", "bryn@school.example")
NEWCOMER: Final = Person("dara", "Dara Lowe", "dara@school.example")
LATECOMER: Final = Person("finn", "Finn Abara", "finn@school.example")
STAYS_AWAY: Final = Person("eiry", "Eiry Vaughan", "eiry@school.example")
TEACHER: Final = Person("cleo", "Cleo Marsh", "cleo@school.example", teaches=True)
PEOPLE: Final = (LEARNER, COLLEAGUE, NEWCOMER, LATECOMER, STAYS_AWAY, TEACHER)

DECLARED: Final = Activity("declared", "induction", own_line_item=True)
PROGRAMMED: Final = Activity("programmed", "induction", own_line_item=False)
UNCHOSEN: Final = Activity("unchosen", "", own_line_item=True)
ACTIVITIES: Final = (DECLARED, PROGRAMMED, UNCHOSEN)
