"""What edx-platform itself provides to the component: a course, people, access and a gradebook.

The component imports these from modules of edx-platform, inside functions of its
``plugin.compat``. ``install`` puts modules with those names in place, so that all of the
component's own code runs as it is.
"""

import json
import sys
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from lti_consumer import LtiConsumerXBlock
from lti_consumer.models import CourseAllowPIISharingInLTIFlag
from opaque_keys.edx.keys import CourseKey, UsageKey
from xblock.core import XBlockMixin
from xblock.field_data import DictFieldData, ReadOnlyFieldData, SplitFieldData
from xblock.fields import Boolean, DateTime, Scope, ScopeIds, Timedelta
from xblock.reference.user_service import UserService, XBlockUser
from xblock.runtime import DictKeyValueStore, KvsFieldData, MemoryIdManager, Runtime

from interop.openedx.models import ExternalId, Grade, UserProfile
from interop.world import ACTIVITIES, COURSE_TITLE, PEOPLE

COURSE = CourseKey.from_string("course-v1:Clauseway+Training+2026")
PASSPORT = str(UUID(int=1))  # one client id for all blocks, as reusable keys in Studio give
STUDENT_STATE = DictKeyValueStore()


def usage_key(activity_id: str) -> UsageKey:
    """Where a block stands in the course."""
    return COURSE.make_usage_key("lti_consumer", activity_id)


def fill_in(form: dict[str, str]) -> dict[str, Any]:
    """The settings that come of an author's entering ``form``, by the labels in Studio.

    Raises ``LookupError`` where Studio has no such field or offers no such choice.
    """
    fields = {
        str(LtiConsumerXBlock.fields[name].display_name): LtiConsumerXBlock.fields[name]
        for name in LtiConsumerXBlock.editable_field_names
    }
    entered = {}
    for label, value in form.items():
        field = fields[label]
        offered = field.values if isinstance(field.values, list | tuple) else ()
        choices = {choice["display_name"]: choice["value"] for choice in offered}
        entered[field.name] = choices[value] if choices else field.from_string(value)
    return entered


def block_settings(activity_id: str) -> dict[str, Any]:
    """What an author enters to place the tool: what we tell authors to, and what is their own."""
    activity = next(one for one in ACTIVITIES if one.id == activity_id)
    custom = [f"school={settings.SCHOOL}", f"module={activity.module}"] if activity.module else []
    own = {
        "Display Name": activity.id,
        "Assignment and Grades": "Declarative" if activity.own_line_item else "Programmatic",
        "Custom Parameters": json.dumps(custom),
        "Grade Weight": "10",
        "Share Full name": "True",
        "Share Email": "True",
    }
    return fill_in(settings.FORM | own) | {"lti_1p3_passport_id": PASSPORT}


class Inherited(XBlockMixin):
    """What edx-platform gives every block of a course."""

    due = DateTime(scope=Scope.settings, default=None)
    start = DateTime(scope=Scope.settings, default=None)
    graceperiod = Timedelta(scope=Scope.settings, default=None)
    graded = Boolean(scope=Scope.settings, default=True)


class CurrentUser(UserService):
    """Who looks at a block."""

    def __init__(self, user: User | AnonymousUser) -> None:
        super().__init__()
        self.user = user

    def get_current_user(self) -> XBlockUser:
        """As edx-platform describes somebody to a block."""
        user = self.user
        if not user.is_authenticated:
            return XBlockUser(is_current_user=True)
        described = XBlockUser(True, [user.email], user.profile.name)
        described.opt_attrs = {
            "edx-platform.is_authenticated": True,
            "edx-platform.user_id": user.id,
            "edx-platform.username": user.username,
            "edx-platform.user_is_staff": False,
            "edx-platform.user_role": "instructor" if user.is_staff else "student",
        }
        return described

    def get_external_user_id(self, type_name: str) -> str:
        """What they are called outside."""
        held = ExternalId.batch_get_or_create_user_ids([self.user], type_name)
        return str(held[self.user.id].external_user_id)


class LmsRuntime(Runtime):
    """Where a block runs: for one person, with settings that only Studio may change."""

    def __init__(self, user: User | AnonymousUser | None = None) -> None:
        rebinding = SimpleNamespace(rebind_noauth_module_to_user=lambda block, user: None)
        services = {"user": CurrentUser(user or AnonymousUser()), "rebind_user": rebinding}
        ids = MemoryIdManager()
        super().__init__(ids, ids, services=services, mixins=(Inherited,))

    def block(self, key: UsageKey, user_id: int | None = None) -> LtiConsumerXBlock:
        """The block that stands at ``key``."""
        authored = ReadOnlyFieldData(DictFieldData(block_settings(key.block_id)))
        state = KvsFieldData(STUDENT_STATE)
        data = SplitFieldData(
            {scope: authored for scope in (Scope.settings, Scope.content, Scope.children)}
            | {Scope.user_state: state}
        )
        ids = ScopeIds(user_id, "lti_consumer", key, key)
        return self.construct_xblock_from_class(LtiConsumerXBlock, ids, data)

    def publish(self, block: LtiConsumerXBlock, event_type: str, event_data: Any) -> None:
        """Keep a grade, as the gradebook does."""
        if event_type == "grade":
            Grade.objects.update_or_create(
                usage_key=str(block.scope_ids.usage_id),
                user_id=event_data["user_id"],
                defaults={"earned": event_data["value"], "possible": event_data["max_value"]},
            )

    def handler_url(self, *_: Any, **__: Any) -> str:
        """No handler of LTI 1.3 is reached by such an address."""
        raise NotImplementedError

    def resource_url(self, *_: Any) -> str:
        """The pages go without their style sheets."""
        raise NotImplementedError

    def local_resource_url(self, *_: Any) -> str:
        """The pages go without their style sheets."""
        raise NotImplementedError


def bind(user: User | AnonymousUser, block: LtiConsumerXBlock, **_: Any) -> LtiConsumerXBlock:
    """Give a block its person."""
    block.runtime = LmsRuntime(user)
    return block


def course_members(_: CourseKey) -> dict[int, dict[str, Any]]:
    """Everybody in the course, as edx-platform lists them."""
    return {
        user.id: {
            "id": user.id,
            "username": user.username,
            "email": user.email,
            "name": user.profile.name,
            "roles": ["instructor" if user.is_staff else "student"],
        }
        for user in User.objects.select_related("profile")
    }


def enrol(**_: Any) -> None:
    """Everybody into the course, which may share their names and addresses with the tool."""
    for person in PEOPLE:
        user = User.objects.create(
            username=person.username, email=person.email, is_staff=person.teaches
        )
        UserProfile.objects.create(user=user, name=person.name)
    CourseAllowPIISharingInLTIFlag.objects.create(course_id=COURSE, enabled=True)


def install() -> None:
    """Put edx-platform's names in place."""
    flag = SimpleNamespace(is_enabled=lambda _: False)
    course = SimpleNamespace(
        display_name_with_default=COURSE_TITLE, display_org_with_default=COURSE.org
    )
    provided: dict[str, dict[str, Any]] = {
        "openedx.core.djangoapps.waffle_utils": {"CourseWaffleFlag": lambda *_: flag},
        "openedx.core.djangoapps.xblock": {"api": None},
        "openedx.core.djangoapps.external_user_ids.models": {"ExternalId": ExternalId},
        "openedx.core.lib.courses": {"get_course_by_id": lambda _: course},
        "xmodule.modulestore.django": {
            "modulestore": lambda: SimpleNamespace(get_item=LmsRuntime().block)
        },
        "lms.djangoapps.courseware.block_render": {"get_block_for_descriptor": bind},
        "lms.djangoapps.courseware.access": {"has_access": lambda *_, **__: True},
        "lms.djangoapps.courseware.courses": {
            "check_course_access": lambda course, user, *_, **__: user.is_authenticated
        },
        "lms.djangoapps.course_api.api": {"get_course_members": course_members},
        "lms.djangoapps.course_api.exceptions": {
            "OverEnrollmentLimitException": type("OverEnrollmentLimitException", (Exception,), {})
        },
        "common.djangoapps.student.auth": {
            "has_studio_write_access": lambda user, _: user.is_staff
        },
    }
    for name, contents in provided.items():
        module = ModuleType(name)
        vars(module).update(contents)
        sys.modules[name] = module
