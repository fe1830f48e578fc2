"""People who arrive from a platform, scores that are owed to it, and what became of them."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from sqlalchemy import select

from lti_tool.lti.models import ScoreOutbox
from lti_tool.lti.services import scores
from lti_tool.lti.services.scores import Delivery
from lti_tool.people.models import Visit
from sandbox_lms.platform import OMIT, Seen
from sandbox_lms.schools import Person
from tests.conformance.world import AGS, World


def arrive(tool: World, person: Person | None = None, **changes: object) -> Visit:
    begun = tool.begin()
    someone = person or tool.learner
    said = tool.platform.id_token_claims(someone, tool.activity, begun.nonce, **changes)
    assert tool.post(begun, tool.platform.sign(said)).status_code == 303
    return tool.visits()[-1]


def owe(tool: World, visit: Visit, score: int = 90, *, cycle: str = "2026") -> UUID:
    completion_id = uuid4()
    now = tool.lti.clock()
    with tool.database.transaction() as session:
        scores.owe(
            session,
            visit=visit,
            completion_id=completion_id,
            cycle=cycle,
            module="induction",
            score=score,
            comment="Finished – da iawn",
            completed_at=now,
            now=now,
        )
    return completion_id


def where(tool: World, completion_id: UUID) -> Delivery:
    with tool.database.reading() as session:
        return scores.delivery(session, completion_id=completion_id)


def rows(tool: World) -> list[ScoreOutbox]:
    with tool.database.reading() as session:
        return list(session.scalars(select(ScoreOutbox).order_by(ScoreOutbox.id)))


def held(tool: World, person: Person | None = None) -> float | None:
    (item_id,) = tool.platform.items_of(tool.activity)
    grade = tool.platform.gradebook.grade(item_id, (person or tool.learner).id)
    return grade.score if grade else None


def asked(tool: World, end: str) -> list[Seen]:
    return [seen for seen in tool.platform.requests_seen if urlsplit(seen.path).path.endswith(end)]


def endpoint(tool: World, **changes: object) -> dict[str, Any]:
    """The AGS claim with some of it changed."""
    claim = tool.platform.id_token_claims(tool.learner, tool.activity, "")[AGS]
    assert isinstance(claim, dict)
    said = claim | changes
    return {AGS: {name: value for name, value in said.items() if value is not OMIT}}
