"""Tables of checkpoints: appended, never changed (``migrations/guards.py``)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Table, UtcDateTime
from lti_tool.core.ids import new_id


class Checkpoint(Table):
    """What we signed about one school's ledger. ``text`` holds the exact bytes."""

    __tablename__ = "checkpoint"
    __table_args__ = (UniqueConstraint("school_id", "size"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    size: Mapped[int] = mapped_column(BigInteger)
    """How many entries it covers: those numbered 1 to ``size``."""
    root: Mapped[str] = mapped_column(String(64))
    text: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    key: Mapped[str] = mapped_column(String(64))
    """The fingerprint of the key it was signed with."""
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    code: Mapped[str] = mapped_column(String(24), index=True)
    why: Mapped[str] = mapped_column(String(10))
    """daily, pack or asked (from the command line)."""
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LedgerTile(Table):
    """256 neighbouring nodes of a school's tree, and the one above them, once all are there.

    On level 0 the nodes are the hashes of entries, on level 1 the roots of 256 tiles of level 0,
    and so on. What is not yet 256 is worked out when it is asked for.
    """

    __tablename__ = "ledger_tile"

    school_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    hashes: Mapped[bytes] = mapped_column(LargeBinary(8192))
