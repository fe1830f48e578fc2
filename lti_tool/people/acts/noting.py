"""What a request did or showed goes into the access log, by the mark that its view wears."""

from collections.abc import Callable
from datetime import datetime

from flask import Response, g, request
from sqlalchemy.orm import Session

from lti_tool.core.database import Database
from lti_tool.people.acts import recording
from lti_tool.people.memberships import people_of


def note(
    session: Session,
    database: Database,
    response: Response,
    morning: Callable[[datetime], datetime],
) -> None:
    """Enter the act, if it is one: before the commit, so that neither is there without the other.

    A form's act concerns whom its address names and whom its view put into ``g.concerns``. A page
    that shows a person has no transaction to write in, and gets a short one, before the page goes
    out: once for each manager, person and day (``morning`` says when a moment's day began).
    """
    mark, visit = g.get("mark"), g.get("visit")
    if mark is None or visit is None or not visit.school_id:
        return
    is_form = request.method == "POST"
    if not (mark.is_act if is_form else mark.leaves_trace and response.status_code == 200):
        return
    member, concerns = (request.view_args or {}).get("membership_id"), set(g.concerns)
    if member is not None:
        concerns |= people_of(session, school_id=visit.school_id, membership_ids=[member])
    done = {"school_id": visit.school_id, "actor_id": visit.person_id}
    if is_form or mark.hands_out:
        recording.record(
            session,
            **done,
            what=request.endpoint or "",
            concerns=concerns,
            names_everybody=mark.hands_out and not g.get("names_nobody", False),
            now=g.now,
        )
        return
    new = [
        one
        for one in concerns
        if not recording.is_noted(session, **done, person_id=one, since=morning(g.now))
    ]
    if new:
        with database.transaction() as own:
            recording.record(own, **done, what=recording.VIEWED, concerns=new, now=g.now)
