"""What a declaration says, and its record keeps, of what was compared and what was read."""

from collections.abc import Mapping

from flask_babel import gettext as _

from lti_tool.core import ledger
from lti_tool.training.course import Course
from lti_tool.ui.format import day


def what_was_read(course: Course, policy: Mapping[str, str]) -> str:
    """What somebody declares to have read who did not read it all; ``policy`` are the words of
    the version: title, number, status and language."""
    known = course.since or course.beside
    if known is None:
        raise LookupError("nothing was declared before")
    policy = {**policy, "known": known.version.number, "then": day(known.declared_on)}
    if course.reads_differences:
        policy["school"] = known.school.name
        if course.differing:
            said = _(
                "I have read where the %(title)s, version %(number)s, %(status)s, in "
                "%(language)s, differs from the policy of %(school)s, version %(known)s, which I "
                "declared on %(then)s.",
                **policy,
            )
        else:
            said = _(
                "I have been shown that the %(title)s, version %(number)s, %(status)s, in "
                "%(language)s, asks the same of me as the policy of %(school)s, version %(known)s, "
                "which I declared on %(then)s.",
                **policy,
            )
    elif course.changes.mine:
        said = _(
            "I have read what has changed for me in the %(title)s, version %(number)s, %(status)s"
            ", in %(language)s, since version %(known)s, which I declared on %(then)s.",
            **policy,
        )
    elif known.version.sha256 == course.version.sha256:
        said = _(
            "I have been shown that the %(title)s, version %(number)s, %(status)s, in "
            "%(language)s, is still the one that I declared on %(then)s.",
            **policy,
        )
    else:
        said = _(
            "I have been shown that nothing has changed for me in the %(title)s, version "
            "%(number)s, %(status)s, in %(language)s, since version %(known)s, which I "
            "declared on %(then)s.",
            **policy,
        )
    return str(said)


def clauses_shown(course: Course) -> list[ledger.Value]:
    """The clauses of this version that the reader was shown as theirs to read."""
    if course.reads_changes:
        return [one.now.id for one in course.changes.mine if one.now]
    if course.reads_differences:
        return [one.clause.id for each in course.differences for one in each.here]
    return [one.clause.id for reading in course.readings for one in reading.bound]


def compared_with(course: Course) -> dict[str, ledger.Value]:
    """What was new to the reader. The other school's version stands among what is personal."""
    since = course.since if course.reads_changes else None
    return {
        "since": since.version.number if since else "",
        "since_sha256": since.version.sha256 if since else "",
        "clauses_changed": [
            clause.id for one in course.changes.mine for clause in [one.now or one.before] if clause
        ],
        "topics_differing": list(course.differing),
    }
