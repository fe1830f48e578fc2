"""Opening what somebody did in the tool, from the gradebook.

As in Moodle the platform signs it for whoever asks, a student too, about anybody.
"""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from sandbox_lms.course.asked import SIGNED_IN_COOKIE, signed_in, the_activity, the_school
from sandbox_lms.platform import Launch
from sandbox_lms.schools import SCHOOLS
from sandbox_lms.services import the_platform

reviews = Blueprint("reviews", __name__)


@reviews.route("/schools/<slug>/reviews", methods=["POST"])
def choose(slug: str) -> AnyResponse:
    """Be somebody, and go to the page with the tool in a frame. `work` is activity/person."""
    school = the_school(slug)
    person = the_platform().people.get(request.form.get("person", ""))
    activity_id, _, user_id = request.form.get("work", "").partition("/")
    if person is None or person.school not in (slug, None):
        abort(400, "Choose somebody of this school.")
    if the_activity(activity_id).school != school.slug or user_id not in the_platform().people:
        abort(400, "That activity or person is not of this school.")
    place = url_for("reviews.frame", activity_id=activity_id, user_id=user_id)
    response = redirect(place, 303)
    response.set_cookie(SIGNED_IN_COOKIE, person.id, httponly=True, samesite="Lax")
    return response


@reviews.route("/activities/<activity_id>/reviews/<user_id>")
def frame(activity_id: str, user_id: str) -> str:
    activity = the_activity(activity_id)
    return render_template(
        "frame.html",
        school=SCHOOLS[activity.school],
        activity=activity,
        person=signed_in(),
        source=url_for("reviews.start", activity_id=activity_id, user_id=user_id),
    )


@reviews.route("/start/<activity_id>/reviews/<user_id>")
def start(activity_id: str, user_id: str) -> str:
    """Login initiation of a submission review request."""
    activity, person = the_activity(activity_id), signed_in()
    if person is None:
        abort(401, "Choose somebody to launch as on the front page first.")
    platform = the_platform()
    begun = Launch(person.id, SCHOOLS[activity.school], activity, for_user=user_id)
    return render_template(
        "post.html", action=f"{platform.tool_url}/lti/login", fields=platform.begin(begun)
    )
