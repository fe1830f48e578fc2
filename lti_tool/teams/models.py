"""Tables of this door: which organisations may come, for which schools."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Table, UtcDateTime
from lti_tool.core.ids import new_id


class Tenant(Table):
    """A Microsoft 365 organisation, and what its Entra calls us."""

    __tablename__ = "teams_tenant"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(255))
    tenant_id: Mapped[str] = mapped_column(String(36), unique=True)
    """Entra's ``tid``, in small letters."""
    client_id: Mapped[str] = mapped_column(String(36))
    """Of the app registration that stands for us there; the ``aud`` of its tokens."""
    in_outlook: Mapped[bool] = mapped_column(default=False)
    """Whether people may also come through Outlook and microsoft365.com."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)


class TenantSchool(Table):
    """A school whose staff come from this organisation."""

    __tablename__ = "teams_tenant_school"

    tenant_row_id: Mapped[UUID] = mapped_column(ForeignKey("teams_tenant.id"), primary_key=True)
    school_id: Mapped[str] = mapped_column(String(80), primary_key=True, index=True)
