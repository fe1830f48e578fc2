"""Tables of the front door: who may launch, from where, and what scores are owed to whom."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Table, UtcDateTime
from lti_tool.core.ids import new_id

PENDING: Final = "pending"
SENDING: Final = "sending"
SENT: Final = "sent"
SUPERSEDED: Final = "superseded"
BLOCKED: Final = "blocked"
DEAD: Final = "dead"
NOT_SCORED: Final = "not-scored"


class Registration(Table):
    """One platform's leave to launch us: an issuer and the client id it knows us by."""

    __tablename__ = "registration"
    __table_args__ = (UniqueConstraint("issuer", "client_id"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(255))
    issuer: Mapped[str] = mapped_column(String(255))
    client_id: Mapped[str] = mapped_column(String(255))
    auth_login_url: Mapped[str] = mapped_column(Text)
    auth_token_url: Mapped[str] = mapped_column(Text)
    auth_audience: Mapped[str] = mapped_column(Text, default="")
    """The ``aud`` of our client assertions where it is not ``auth_token_url``."""
    jwks_url: Mapped[str] = mapped_column(Text)
    frame_origins: Mapped[str] = mapped_column(Text, default="")
    """Further origins that may frame us, separated by spaces."""
    version: Mapped[int] = mapped_column(default=1)
    """Rises with each change, also of a deployment, so that what is kept in memory is dropped."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)


class Deployment(Table):
    """One place of a platform in which we are installed."""

    __tablename__ = "deployment"
    __table_args__ = (UniqueConstraint("registration_id", "deployment_id"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    registration_id: Mapped[UUID] = mapped_column(ForeignKey("registration.id"))
    deployment_id: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DeploymentSchool(Table):
    """A school that a deployment may serve."""

    __tablename__ = "deployment_school"

    deployment_row_id: Mapped[UUID] = mapped_column(ForeignKey("deployment.id"), primary_key=True)
    school_id: Mapped[str] = mapped_column(String(80), primary_key=True)


class Nonce(Table):
    """A nonce that has been used up by a launch; its row makes a second use impossible."""

    __tablename__ = "nonce"

    nonce: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    """From here on the state that carries the nonce is refused anyway."""


class ResourceLink(Table):
    """An activity on a platform that leads to us, with its services as of the latest launch."""

    __tablename__ = "resource_link"
    __table_args__ = (UniqueConstraint("deployment_row_id", "resource_link_id"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    deployment_row_id: Mapped[UUID] = mapped_column(ForeignKey("deployment.id"))
    resource_link_id: Mapped[str] = mapped_column(String(255))
    context_id: Mapped[str] = mapped_column(String(255), default="")
    context_title: Mapped[str] = mapped_column(String(255), default="")
    line_item_url: Mapped[str] = mapped_column(Text, default="")
    line_items_url: Mapped[str] = mapped_column(Text, default="")
    scopes: Mapped[str] = mapped_column(Text, default="")
    """The AGS scopes we were granted here, sorted, separated by spaces."""
    context_memberships_url: Mapped[str] = mapped_column(Text, default="")
    return_origin: Mapped[str] = mapped_column(String(255), default="")
    """The origin alone: a return URL may hold the user's session key."""
    school_id: Mapped[str] = mapped_column(String(80), default="")
    """What a manager chose on the set-up page, where the deployment serves several schools."""
    module: Mapped[str] = mapped_column(String(40), default="")
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When a launch last brought the services above, to within some minutes."""


class AccessToken(Table):
    """A platform's bearer token, kept until shortly before it expires."""

    __tablename__ = "access_token"

    registration_id: Mapped[UUID] = mapped_column(ForeignKey("registration.id"), primary_key=True)
    scopes: Mapped[str] = mapped_column(String(500), primary_key=True)
    token: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LineItem(Table):
    """Which line item of an activity takes the scores of one training in one cycle.

    The launch's own takes the first cycle that is scored; a later one gets an item to itself, so
    that last year's results stand.
    """

    __tablename__ = "line_item"
    __table_args__ = (
        Index(
            "uq_line_item_own",
            "resource_link_row_id",
            unique=True,
            sqlite_where=text("is_own"),
            postgresql_where=text("is_own"),
        ),
    )

    resource_link_row_id: Mapped[UUID] = mapped_column(
        ForeignKey("resource_link.id"), primary_key=True
    )
    module: Mapped[str] = mapped_column(String(40), primary_key=True)
    cycle: Mapped[str] = mapped_column(String(40), primary_key=True)
    url: Mapped[str] = mapped_column(Text, default="")
    """Empty until it has been found or made."""
    is_own: Mapped[bool] = mapped_column(default=False)
    """Whether it is the one that launches name as the activity's own."""
    sought_until: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    """Until then one worker looks for it or makes it, and no other does."""


class Reachability(Table):
    """Whether a platform's services answer: the circuit breaker, one row for all workers."""

    __tablename__ = "reachability"

    registration_id: Mapped[UUID] = mapped_column(ForeignKey("registration.id"), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    """How many calls in a row had no answer."""
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    probe_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    """While the breaker is open: not before then, and then one call alone."""
    refused_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    """When the platform last refused us a token, unless it has granted one since."""
    compared_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    """When what we sent was last compared with what it holds."""


class ScoreOutbox(Table):
    """A score that is owed to a platform, or has been delivered. The row is the truth.

    ``timestamp`` and ``payload`` are frozen when the row is made, so that sending again after a
    lost reply has no second effect.
    """

    __tablename__ = "score_outbox"
    __table_args__ = (
        UniqueConstraint("registration_id", "subject", "timestamp"),
        Index("ix_score_outbox_due", "state", "next_at"),
        # At most one of a person's scores is on its way to a platform at any moment.
        Index(
            "uq_score_outbox_in_flight",
            "registration_id",
            "subject",
            unique=True,
            sqlite_where=text("state = 'sending'"),
            postgresql_where=text("state = 'sending'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    completion_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    cycle: Mapped[str] = mapped_column(String(40))
    module: Mapped[str] = mapped_column(String(40))
    registration_id: Mapped[UUID] = mapped_column(ForeignKey("registration.id"))
    resource_link_row_id: Mapped[UUID] = mapped_column(ForeignKey("resource_link.id"))
    subject: Mapped[str] = mapped_column(String(255))
    score: Mapped[int]
    """Out of 100."""
    timestamp: Mapped[datetime] = mapped_column(UtcDateTime)
    payload: Mapped[str] = mapped_column(Text)
    line_item_url: Mapped[str] = mapped_column(Text, default="")
    """Empty until the line item has been found or made."""
    state: Mapped[str] = mapped_column(String(20), default=PENDING)
    reason: Mapped[str] = mapped_column(String(40), default="")
    """Why it was not delivered, as a code."""
    superseded_by: Mapped[UUID | None] = mapped_column(ForeignKey("score_outbox.id"), default=None)
    attempts: Mapped[int] = mapped_column(default=0)
    was_renewed: Mapped[bool] = mapped_column(default=False)
    """Whether it has had its one second chance (a later timestamp, or a later launch)."""
    replaces: Mapped[bool] = mapped_column(default=False)
    """Whether a manager wants it sent even over a result that was changed by hand."""
    losses: Mapped[int] = mapped_column(default=0)
    """How often the platform turned out not to hold it, although it had taken it."""
    last_status: Mapped[int] = mapped_column(default=0)
    """The HTTP status of the latest reply; 0 where there was none."""
    owed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
