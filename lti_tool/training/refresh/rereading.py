"""What was missed is read again before it is asked again, once after each round."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.core.errors import ToolError
from lti_tool.training.models import Journey, SectionRead


def page(rounds_done: int) -> str:
    """What the reading after so many rounds is noted as. No section of a policy has such a name."""
    return f"again:{rounds_done}"


def require(session: Session, *, journey: Journey, rounds_done: int) -> None:
    """Raises ``ToolError`` read-first while what the last round missed was not read again."""
    read = select(SectionRead.section).where(
        SectionRead.journey_id == journey.id,
        SectionRead.school_id == journey.school_id,
        SectionRead.section == page(rounds_done),
    )
    if rounds_done and session.scalar(read) is None:
        raise ToolError("read-first")
