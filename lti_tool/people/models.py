"""Tables of who is who. ``Person`` and ``Identity`` belong to no school; ``Membership`` and
``Grant`` say what a person is at one."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Table, UtcDateTime
from lti_tool.core.ids import new_id


class Person(Table):
    """A human being. Name and e-mail may be withheld by the platform."""

    __tablename__ = "person"
    # Hardly anybody is joined. Where SQLite has been made to count (``ANALYZE``), it takes an index
    # that is mostly empty for useless, and would read every person there is for each in a list.
    __table_args__ = (
        Index(
            "ix_person_joined",
            "one_with",
            sqlite_where=text("one_with IS NOT NULL"),
            postgresql_where=text("one_with IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(255), default="")
    email: Mapped[str] = mapped_column(String(255), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    corrected_name: Mapped[str] = mapped_column(String(255), default="")
    """The name as it was before a manager corrected it: a platform or list that goes on telling it
    does not bring it back; another one does."""
    one_with: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), index=True, default=None)
    """The person this one turned out to be. What was recorded stays where it was, and is shown
    and counted as theirs; empty again once the join is undone. Never a chain: whoever is named
    here has none. Only ``joins.py`` writes it, from the joins that stand."""

    @property
    def reference(self) -> str:
        """A short mark to show where no name is known. The end of a UUIDv7 is random."""
        return self.id.hex[-8:].upper()


class Identity(Table):
    """A person as one platform knows them.

    ``realm`` is the registration or tenant that vouches for ``subject``: an issuer alone can
    serve many schools' platforms (Canvas does), so the issuer is not enough.
    """

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("realm", "subject"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    realm: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(255))
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Membership(Table):
    """What a person is at one school. Unconfirmed people may learn but are not counted."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("school_id", "person_id"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    site: Mapped[str] = mapped_column(String(80), default="")
    role_group: Mapped[str] = mapped_column(String(20), default="")
    """teaching, support, governor, volunteer or supply; empty until known."""
    payroll_number: Mapped[str] = mapped_column(String(40), default="")
    starts_on: Mapped[date | None] = mapped_column(default=None)
    ends_on: Mapped[date | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    confirmed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    """The manager who confirmed; empty where a staff list did."""
    left_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    """Since when no staff list names them as active any more; such people are shown, not counted.
    Empty again once a list names them, or a manager confirms that they belong here still."""


class Absence(Table):
    """Days on which somebody is away from work. The reason is nobody's business here."""

    __tablename__ = "absence"
    __table_args__ = (Index("ix_absence_person", "school_id", "person_id"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None] = mapped_column(default=None)
    """The last day away; empty while nobody knows."""
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    entered_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    """Entered by mistake: it counts no more."""


class Join(Table):
    """Two persons who turned out to be one; undone, never deleted."""

    __tablename__ = "person_join"
    __table_args__ = (
        Index("ix_person_join_joined", "joined_id"),
        Index("ix_person_join_root", "root_id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    """Where it was made. It holds wherever the two are."""
    root_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    """Who they are shown as from then on."""
    joined_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    """The manager; empty where the person did it, signed in as both."""
    changed: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What it made of the root's memberships: by school, by field, [before, after]; nothing for a
    membership that it made. So it can be taken back."""
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    undone_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)


class JoinCode(Table):
    """A one-time code that shows, entered elsewhere, that one person is signed in at both places.
    Only its hash is kept."""

    __tablename__ = "join_code"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    identity_id: Mapped[UUID] = mapped_column(ForeignKey("identity.id"))
    platform_name: Mapped[str] = mapped_column(String(255), default="")
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)


class Grant(Table):
    """Leave for one person to manage one school's register; ended, never deleted.

    It goes with the sign-ins of just this person: persons who are joined hand on no grants.
    """

    __tablename__ = "manager_grant"
    __table_args__ = (Index("ix_manager_grant_person", "person_id", "school_id"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    granted_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    """The manager who granted it; empty for a manager code or the command line."""
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)


class ManagerCode(Table):
    """A one-time code that makes its first user the school's manager. Only its hash is kept."""

    __tablename__ = "manager_code"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80), index=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    used_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)


class Visit(Table):
    """One stay in the tool, from a launch to “finish” or thirty idle minutes.

    Its token lives in a cookie, only the hash here. ``school_id`` is empty while the deployment
    has not been set up.
    """

    __tablename__ = "visit"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """Of the one-time code that leads from the launch to the first page."""
    code_expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    code_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    identity_id: Mapped[UUID] = mapped_column(ForeignKey("identity.id"))
    school_id: Mapped[str] = mapped_column(String(80), default="")
    module: Mapped[str] = mapped_column(String(40), default="")
    """Which training; empty where the activity is for those who look after it."""
    review_of: Mapped[UUID | None] = mapped_column(Uuid, default=None)
    """The membership whose record a manager came to read, from a platform's gradebook."""
    door: Mapped[str] = mapped_column(String(10))
    place_id: Mapped[UUID | None] = mapped_column(Uuid, default=None)
    """The door's own row for where the launch came from (an LTI resource link)."""
    home_school_id: Mapped[str | None] = mapped_column(String(80), default=None)
    """Where the launch led, while a manager looks at another school that they manage; and with it
    what ``place_id`` was, for no place of one school may serve another."""
    home_place_id: Mapped[UUID | None] = mapped_column(Uuid, default=None)
    platform_name: Mapped[str] = mapped_column(String(255), default="")
    may_ask_to_manage: Mapped[bool] = mapped_column(default=False)
    may_set_up: Mapped[bool] = mapped_column(default=False)
    """A platform administrator: may connect the tool; that alone opens no record."""
    frame_ancestors: Mapped[str] = mapped_column(Text, default="")
    """Origins that may show this visit's pages in a frame, separated by spaces."""
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    """When the launch was bound to the browser, or the person said “yes, that is me”."""
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
