"""The kinds of data that a school sets a period for. Every table of what people did is of one; a
house test sees to it."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Final

from flask_babel import lazy_gettext as _
from flask_babel import ngettext
from flask_babel.speaklater import LazyString

MOST_MONTHS: Final = 1200


@dataclass(frozen=True)
class Kind:
    """What goes together, from when its period counts, and what schools commonly set."""

    id: str
    title: LazyString
    about: LazyString
    starts: LazyString
    suggested: int
    """Months."""
    why: LazyString
    tables: tuple[str, ...]
    fewest: int = 1
    """The shortest period in months, where something still rests on it."""


# In the order in which they are disposed of: people last, when nothing else of theirs is left.
KINDS: Final = {
    one.id: one
    for one in (
        Kind(
            "answers",
            _("Answers"),
            _("What each person was asked and answered, how sure they were, and what they read."),
            _("the day on which another version of the policy took the place of theirs"),
            12,
            _(
                "They serve learning and the review of the version they were given under. Both "
                "are over a year after it. What they add up to stays, as counts of ten or more."
            ),
            ("question", "round", "section_read"),
        ),
        Kind(
            "begun",
            _("Trainings begun and not finished"),
            _(
                "That somebody began a training, and how far they came. Their answers go with the "
                "answers."
            ),
            _("the last thing done in it"),
            12,
            _("After a school year another has taken its place."),
            ("journey",),
            fewest=6,
        ),
        Kind(
            "absences",
            _("Days away from work"),
            _("From when until when somebody was away; never why."),
            _("the last day away"),
            24,
            _("They explain the due dates of this school year and the one before."),
            ("absence",),
            fewest=12,
        ),
        Kind(
            "mails",
            _("E-mails sent"),
            _("Which reminder went to which address, and what became of it."),
            _("the day it was sent"),
            12,
            _("They show for a school year that people were reminded."),
            ("reminder",),
        ),
        Kind(
            "imports",
            _("Staff files"),
            _("What each staff file changed of whom, so that it can be undone."),
            _("the day it was taken over"),
            12,
            _("After a school year nobody undoes it."),
            ("staff_import", "staff_import_change"),
        ),
        Kind(
            "visits",
            _("Visits"),
            _("When people came and went. The last visit of each person goes with the person."),
            _("the end of the visit"),
            3,
            _("Long enough to look into a fault or a misuse that comes to light."),
            ("visit", "join_code"),
        ),
        Kind(
            "training",
            _("Training records"),
            _(
                "Declarations, completions, scores and certificates, due dates and how they were "
                "moved, and what was sent to the platform."
            ),
            _("the day on which the person left the school"),
            72,
            _(
                "Schools commonly keep staff files until employment ended and six years more, "
                "because a claim from it can be brought so long (Limitation Act 1980; so the IRMS "
                "toolkit for schools)."
            ),
            (
                *("declaration", "completion", "obligation", "due_date_move"),
                *("score_outbox", "certificate", "certificate_act"),
            ),
        ),
        Kind(
            "people",
            _("People who left"),
            _(
                "Name, e-mail address, payroll number, how the platform knows them. It waits until "
                "nothing of their training is left."
            ),
            _("the day on which the person left the school"),
            72,
            _("As long as their training records, which name them."),
            ("membership", "person_join", "roster_entry", "retention_hold", "act_concerns"),
        ),
        Kind(
            "unconfirmed",
            _("People who were never confirmed"),
            _("Whoever came from the platform and was never counted: pupils may be among them."),
            _("their last visit"),
            12,
            _("The school never said that they are its own, and has no use for their data."),
            (),
        ),
        Kind(
            "access-log",
            _("Access log"),
            _("What managers did, looked at and took away."),
            _("the day it was done"),
            36,
            _("Long enough for a question about a past school year."),
            ("act",),
        ),
        Kind(
            "acts",
            _("Managers’ acts in the ledger"),
            _("Who set, exported or decided something. That it was done stays, without who."),
            _("the day it was done"),
            72,
            _("As long as the training records they explain."),
            ("disclosure",),
        ),
    )
}


def months_before(day: date, months: int) -> date:
    """The same day so many months ago; the last of its month where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def period_words(months: int) -> str:
    """``6 years``; ``18 months``."""
    if months % 12:
        return str(ngettext("%(num)s month", "%(num)s months", months))
    return str(ngettext("%(num)s year", "%(num)s years", months // 12))
