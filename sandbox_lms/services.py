"""The services a tool calls: access tokens, line items, scores, results, members.

One dispatcher, as in Moodle: first the path, then the media type (400 when nobody handles it),
then the method, then the token, then the work. Answers and refusals are those recorded from
Moodle 4.5.6: an exact media type or nothing, 401 for every token trouble, the reason of a refused
score in the status line alone, token replies as JSON under the name of HTML.
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from flask import Blueprint, Response, current_app, request

from sandbox_lms import claims
from sandbox_lms.gradebook import Broken, LineItem, Refused
from sandbox_lms.platform import Platform
from sandbox_lms.schools import SCHOOLS, Person, School
from sandbox_lms.tokens import TokenRefused

services = Blueprint("services", __name__)

ITEM: Final = "application/vnd.ims.lis.v2.lineitem+json"
ITEM_CONTAINER: Final = "application/vnd.ims.lis.v2.lineitemcontainer+json"
SCORE: Final = "application/vnd.ims.lis.v1.score+json"
RESULT_CONTAINER: Final = "application/vnd.ims.lis.v2.resultcontainer+json"
MEMBERS: Final = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
_PREFIX = "/mod/lti/services.php"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TOKEN_FIELDS = ("grant_type", "client_assertion_type", "client_assertion", "scope")
_LONGEST_REASON = 8000


def the_platform() -> Platform:
    platform: Platform = current_app.extensions["sandbox_platform"]
    return platform


@services.route("/jwks")
def jwks() -> Response:
    def answer() -> Response:
        keys = [key.to_jwk() for key in the_platform().keys]
        return _json(200, {"keys": keys}, "application/json")

    return the_platform().faults.around("jwks", answer)


@services.route("/token", methods=["GET", "POST"])
def token() -> Response:
    return the_platform().faults.around("token", _token)


def _token() -> Response:
    try:
        reply: str = json.dumps(_granted(), indent=2)
        status = 200
    except TokenRefused as refused:
        reply = f'{{\n  "error" : "{refused}"\n}}'  # unescaped, like Moodle's
        status = 400
    return Response(reply, status, content_type="text/html; charset=utf-8")


def _granted() -> dict[str, Any]:
    sent = request.form
    if not all(sent.get(name) for name in _TOKEN_FIELDS):
        raise TokenRefused("invalid_request")
    if sent["grant_type"] != "client_credentials" or (
        sent["client_assertion_type"] != _ASSERTION_TYPE
    ):
        raise TokenRefused("unsupported_grant_type")
    return the_platform().grant_token(sent["client_assertion"], sent["scope"])


@dataclass(frozen=True)
class Resource:
    """One kind of path: what it can be called with, which scopes open it, and its work."""

    target: str
    pattern: str
    formats: tuple[str, ...]
    scopes: dict[str, tuple[str, ...]]
    work: Callable[..., Response]


@services.route(f"{_PREFIX}/<path:rest>", methods=["GET", "POST", "PUT", "DELETE"])
def service(rest: str) -> Response:
    path = f"/{rest}"
    found = ((one, re.fullmatch(one.pattern, path)) for one in _RESOURCES)
    try:
        for resource, match in found:
            if match and _is_handled(resource):
                return the_platform().faults.around(
                    resource.target,
                    lambda r=resource, m=match: _worked(r, m),  # type: ignore[misc]
                )
        accept = "" if "*/*" in _accept() else _accept()
        raise Refused(400, f"No handler found for {path} {accept} {_content_type()}")
    except Refused as refused:
        return _refusal(refused)


def _worked(resource: Resource, match: re.Match[str]) -> Response:
    try:
        if request.method not in resource.scopes:
            raise Refused(405, "Method Not Allowed")
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        scopes = resource.scopes[request.method]
        if scheme != "Bearer" or not the_platform().token_allows(bearer, scopes):
            raise Refused(401, "Unauthorized")
        with the_platform().lock:
            response = resource.work(the_platform(), *match.groups())
            if request.method != "GET":
                the_platform().save()
        return response
    except Refused as refused:
        return _refusal(refused)
    except Broken:
        return Response("<h1>502 Bad Gateway</h1>", 502, content_type="text/html")


def _is_handled(resource: Resource) -> bool:
    """The media type must be one of the resource's, to the letter (parameters aside)."""
    if request.method == "GET":
        return not _accept() or "*/*" in _accept() or _accept() in resource.formats
    return request.method == "DELETE" or _content_type() in resource.formats


def _accept() -> str:
    return request.headers.get("Accept", "")


def _content_type() -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip()


def _refusal(refused: Refused) -> Response:
    """The reason goes into the status line, on one line and as raw UTF-8 bytes."""
    reason = refused.reason
    body: object = {
        "status": refused.status,
        "reason": reason,
        "request": {
            "method": request.method,
            "url": request.full_path.removesuffix("?"),
            "accept": _accept(),
            "contentType": _content_type(),
        },
    }
    response = _json(refused.status, [], SCORE) if refused.bare else _json(refused.status, body)
    line = re.sub(r"[\r\n]+", " ", reason).strip().encode()[:_LONGEST_REASON].decode("latin-1")
    response.status = f"{refused.status} {line}"
    return response


def _json(status: int, body: object, mimetype: str = "application/json") -> Response:
    return Response(
        json.dumps(body, ensure_ascii=False),
        status,
        content_type=f"{mimetype}; charset=utf-8",
    )


def _school_of_course(course_id: str) -> School:
    for school in SCHOOLS.values():
        if school.course_id == course_id:
            return school
    raise Refused(404, f"Not Found: Course {course_id} doesn't exist")


# Line items


def _type_query() -> str:
    """Moodle repeats the `type_id` it was called with; without one its URLs carry none."""
    type_id = request.args.get("type_id")
    return f"?type_id={type_id}" if type_id else ""


def _item_url(platform: Platform, item: LineItem) -> str:
    return claims.line_item_url(platform.issuer, item.course_id, item.id, _type_query())


def _item_json(platform: Platform, item: LineItem) -> dict[str, object]:
    link = item.resource_link_id
    return {
        "id": _item_url(platform, item),
        "label": item.label,
        "scoreMaximum": _number(item.score_maximum),
        "resourceId": item.resource_id,
        "tag": item.tag,
        **({"resourceLinkId": link, "ltiLinkId": link} if link else {}),
    }


def _line_items(platform: Platform, course_id: str) -> Response:
    school = _school_of_course(course_id)
    if request.method == "POST":
        if _content_type() != ITEM:
            raise Refused(400, "No context or unsupported content type")
        links = {activity.id for activity in school.activities}
        sent = _sent_object()
        item = platform.gradebook.create(course_id, sent, links)
        return _json(201, {**sent, "id": _item_url(platform, item)}, ITEM)
    if _accept() != ITEM_CONTAINER:
        raise Refused(400, "No context or unsupported content type")
    wanted = {
        "resource_id": request.args.get("resource_id"),
        "tag": request.args.get("tag"),
        "resource_link_id": request.args.get("resource_link_id"),
    }
    items = [
        _item_json(platform, item)
        for item in platform.gradebook.items.values()
        if item.course_id == course_id
        and all(value in (None, asdict(item)[name]) for name, value in wanted.items())
    ]
    return _json(200, items, ITEM_CONTAINER)


def _line_item(platform: Platform, course_id: str, item_id: str) -> Response:
    item = platform.gradebook.item(int(item_id))
    if item.course_id != course_id:
        raise Refused(404, f"Not Found: Grade item {item_id} doesn't exist")
    if request.method == "DELETE":
        platform.gradebook.delete(item.id)
        return Response("", "204 OK", content_type="text/html; charset=utf-8")
    if request.method == "PUT":
        sent = _sent_object()
        if not sent.get("label") or sent.get("scoreMaximum") is None:
            raise Refused(400, "No label or Score Maximum")
        platform.gradebook.update(item.id, sent)
        return _json(200, {**sent, "id": _item_url(platform, item)}, ITEM)
    return _json(200, _item_json(platform, item), ITEM)


def _sent_object() -> dict[str, Any]:
    sent = request.get_json(force=True, silent=True)
    if not isinstance(sent, dict):
        raise Refused(400, "No label or Score Maximum")
    return sent


# Scores and results


def _scores(platform: Platform, course_id: str, item_id: str) -> Response:
    platform.gradebook.record_score(
        int(item_id),
        request.get_data(),
        is_gradable=lambda user_id: platform.is_gradable(course_id, user_id),
    )
    return Response("", 200, content_type=f"{SCORE}; charset=utf-8")


def _results(platform: Platform, course_id: str, item_id: str) -> Response:
    """Only grades that hold a score; 0 is one. Asked for pages, Moodle shows a fatal error."""
    if "limit" in request.args and "type_id" in request.args:
        return Response("<h1>Error</h1>", 404, content_type="text/html; charset=utf-8")
    item = platform.gradebook.item(int(item_id))
    wanted = request.args.get("user_id")
    base = _item_url(platform, item).replace("/lineitem?", "/lineitem/results?")
    base = base if "?" in base else f"{base}/results"
    results = [
        {
            "id": f"{base}{'&' if '?' in base else '?'}user_id={user_id}",
            "userId": user_id,
            "resultScore": _number(grade.score),
            "resultMaximum": _number(item.score_maximum),
            **({"comment": grade.comment} if grade.comment else {}),
            "scoreOf": _item_url(platform, item),
            "timestamp": datetime.fromtimestamp(grade.timestamp, UTC).isoformat(),
        }
        for (held_by, user_id), grade in sorted(platform.gradebook.grades.items())
        if held_by == item.id and grade.score is not None and wanted in (None, user_id)
    ]
    return _json(200, results, RESULT_CONTAINER)


def _number(value: float) -> float:
    """89 rather than 89.0, as Moodle writes it."""
    return int(value) if value == int(value) else value


# Members


def _members(platform: Platform, course_id: str, binding: str) -> Response:
    """Everybody enrolled, by surname. A non-editing teacher is a Learner here, an Instructor in
    launches; the site administrator is absent; the next page forgets the role asked for."""
    school = _school_of_course(course_id)
    if binding not in {str(one.number) for one in SCHOOLS.values()}:
        raise Refused(401, "Unauthorized")
    link = request.args.get("rlid")
    if link is not None and link not in {one.id for one in school.activities}:
        raise Refused(404, f"Not Found: LTI link {link} doesn't exist")
    people = sorted(
        (one for one in platform.people.values() if one.school == school.slug),
        key=lambda one: (one.family_name, one.given_name),
    )
    asked = request.args.get("role", "").rpartition("#")[2]
    if asked in ("Learner", "Instructor"):
        people = [one for one in people if _short_role(one) == asked]
    start = request.args.get("from", 0, type=int)
    limit = request.args.get("limit", 0, type=int)
    page = people[start : start + limit] if limit else people
    context = {
        "id": course_id,
        "label": "STAFF",
        "title": f"Staff training, {school.short_name}",
    }
    body = {
        "id": request.base_url,
        "context": context,
        "members": [_member(platform, one, link) for one in page],
    }
    response = _json(200, body, MEMBERS)
    if limit and start + limit < len(people):
        following = f"{request.base_url}?limit={limit}&from={start + limit}"
        following += f"&rlid={link}" if link else ""
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def _short_role(person: Person) -> str:
    return "Instructor" if person.role == "teacher" else "Learner"


def _member(platform: Platform, person: Person, link: str | None) -> dict[str, object]:
    member: dict[str, object] = {"status": "Active", "roles": [_short_role(person)]}
    if link:
        activity = platform.activity(link)
        member["message"] = [
            {
                f"{claims.LTI}message_type": "LtiResourceLinkRequest",
                claims.BASIC_OUTCOME: claims.basic_outcome(platform.issuer, activity, person),
            }
        ]
    member |= {"user_id": person.id, "lis_person_sourcedid": person.sourced_id}
    if person.share_name:
        member |= {
            "name": person.name,
            "given_name": person.given_name,
            "family_name": person.family_name,
        }
    if person.share_email:
        member["email"] = person.email
    if person.share_name:
        member["ext_user_username"] = person.username
    return member


_READ = (claims.SCOPE_LINE_ITEM, claims.SCOPE_LINE_ITEM_READ)
_WRITE = (claims.SCOPE_LINE_ITEM,)
_RESOURCES = (
    Resource(
        "nrps",
        r"/CourseSection/(\d+)/bindings/(\w+)/memberships",
        (MEMBERS,),
        {"GET": (claims.SCOPE_MEMBERS,)},
        _members,
    ),
    Resource(
        "lineitems",
        r"/(\d+)/lineitems",
        (ITEM_CONTAINER, ITEM),
        {"GET": _READ, "POST": _WRITE},
        _line_items,
    ),
    Resource(
        "lineitems",
        r"/(\d+)/lineitems/(\d+)/lineitem",
        (ITEM,),
        {"GET": _READ, "PUT": _WRITE, "DELETE": _WRITE},
        _line_item,
    ),
    Resource(
        "scores",
        r"/(\d+)/lineitems/(\d+)/lineitem/scores",
        (SCORE,),
        {"POST": (claims.SCOPE_SCORE,)},
        _scores,
    ),
    Resource(
        "results",
        r"/(\d+)/lineitems/(\d+)/lineitem/results",
        (RESULT_CONTAINER,),
        {"GET": (claims.SCOPE_RESULT_READ,)},
        _results,
    ),
)
