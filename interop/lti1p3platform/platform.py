"""The library's abstract parts, made whole: one registration, its launches and its services."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.exceptions import PermissionDenied
from lti1p3platform.exceptions import LineItemNotFoundException
from lti1p3platform.framework.django.message_launch import DjangoLTI1P3MessageLaunch
from lti1p3platform.framework.django.oidc_login import DjangoAPIOIDCLogin
from lti1p3platform.ltiplatform import LTI1P3PlatformConfAbstract
from lti1p3platform.membership import Context
from lti1p3platform.registration import Registration
from lti1p3platform.score import UpdateScoreStatus
from lti1p3platform.service_connector import (
    AssignmentsGradesService,
    NamesRoleProvisioningService,
)

from interop.lti1p3platform.models import ContentItem, LineItem, Score
from interop.world import ACTIVITIES, COURSE_TITLE, PEOPLE, Activity, Person

URL, TOOL_URL = settings.URL, settings.TOOL_URL
COURSE = "staff-training"
CLIENT_ID = "clauseway-beside-lti1p3platform"
DEPLOYMENT_ID = "deployment-1"
DATA = 'course=1&"quoted"=<ä>'  # what the tool must send back as it is
ROLES = "http://purl.imsglobal.org/vocab/lis/v2/membership#"

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE_PEM = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()
PUBLIC_PEM = (
    KEY.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


class Platform(LTI1P3PlatformConfAbstract):
    """The platform with its one tool."""

    def init_platform_config(self, **_: Any) -> None:
        """What either side knows of the other."""
        self._registration = (
            Registration()
            .set_iss(URL)
            .set_client_id(CLIENT_ID)
            .set_deployment_id(DEPLOYMENT_ID)
            .set_oidc_login_url(f"{TOOL_URL}/lti/login")
            .set_launch_url(f"{TOOL_URL}/lti/launch")
            .set_deeplink_launch_url(f"{TOOL_URL}/lti/launch")
            .set_tool_key_set_url(f"{TOOL_URL}/lti/jwks")
            .set_platform_public_key(PUBLIC_PEM)
            .set_platform_private_key(PRIVATE_PEM)
        )

    def get_registration_by_params(self, **_: Any) -> Registration:
        """There is one."""
        return self._registration


@dataclass(frozen=True)
class Message:
    """What is to be opened: an activity, one content item of it, or the choosing of content."""

    activity: Activity
    content_item: ContentItem | None = None
    chooses: bool = False

    @classmethod
    def read(cls, hint: str) -> "Message":
        """From its message hint."""
        activity_id, _, which = hint.partition("/")
        activity = next(one for one in ACTIVITIES if one.id == activity_id)
        if which in ("", "choose"):
            return cls(activity, chooses=which == "choose")
        return cls(activity, ContentItem.objects.get(id=int(which)))

    @property
    def hint(self) -> str:
        """The message hint that says the same."""
        which = "choose" if self.chooses else str(self.content_item.id if self.content_item else "")
        return f"{self.activity.id}/{which}"

    @property
    def resource_link_id(self) -> str:
        """Each content item is a place of its own."""
        return self.hint.rstrip("/")

    @property
    def custom(self) -> dict[str, str]:
        """The custom parameters, from the author or from the content item."""
        if self.content_item:
            return dict(self.content_item.custom)
        module = self.activity.module
        return {"school": settings.SCHOOL, "module": module} if module else {}


class Login(DjangoAPIOIDCLogin):
    """Sends a person to the tool's login."""

    def set_lti_message_hint(self, **given: Any) -> None:
        """Say what is to be opened."""
        message: Message = given["message"]
        self._lti_message_hint = message.hint
        if message.chooses:
            self.set_deeplinking_launch_url()
        elif message.content_item:
            self.set_launch_url(message.content_item.url)


class Launch(DjangoLTI1P3MessageLaunch):
    """The message that answers the tool's authentication request."""

    def prepare_launch(self, preflight_response: dict[str, Any]) -> None:
        """Say who comes, from where, and with which services."""
        message = Message.read(preflight_response["lti_message_hint"])
        person = next(one for one in PEOPLE if one.username == preflight_response["login_hint"])
        self.set_user_data(person.username, roles(person), person.name, person.email)
        self.set_launch_context_claim(COURSE, context_title=COURSE_TITLE)
        self.set_launch_presentation_claim("iframe", f"{URL}/course")
        if message.chooses:
            self.set_dl(f"{URL}/chosen/{message.activity.id}", extra_data=DATA)
            return
        if message.content_item:
            self.set_launch_url(message.content_item.url)
        self.set_resource_link_claim(message.resource_link_id, title=message.activity.id)
        self.set_custom_parameters_claim(message.custom)
        own = own_line_item(message) if message.activity.own_line_item else None
        self.set_ags(
            f"{URL}/line-items",
            f"{URL}/line-items/{own.id}" if own else None,
            allow_creating_lineitems=own is None,
        )
        self.set_nrps(f"{URL}/members")


def roles(person: Person) -> list[str]:
    """Their role in the course."""
    return [f"{ROLES}{'Instructor' if person.teaches else 'Learner'}"]


def own_line_item(message: Message) -> LineItem:
    """The line item that the platform itself keeps for a place."""
    return LineItem.objects.get_or_create(
        resource_link_id=message.resource_link_id,
        defaults={"label": message.activity.id, "score_maximum": 100},
    )[0]


def keep_content(activity: str, item: dict[str, Any], answer: str) -> None:
    """Make a place for content that was chosen, and the line item that it asks for.

    The library checks the signature and the kind of content; what came back as ``data`` it
    leaves to the platform.
    """
    claims = jwt.decode(answer, options={"verify_signature": False})
    if claims.get("https://purl.imsglobal.org/spec/lti-dl/claim/data") != DATA:
        raise PermissionDenied("an answer to another request")
    kept = ContentItem.objects.create(
        activity=activity, url=item["url"], custom=item.get("custom", {})
    )
    if "lineItem" in item:
        create_line_item(item["lineItem"] | {"resourceLinkId": f"{activity}/{kept.id}"})


def create_line_item(said: dict[str, Any]) -> LineItem:
    """A line item as the specification writes it, into the gradebook."""
    return LineItem.objects.create(
        label=said["label"],
        score_maximum=said["scoreMaximum"],
        resource_id=said.get("resourceId", ""),
        tag=said.get("tag", ""),
        resource_link_id=said.get("resourceLinkId", ""),
    )


def described(item: LineItem) -> dict[str, Any]:
    """A line item as the specification writes it."""
    return {
        "id": f"{URL}/line-items/{item.id}",
        "label": item.label,
        "scoreMaximum": item.score_maximum,
        "resourceId": item.resource_id,
        "tag": item.tag,
        "resourceLinkId": item.resource_link_id,
    }


def line_item(line_item_id: str) -> LineItem:
    """One line item. Raises what the library turns into 404."""
    try:
        return LineItem.objects.get(id=int(line_item_id))
    except LineItem.DoesNotExist:
        raise LineItemNotFoundException from None


class Grades(AssignmentsGradesService):
    """Assignment and Grade Services."""

    def find_lineitems(self, **wanted: Any) -> dict[str, Any]:
        """The line items that fit, in one page."""
        fields = {
            name: wanted[name]
            for name in ("resource_link_id", "resource_id", "tag")
            if name in wanted
        }
        found = LineItem.objects.filter(**fields).order_by("id")
        return {"content": [described(item) for item in found], "has_next": False, "next": None}

    def find_lineitem(self, line_item_id: str) -> dict[str, Any]:
        """One line item."""
        return described(line_item(line_item_id))

    def create_lineitem(self, creation_data: dict[str, Any]) -> dict[str, Any]:
        """A new line item."""
        return described(create_line_item(creation_data))

    def update_lineitem(self, update_data: dict[str, Any]) -> dict[str, Any]:
        """Nobody asks for it."""
        raise NotImplementedError

    def delete_lineitem(self, line_item_id: str) -> None:
        """Nobody asks for it."""
        raise NotImplementedError

    def update_score(self, line_item_id: str, score: dict[str, Any]) -> UpdateScoreStatus:
        """Keep a score, unless one as late is held."""
        item, at = line_item(line_item_id), datetime.fromisoformat(score["timestamp"])
        held = Score.objects.filter(line_item=item, user_id=score["userId"]).first()
        if held and held.timestamp >= at:
            return UpdateScoreStatus.OLD_TIMESTAMP
        Score.objects.update_or_create(
            line_item=item,
            user_id=score["userId"],
            defaults={
                "score_given": score["scoreGiven"],
                "score_maximum": score["scoreMaximum"],
                "comment": score["comment"],
                "timestamp": at,
            },
        )
        return UpdateScoreStatus.SUCCESS if held else UpdateScoreStatus.CREATED

    def get_results(self, line_item_id: str, **wanted: Any) -> dict[str, Any]:
        """The results of a line item, in one page."""
        item = line_item(line_item_id)
        scores = Score.objects.filter(line_item=item)
        if "user_id" in wanted:
            scores = scores.filter(user_id=wanted["user_id"])
        results = [
            {
                "id": f"{URL}/line-items/{item.id}/results/{score.user_id}",
                "scoreOf": f"{URL}/line-items/{item.id}",
                "userId": score.user_id,
                "resultScore": score.score_given,
                "resultMaximum": score.score_maximum,
                "comment": score.comment,
            }
            for score in scores
        ]
        return {"content": results, "has_next": False, "next": None}


class Members(NamesRoleProvisioningService):
    """Names and Role Provisioning Services."""

    def get_member_data_page(self, **_: Any) -> dict[str, Any]:
        """Everybody in the course, in one page."""
        members = [
            {
                "user_id": person.username,
                "name": person.name,
                "email": person.email,
                "roles": roles(person),
            }
            for person in PEOPLE
        ]
        return {"content": members, "has_next": False, "next": None}

    def get_context_by_id(self) -> Context:
        """The one course."""
        return Context(id=COURSE, label=COURSE, title=COURSE_TITLE)

    def is_resource_link_valid(self, context_id: str, resource_link_id: str) -> bool:
        """Whether the place is in the course."""
        return resource_link_id.partition("/")[0] in {one.id for one in ACTIVITIES}
