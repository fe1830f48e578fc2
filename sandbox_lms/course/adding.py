"""Adding activities to a course: the tool is asked, and what it answers is verified and kept.

As in Moodle one item fills a form, several get a page that asks before they are created. The form
carries the tool's answer itself, which is verified each time: when it arrives, and when it is used.
"""

from collections.abc import Mapping
from typing import Any

import jwt
from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from sandbox_lms.claims import DEEP_LINKING, LTI
from sandbox_lms.course.asked import SIGNED_IN_COOKIE, signed_in, the_school
from sandbox_lms.platform import CLIENT_ID, Launch, Platform
from sandbox_lms.schools import KINDS, Activity, School
from sandbox_lms.services import the_platform
from sandbox_lms.tokens import TokenRefused

course = Blueprint("course", __name__)

EDITORS = ("teacher", "admin")


class AnswerRefused(ValueError):
    """Why an answer of the tool is not taken."""


@course.route("/schools/<slug>/add", methods=["GET", "POST"])
def add(slug: str) -> AnyResponse | str:
    """GET: the tool's page for picking, in a frame. POST: be somebody who may edit the course."""
    school = the_school(slug)
    if request.method == "POST":
        person = the_platform().people.get(request.form.get("person", ""))
        if person is None or person.school not in (slug, None):
            abort(400, "Choose somebody of this school.")
        response = redirect(url_for("course.add", slug=slug), 303)
        response.set_cookie(SIGNED_IN_COOKIE, person.id, httponly=True, samesite="Lax")
        return response
    person = signed_in()
    editors = [one for one in the_platform().people_at(school) if one.role in EDITORS]
    return render_template(
        "add.html",
        school=school,
        editors=editors,
        person=person if person in editors else None,
        kinds=KINDS,
    )


@course.route("/schools/<slug>/pick")
def pick(slug: str) -> str:
    """Login initiation of a deep linking request."""
    school, person = the_school(slug), signed_in()
    if person is None or person.role not in EDITORS or person.school not in (slug, None):
        abort(403, "Only somebody who may edit the course can add activities to it.")
    platform = the_platform()
    return render_template(
        "post.html",
        action=f"{platform.tool_url}/lti/login",
        fields=platform.begin(Launch(person.id, school, None)),
    )


@course.route("/schools/<slug>/picked", methods=["POST"])
def picked(slug: str) -> str:
    """Where the tool answers, in the frame. No cookie comes along from another site."""
    school = the_school(slug)
    said = _answer(school)
    return render_template(
        "picked.html",
        school=school,
        items=said[f"{DEEP_LINKING}content_items"],
        said=said.get(f"{DEEP_LINKING}msg") or said.get(f"{DEEP_LINKING}errormsg"),
        signed=request.form["JWT"],
        session_key=the_platform().session_key,
    )


@course.route("/schools/<slug>/activities", methods=["POST"])
def create(slug: str) -> AnyResponse:
    """Create what the tool's answer names; where it is one item, as the teacher changed it."""
    school = the_school(slug)
    items = _answer(school)[f"{DEEP_LINKING}content_items"]
    for item in items:
        title, text = str(item.get("title", "")), str(item.get("text", ""))
        if len(items) == 1:
            title, text = (request.form.get(name, "") for name in ("title", "text"))
        if not title:
            abort(400, "An activity needs a name.")
        add_activity(the_platform(), school, item, title=title, text=text)
    return redirect(url_for("pages.front", _anchor=school.slug), 303)


def add_activity(
    platform: Platform, school: School, item: Mapping[str, Any], *, title: str, text: str
) -> Activity:
    """An activity from a content item; ungraded unless the item has a line item.

    As in Moodle the line item takes the activity's title, whatever its label.
    """
    custom = {name: str(value) for name, value in item.get("custom", {}).items()}
    with platform.lock:
        activity = Activity(
            id=str(1001 + len(platform.added)),
            school=school.slug,
            course_id=school.course_id,
            module=custom.get("module", ""),
            title=title,
            description=text,
            custom=custom,
            url=item.get("url", ""),
        )
        platform.added[activity.id] = activity
        if wanted := item.get("lineItem"):
            sent = {**wanted, "label": title, "resourceLinkId": activity.id}
            platform.gradebook.create(school.course_id, sent, {activity.id})
        platform.save()
    return activity


def _answer(school: School) -> Mapping[str, Any]:
    """The verified answer in the request's form."""
    platform = the_platform()
    if request.values.get("sesskey") != platform.session_key:
        abort(403, "Your session has expired. Log in again.")
    try:
        return read_answer(platform, school, request.form.get("JWT", ""))
    except AnswerRefused as refused:
        abort(400, f"The tool's answer was refused: {refused}")


def read_answer(platform: Platform, school: School, signed: str) -> Mapping[str, Any]:
    """What an LtiDeepLinkingResponse says. Stricter than Moodle, which asks for neither `aud`,
    `nonce` nor deployment. Raises AnswerRefused."""
    said = _verified(platform, signed)
    now = platform.clock().timestamp()
    wanted = {
        "iss": CLIENT_ID,
        "aud": platform.issuer,
        f"{LTI}deployment_id": school.slug,
        f"{LTI}message_type": "LtiDeepLinkingResponse",
        f"{LTI}version": "1.3.0",
    }
    for name, value in wanted.items():
        if said.get(name) != value:
            raise AnswerRefused(f"{name} is not {value}")
    if not said.get("nonce") or not said.get("iat", now + 1) <= now < said.get("exp", 0):
        raise AnswerRefused("no nonce, or not of this moment")
    items = said.get(f"{DEEP_LINKING}content_items")
    if not isinstance(items, list) or f"{DEEP_LINKING}data" in said:
        raise AnswerRefused("no content_items, or data that was never sent")
    if any(not isinstance(item, dict) or item.get("type") != "ltiResourceLink" for item in items):
        raise AnswerRefused("something other than ltiResourceLink")
    return said


def _verified(platform: Platform, signed: str) -> dict[str, Any]:
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
    try:
        kid = jwt.get_unverified_header(signed).get("kid", "")
        key = platform.tool_key(kid, False) or platform.tool_key(kid, True)
        if key is None:
            raise AnswerRefused("an unknown key")
        said: dict[str, Any] = jwt.decode(signed, key.key, algorithms=["RS256"], options=options)
    except (jwt.InvalidTokenError, TokenRefused) as fault:
        raise AnswerRefused(str(fault)) from None
    return said
