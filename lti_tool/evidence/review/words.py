"""The words of a policy's review."""

from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from lti_tool.evidence.review.models import ReviewDecision
from lti_tool.evidence.review.statistics import Figure
from lti_tool.ui.format import day

HEADINGS: Final[dict[str, LazyString]] = {
    "wording-unclear": lazy_gettext("The wording may be unclear"),
    "silence-met": lazy_gettext("People met a case that the policy leaves open"),
}
DECISIONS: Final[dict[str, LazyString]] = {
    "accepted": lazy_gettext("Accept: it stays as it is"),
    "noted": lazy_gettext("Note it for the next review"),
    "mend": lazy_gettext("Mend it in a new version"),
}
METHOD: Final = (
    lazy_gettext(
        "Counted is each person’s first answer on a topic under this version, of the school’s own "
        "people, in whole tens and in the order in which they answered. So a figure changes only "
        "when ten more have answered, and nobody’s answer can be worked out from it. Nothing is "
        "told apart by role, site or year."
    ),
    lazy_gettext(
        "A topic or clause of fewer than ten people is not shown; nor is a clause whose figure, "
        "taken from another, would leave fewer than ten. The range is a Wilson interval: with so "
        "few people the true share lies within it, 19 times in 20."
    ),
)
DISCRIMINATION: Final = lazy_gettext(
    "“Fits the rest” says, from thirty people on, how far those who are right here are right on "
    "other topics: 1 wholly, 0 not at all; below 0 those who know the policy best are wrong here, "
    "and the question or the clause deserves a look."
)


def unclear_words(topic: str, found: Figure, option: str) -> str:
    """Why the wording may be unclear."""
    said = _(
        "On “%(topic)s”, %(right)s of %(people)s people were right at first. At least half of the "
        "others were sure, and at least half of those mistaken on one case gave the same answer.",
        topic=topic,
        right=found.right,
        people=found.people,
    )
    return f"{said} {_('It was: “%(option)s”', option=option)}" if option else str(said)


def silence_words(topic: str, people: int) -> str:
    """How many met it; ``people`` in whole tens, none for fewer."""
    if not people:
        return str(_("On “%(topic)s”. Fewer than ten people have met it so far.", topic=topic))
    return str(
        _("On “%(topic)s”. %(people)s people or more have met it.", topic=topic, people=people)
    )


def decision_words(decision: ReviewDecision | None) -> str:
    """What was decided, and when."""
    if decision is None:
        return str(_("Not decided yet"))
    on = day(decision.decided_at)
    if decision.decision == "mend":
        return str(
            _("To be mended in version %(number)s (%(day)s)", number=decision.mend_in, day=on)
        )
    if decision.decision == "noted":
        return str(_("Noted for the next review (%(day)s)", day=on))
    return str(_("Accepted as it is (%(day)s)", day=on))


def discrimination_words(figure: Figure) -> str:
    """The coefficient, or a dash where there is none."""
    said = figure.discrimination
    return "–" if said is None else f"{said + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")
