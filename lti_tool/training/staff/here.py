"""What every view here needs of the visit in hand."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from flask import current_app, g

from lti_tool.policies.policy import School
from lti_tool.training.cycles.settling import settle
from lti_tool.ui.format import local


def school() -> School:
    """The school of the visit."""
    found: School = current_app.extensions["catalogue"].schools[g.visit.school_id]
    return found


def today() -> date:
    """The school's day."""
    return local(g.now).date()


def settle_again(person_ids: Collection[UUID]) -> None:
    """Bring what these people owe up to what is known of them since this act, which is theirs in
    the access log too."""
    g.concerns |= set(person_ids)
    g.session.flush()
    settle(g.session, school=school(), now=g.now, person_ids=person_ids)
