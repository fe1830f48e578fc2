"""What the platform says about a launch: the claims of an id_token, in Moodle's set and order."""

import hashlib
import json
from collections.abc import Mapping
from typing import Final, Literal

from sandbox_lms.schools import SCHOOLS, Activity, Person, School

LTI: Final = "https://purl.imsglobal.org/spec/lti/claim/"
AGS: Final = "https://purl.imsglobal.org/spec/lti-ags/"
NRPS: Final = "https://purl.imsglobal.org/spec/lti-nrps/"
DEEP_LINKING: Final = "https://purl.imsglobal.org/spec/lti-dl/claim/"
BASIC_OUTCOME: Final = "https://purl.imsglobal.org/spec/lti-bo/claim/basicoutcome"
SCOPE_LINE_ITEM: Final = f"{AGS}scope/lineitem"
SCOPE_LINE_ITEM_READ: Final = f"{AGS}scope/lineitem.readonly"
SCOPE_RESULT_READ: Final = f"{AGS}scope/result.readonly"
SCOPE_SCORE: Final = f"{AGS}scope/score"
SCOPE_MEMBERS: Final = f"{NRPS}scope/contextmembership.readonly"
AGS_SCOPES: Final = (SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READ, SCOPE_RESULT_READ, SCOPE_SCORE)
SCOPES: Final = (*AGS_SCOPES, SCOPE_MEMBERS)

Target = Literal["iframe", "window"]
_VOCABULARY = "http://purl.imsglobal.org/vocab/lis/v2"
_INSTRUCTOR = f"{_VOCABULARY}/membership#Instructor"
_ROLES = {
    "student": [f"{_VOCABULARY}/membership#Learner"],
    "teacher": [_INSTRUCTOR],
    "non_editing_teacher": [_INSTRUCTOR],
    "admin": [
        f"{_VOCABULARY}/institution/person#Administrator",
        _INSTRUCTOR,
        f"{_VOCABULARY}/system/person#Administrator",
    ],
}


def services_url(issuer: str) -> str:
    return f"{issuer}/mod/lti/services.php"


def line_items_url(issuer: str, school: School) -> str:
    return f"{services_url(issuer)}/{school.course_id}/lineitems?type_id={school.number}"


def line_item_url(issuer: str, course_id: str, item_id: int, query: str) -> str:
    return f"{services_url(issuer)}/{course_id}/lineitems/{item_id}/lineitem{query}"


def memberships_url(issuer: str, school: School) -> str:
    path = f"CourseSection/{school.course_id}/bindings/{school.number}/memberships"
    return f"{services_url(issuer)}/{path}"


def basic_outcome(issuer: str, activity: Activity, person: Person) -> dict[str, str]:
    """LTI 1.1's way to send a score, which Moodle always adds. Nothing listens at its URL here."""
    number = SCHOOLS[activity.school].number
    data = {"instanceid": activity.id, "userid": person.id, "typeid": str(number), "launchid": 1}
    digest = hashlib.sha256(json.dumps(data).encode()).hexdigest()
    return {
        "lis_result_sourcedid": json.dumps({"data": data, "hash": digest}),
        "lis_outcome_service_url": f"{issuer}/mod/lti/service.php",
    }


def launch_presentation(
    issuer: str, activity: Activity, person: Person, target: Target, session_key: str
) -> dict[str, str]:
    """`return_url` carries the person's live session key, as Moodle's does: a secret."""
    container = "3" if target == "iframe" else "4"
    query = f"course={activity.course_id}&launch_container={container}&instanceid={activity.id}"
    return {
        "locale": person.locale,
        "document_target": target,
        "return_url": f"{issuer}/return?{query}&sesskey={session_key}",
    }


def line_item_claim(issuer: str, activity: Activity, item_ids: list[int]) -> dict[str, object]:
    """The AGS claim. `lineitem` is there only where the activity has exactly one."""
    school = SCHOOLS[activity.school]
    claim: dict[str, object] = {
        "scope": list(AGS_SCOPES),
        "lineitems": line_items_url(issuer, school),
    }
    if len(item_ids) == 1:
        query = f"?type_id={school.number}"
        claim["lineitem"] = line_item_url(issuer, activity.course_id, item_ids[0], query)
    return claim


def personal_claims(person: Person) -> dict[str, object]:
    """Name, username and e-mail, as far as they are shared."""
    ext = {"lms": "moodle-2"}
    claims: dict[str, object] = {}
    if person.share_name:
        claims["given_name"] = person.given_name
        claims["family_name"] = person.family_name
        claims["name"] = person.name
        ext = {"user_username": person.username, **ext}
    claims[f"{LTI}ext"] = ext
    if person.share_email:
        claims["email"] = person.email
    return claims


def resource_link_claims(
    *,
    issuer: str,
    client_id: str,
    target_link_uri: str,
    person: Person,
    activity: Activity,
    item_ids: list[int],
    presentation: Mapping[str, str],
) -> dict[str, object]:
    """The claims of an LtiResourceLinkRequest, without `nonce`, `iat` and `exp`."""
    school = SCHOOLS[activity.school]
    members = memberships_url(issuer, school)
    outcome = {BASIC_OUTCOME: basic_outcome(issuer, activity, person)} if item_ids else {}
    return {
        "iss": issuer,
        "aud": client_id,
        f"{LTI}deployment_id": school.slug,
        f"{LTI}target_link_uri": target_link_uri,
        "sub": person.id,
        f"{LTI}lis": {
            "person_sourcedid": person.sourced_id,
            "course_section_sourcedid": f"course-{school.slug}",
        },
        f"{LTI}roles": list(_ROLES[person.role]),
        f"{LTI}context": {
            "id": school.course_id,
            "label": "STAFF",
            "title": f"Staff training, {school.short_name}",
            "type": ["CourseSection"],
        },
        f"{LTI}message_type": "LtiResourceLinkRequest",
        f"{LTI}resource_link": {
            "title": activity.title,
            "description": activity.description,
            "id": activity.id,
        },
        **outcome,
        **personal_claims(person),
        f"{LTI}launch_presentation": dict(presentation),
        f"{LTI}tool_platform": {
            "product_family_code": "moodle",
            "version": "2024100706",
            "guid": hashlib.md5(issuer.encode(), usedforsecurity=False).hexdigest(),
            "name": "Sandbox learning platform",
            "description": "Sandbox",
        },
        f"{LTI}version": "1.3.0",
        f"{LTI}custom": {
            **(activity.custom or {"school": activity.school, "module": activity.module}),
            "context_memberships_url": members,
        },
        f"{AGS}claim/endpoint": line_item_claim(issuer, activity, item_ids),
        f"{NRPS}claim/namesroleservice": {
            "context_memberships_url": members,
            "service_versions": ["1.0", "2.0"],
        },
    }


def picking_claims(
    *,
    issuer: str,
    client_id: str,
    target_link_uri: str,
    person: Person,
    school: School,
    return_url: str,
) -> dict[str, object]:
    """The claims of an LtiDeepLinkingRequest, without `nonce`, `iat` and `exp`: those of a launch
    but for what an activity has, and what Moodle takes in answer. It sends no `data`."""
    said = resource_link_claims(
        issuer=issuer,
        client_id=client_id,
        target_link_uri=target_link_uri,
        person=person,
        activity=school.activities[0],
        item_ids=[],
        presentation={"locale": person.locale},
    )
    del said[f"{LTI}resource_link"], said[f"{NRPS}claim/namesroleservice"]
    said[f"{LTI}message_type"] = "LtiDeepLinkingRequest"
    said[f"{LTI}custom"] = {}
    said[f"{DEEP_LINKING}deep_linking_settings"] = {
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["frame", "iframe", "window"],
        "accept_copy_advice": False,
        "accept_multiple": True,
        "accept_unsigned": False,
        "auto_create": False,
        "can_confirm": False,
        "deep_link_return_url": return_url,
        "title": "Clauseway",
        "text": "",
    }
    return said


def review_claims(user_id: str) -> dict[str, object]:
    """What makes a launch an LtiSubmissionReviewRequest about somebody."""
    return {
        f"{LTI}message_type": "LtiSubmissionReviewRequest",
        f"{LTI}for_user": {"user_id": user_id},
    }


def for_tool(
    said: Mapping[str, object], client_id: str, deployment_id: str, told: tuple[str, ...]
) -> dict[str, object]:
    """A launch's claims as a registered tool gets them: of a person only what it asked for.

    Services it has no scope for are for the caller to leave out.
    """
    personal = {"name", "given_name", "family_name", "email"} - set(told)
    kept = {name: value for name, value in said.items() if name not in personal}
    return {**kept, "aud": client_id, f"{LTI}deployment_id": deployment_id}
