"""Whom and what a request is about."""

from flask import abort, request

from sandbox_lms.schools import SCHOOLS, Activity, Person, School
from sandbox_lms.services import the_platform

SIGNED_IN_COOKIE = "sandbox_person"


def the_school(slug: str) -> School:
    return SCHOOLS.get(slug) or abort(404, f"There is no school called {slug}.")


def the_activity(activity_id: str) -> Activity:
    try:
        return the_platform().activity(activity_id)
    except LookupError:
        abort(404, f"There is no activity {activity_id}.")


def signed_in() -> Person | None:
    return the_platform().people.get(request.cookies.get(SIGNED_IN_COOKIE, ""))
