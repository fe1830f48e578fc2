"""The points to check in a school's policy, worked out with the whole bank, and their words."""

from datetime import date
from typing import Final

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.questions import in_language
from lti_tool.policies.health import Kind, Point, points_to_check
from lti_tool.policies.policy import PolicyVersion, School
from lti_tool.ui.format import day

HEADINGS: Final[dict[Kind, LazyString]] = {
    Kind.REVIEW_MISSING: lazy_gettext("The policy gives no review date"),
    Kind.REVIEW_PASSED: lazy_gettext("The review date has passed"),
    Kind.CYCLES_DIFFER: lazy_gettext("Stated review cycles disagree"),
    Kind.CONFLICT: lazy_gettext("Clauses are in conflict"),
    Kind.FORCE_DIFFERS: lazy_gettext("Clauses say the same with differing force"),
    Kind.NOT_SETTLED: lazy_gettext("An important topic is not settled"),
    Kind.EXCEPTION_ALONE: lazy_gettext("An exception stands in one clause and not beside it"),
    Kind.OLD_EDITION: lazy_gettext("It names an old edition of guidance"),
}
WORDS: Final[dict[Kind, LazyString]] = {
    Kind.REVIEW_MISSING: lazy_gettext("Nothing says by when it is to be looked at again."),
    Kind.REVIEW_PASSED: lazy_gettext("It was due by %(day)s."),
    Kind.CYCLES_DIFFER: lazy_gettext("It says: %(cycles)s."),
    Kind.CONFLICT: lazy_gettext(
        "On %(topics)s, what one clause forbids another allows or asks for, for the same facts. "
        "Nobody is marked on it until the school decides."
    ),
    Kind.FORCE_DIFFERS: lazy_gettext("It came up on %(topics)s. The stronger of them is taught."),
    Kind.NOT_SETTLED: lazy_gettext("On %(topics)s no clause lays anything down."),
    Kind.EXCEPTION_ALONE: lazy_gettext(
        "%(clause)s makes an exception for %(fact)s; on %(topics)s the other clauses hold all the "
        "same. Is that meant?"
    ),
    Kind.OLD_EDITION: lazy_gettext(
        "It names the %(edition)s edition of “%(name)s”, and is dated %(date)s."
    ),
}
INFERRED: Final = lazy_gettext("On %(topics)s what is asked has to be inferred from these words.")
FACT_WORDS: Final[dict[str, LazyString]] = {
    "relative": lazy_gettext("family"),
    "friend": lazy_gettext("friends from outside school"),
    "exceptional": lazy_gettext("exceptional circumstances"),
}


def points_of(
    catalogue: Catalogue, school: School, version: PolicyVersion, *, today: date
) -> tuple[Point, ...]:
    """Everything to check in a version, by the scenarios and important topics there are."""
    return points_to_check(
        version,
        school,
        cases=(one.case for one in catalogue.scenarios.values()),
        role_groups=catalogue.role_groups,
        important=(one.id for one in catalogue.topics.values() if one.important),
        today=today,
    )


def words(catalogue: Catalogue, version: PolicyVersion, point: Point, language: str) -> str:
    """What is to be checked, in a sentence. Its heading is in ``HEADINGS``."""
    said = point.said
    titles = (in_language(catalogue.topics[one].title, language) for one in point.topics)
    excused = (version.clauses[one].locator for one in said.get("excused", ()))
    text = INFERRED if point.kind is Kind.NOT_SETTLED and point.clauses else WORDS[point.kind]
    return str(text) % {
        "topics": ", ".join(f"“{title}”" for title in titles),
        "day": day(said.get("on")),
        "cycles": "; ".join(said.get("cycles", ())),
        "clause": "; ".join(excused),
        "fact": FACT_WORDS.get(said.get("fact", ""), ""),
        "edition": said.get("edition", ""),
        "name": said.get("name", ""),
        "date": version.approved_on,
    }
