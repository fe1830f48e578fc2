"""Content as it was when a record first named it."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Table, UtcDateTime


class Content(Table):
    """The exact canonical bytes of a policy version or a scenario, under their SHA-256."""

    __tablename__ = "content"
    __table_args__ = (Index("ix_content_kind", "kind", "ref", "number"),)

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    """``policy`` or ``scenario``."""
    ref: Mapped[str] = mapped_column(String(200))
    """``hemswell-cliff/2022-03`` or ``follow-request``."""
    number: Mapped[str] = mapped_column(String(20))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    first_used_at: Mapped[datetime] = mapped_column(UtcDateTime)
