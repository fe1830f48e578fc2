"""The organisations whose people may come in by this door."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode, urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lti_tool.config import Config
from lti_tool.core.clock import Clock
from lti_tool.core.errors import ToolError
from lti_tool.core.keysets import KeySets
from lti_tool.core.outside import Outside
from lti_tool.teams.models import Tenant, TenantSchool

NAME: Final = "Microsoft Teams"
FRAMED_BY: Final = (
    "https://teams.microsoft.com",
    "https://*.teams.microsoft.com",
    "https://*.cloud.microsoft",
    "https://*.microsoft365.com",
    "https://*.office.com",
    "https://outlook.office.com",
    "https://outlook.office365.com",
)
"""Whatever shows a tab in a frame: learn.microsoft.com, Teams, "Tab requirements"."""


@dataclass(frozen=True)
class Known:
    """An organisation that may come in."""

    row_id: UUID
    name: str
    tenant_id: str
    client_id: str
    in_outlook: bool
    schools: tuple[str, ...]

    @property
    def realm(self) -> str:
        """What its people are known under. Not our row's number: who comes back after the
        organisation was added anew is still themselves."""
        return f"teams:{self.tenant_id}"


class Teams:
    """All that the room keeps between requests."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self.config, self.clock = config, clock
        self.authority: Final = config.entra_authority
        self.outside = Outside(config)
        self.keys = KeySets(
            self.outside, unknown="teams-token-invalid", away="teams-keys-unavailable"
        )

    @property
    def hosts(self) -> tuple[str, ...]:
        """Origins besides Microsoft's that may play the Teams client; none but in development."""
        return (self.config.teams_sandbox,) if self.config.teams_sandbox else ()

    @property
    def framed_by(self) -> tuple[str, ...]:
        """Who may show a page of this door in a frame."""
        return (*FRAMED_BY, *self.hosts)

    def app_id(self, client_id: str) -> str:
        """The Teams app's own id: the same for each package made for one registration."""
        return str(uuid5(NAMESPACE_URL, f"{self.config.url}/teams/{client_id}"))

    def resource(self, client_id: str) -> str:
        """The Application ID URI, in the one form that Teams takes."""
        return f"api://{urlsplit(self.config.url).netloc}/{client_id}"

    def link(self, client_id: str, *, tab: str, to: str = "", school: str = "") -> str:
        """A deep link: opens a tab of the app in Teams, at what ``to`` names."""
        web = f"{self.config.url}/teams/tab?" + urlencode(
            {name: value for name, value in (("school", school), ("to", to)) if value}
        )
        link = f"https://teams.microsoft.com/l/entity/{self.app_id(client_id)}/{tab}"
        asked = f"?webUrl={quote(web, safe='')}"
        place = f"{to}@{school}" if school else to
        # "/" stays escaped: a client that unescapes once too often must not split the address.
        context = quote(json.dumps({"subEntityId": place}), safe="")
        return f"{link}{asked}&context={context}" if place else f"{link}{asked}"


def find(session: Session, tenant_id: str) -> Known:
    """The organisation Entra calls so. Raises ``ToolError`` teams-tenant-unknown."""
    row = session.scalar(
        select(Tenant).where(
            Tenant.tenant_id == tenant_id.lower()[:36], Tenant.disabled_at.is_(None)
        )
    )
    if row is None:
        raise ToolError("teams-tenant-unknown", log="an organisation we do not know")
    return read(session, row)


def read(session: Session, row: Tenant) -> Known:
    schools = session.scalars(
        select(TenantSchool.school_id)
        .where(TenantSchool.tenant_row_id == row.id)
        .order_by(TenantSchool.school_id)
    )
    return Known(
        row.id, row.name, row.tenant_id, row.client_id, row.in_outlook, tuple(schools.all())
    )


def by_row(session: Session, row_id: UUID | None) -> Known:
    """The organisation in this row, if it may come in still. Raises ``ToolError``
    teams-tenant-unknown."""
    row = session.get(Tenant, row_id) if row_id else None
    if row is None or row.disabled_at is not None:
        raise ToolError("teams-tenant-unknown", log="it was taken away meanwhile")
    return read(session, row)


def of_school(session: Session, school_id: str) -> list[Known]:
    """The organisations a school's staff come from."""
    rows = session.scalars(
        select(Tenant)
        .join(TenantSchool, TenantSchool.tenant_row_id == Tenant.id)
        .where(TenantSchool.school_id == school_id, Tenant.disabled_at.is_(None))
        .order_by(Tenant.name)
    )
    return [read(session, row) for row in rows.all()]


def listed(session: Session) -> Sequence[Tenant]:
    """All organisations, also those that may not come in any more."""
    return session.scalars(select(Tenant).order_by(Tenant.name, Tenant.tenant_id)).all()


def add(
    session: Session,
    *,
    name: str,
    tenant_id: str,
    client_id: str,
    schools: Collection[str],
    in_outlook: bool,
    now: datetime,
) -> Tenant:
    """Let an organisation in, or bring it up to date: it serves just these schools from now on.

    Raises ``ToolError`` teams-id-wrong where an id is none.
    """
    ids = {"tenant": tenant_id, "client": client_id}
    for what, given in ids.items():
        ids[what] = guid(given)
        if not ids[what]:
            raise ToolError("teams-id-wrong", fault=f"the {what} id {given} is no GUID")
    row = session.scalar(select(Tenant).where(Tenant.tenant_id == ids["tenant"]))
    if row is None:
        row = Tenant(tenant_id=ids["tenant"], created_at=now)
        session.add(row)
    row.name, row.client_id, row.in_outlook = name, ids["client"], in_outlook
    row.disabled_at = None
    session.flush()
    session.execute(delete(TenantSchool).where(TenantSchool.tenant_row_id == row.id))
    for school_id in sorted(set(schools)):
        session.add(TenantSchool(tenant_row_id=row.id, school_id=school_id))
    session.flush()
    return row


def disable(session: Session, row: Tenant, *, now: datetime) -> None:
    """Let nobody of an organisation in from now on. What they did is kept."""
    row.disabled_at = row.disabled_at or now
    session.flush()


def guid(given: object) -> str:
    """A GUID as Entra writes it, in small letters; empty where it is none."""
    if not isinstance(given, str) or len(given) != 36:
        return ""
    try:
        return str(UUID(given))
    except ValueError:
        return ""
