"""What a Microsoft 365 administrator does, step by step, with every value to copy.

Names of pages and fields are Microsoft's own, as learn.microsoft.com has them, and stay in English.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from flask_babel import gettext as _

from lti_tool.teams.arriving import MANAGER, STAFF
from lti_tool.teams.packages import MANAGE, TRAINING
from lti_tool.teams.tenants import Known, Teams
from lti_tool.teams.tokens import SCOPE, TEAMS_CLIENTS, clients

CLIENT_ID: Final = "CLIENT-ID"
TENANT_ID: Final = "TENANT-ID"
SCHOOL: Final = "YOUR-SCHOOL"


@dataclass(frozen=True)
class Step:
    """One thing to do: where, what to fill in, and what to know."""

    title: str
    where: tuple[str, ...]
    fields: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    block: str = ""
    """Several lines to copy."""


def steps(teams: Teams, tenant: Known | None) -> tuple[Step, ...]:
    """The way to a working app, in the language of the request; with the organisation's own
    values where it is known."""
    client_id = tenant.client_id if tenant else CLIENT_ID
    schools = tenant.schools if tenant else (SCHOOL,)
    allowed = clients(tenant) if tenant else TEAMS_CLIENTS
    registration = ("entra.microsoft.com", "App registrations", _("your app"))
    return (
        Step(
            _("Register the app"),
            ("entra.microsoft.com", "App registrations", "New registration"),
            (
                ("Name", _("Social media policy training")),
                ("Supported account types", "Single tenant only"),
                ("Redirect URI", _("leave it empty")),
            ),
            (
                _(
                    "Its overview shows two IDs: “Application (client) ID” and “Directory (tenant) "
                    "ID”. No secret and no certificate is needed."
                ),
            ),
        ),
        Step(
            _("Expose an API"),
            (*registration, "Expose an API"),
            (
                ("Application ID URI", teams.resource(client_id)),
                ("Scope name", SCOPE),
                ("Who can consent?", "Admins and users"),
                ("Admin consent display name", _("Sign in to the training")),
                (
                    "Admin consent description",
                    _("Lets Microsoft Teams tell the training who has opened it."),
                ),
                ("State", "Enabled"),
                *(("Add a client application", one) for one in allowed),
            ),
            (_("Tick the scope for each client application: they are Microsoft Teams itself."),),
        ),
        Step(
            _("Ask for tokens of version 2"),
            (*registration, "Manifest"),
            (("api", '"requestedAccessTokenVersion": 2'),),
            (_("It is null at first, which means version 1."),),
        ),
        Step(
            _("Make the roles"),
            (*registration, "Manifest"),
            block=app_roles(schools),
            notes=(
                _("Put them in place of “appRoles”: []. “App roles” then shows them."),
                _("%(role)s: one of the school’s people, who is counted.", role=STAFF),
                _(
                    "%(role)s: may ask to manage. It opens nothing by itself: a manager code, or "
                    "another manager, does that for each school.",
                    role=MANAGER,
                ),
                _("Nobody needs a role to learn. Whoever has none waits for a manager’s yes."),
            ),
        ),
        Step(
            _("Give it to staff, and to nobody else"),
            ("entra.microsoft.com", "Enterprise apps", _("your app"), "Properties"),
            (("Assignment required?", "Yes"),),
            (
                _(
                    "Pupils have accounts in the same organisation: without this they could open "
                    "the training too."
                ),
                _(
                    "Then, under “Users and groups”, add the group of all staff with the staff "
                    "role, and those who look after the training with the manager’s role."
                ),
            ),
        ),
        Step(
            _("Consent for everybody"),
            (*registration, "API permissions"),
            (("Grant admin consent for …", "Yes"),),
            (_("So nobody is asked when they open the tab for the first time."),),
        ),
        Step(
            _("Tell us"),
            (_("whoever runs this installation"),),
            block=command(tenant, schools),
        ),
        Step(
            _("Upload the app to Teams"),
            ("admin.teams.microsoft.com", "Teams apps", "Manage apps", "Actions", "Upload new app"),
            (("File", "clauseway teams package"),),
            (
                _("Then allow it for staff, and pin it with “Setup policies” if you like."),
                _(
                    "In a team: the channel’s “+”, the app, then school and training. Everybody "
                    "opens their own."
                ),
            ),
        ),
    )


def links(teams: Teams, tenant: Known, school_id: str) -> tuple[tuple[str, str], ...]:
    """Deep links to copy, for one school."""
    return tuple(
        (label, teams.link(tenant.client_id, tab=tab, to=to, school=school_id))
        for label, tab, to in (
            (_("A person’s next step"), TRAINING, "next"),
            (_("The annual refresh"), TRAINING, "module/annual-refresh"),
            (_("The register"), MANAGE, "register"),
        )
    )


def command(tenant: Known | None, schools: Sequence[str]) -> str:
    """What adds the organisation."""
    lines = [
        f"--tenant {tenant.tenant_id if tenant else TENANT_ID}",
        f"--client-id {tenant.client_id if tenant else CLIENT_ID}",
        *(f"--school {school}" for school in schools),
    ]
    return " \\\n  ".join(["clauseway teams add", *lines])


def app_roles(schools: Sequence[str]) -> str:
    """The roles as Entra's manifest takes them; with a staff role for each of several schools."""
    values = [STAFF] if len(schools) < 2 else [f"{STAFF}.{school}" for school in schools]
    roles = [
        {
            "allowedMemberTypes": ["User"],
            "description": _role_words(value),
            "displayName": value.replace(".", " "),
            "id": str(_role_id(value)),
            "isEnabled": True,
            "value": value,
        }
        for value in (*values, MANAGER)
    ]
    return json.dumps(roles, indent=2, ensure_ascii=False)


def _role_words(value: str) -> str:
    if value == MANAGER:
        return str(_("May ask to manage the training."))
    school = value.removeprefix(STAFF).lstrip(".")
    if not school:
        return str(_("Is on the staff."))
    return str(_("Is on the staff of %(school)s.", school=school))


def _role_id(value: str) -> UUID:
    """Any number will do, if it stays the same."""
    return uuid5(NAMESPACE_URL, f"clauseway/roles/{value}")
