"""The schools that one manager looks after, side by side, and going from one to another.

What opens a school is a living grant for it, and nothing else: not the trust it belongs to, not
a role on a platform. Counts alone are shown here; names stand in the school's own register.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.core.errors import ToolError
from lti_tool.evidence.dashboard.duties import Counts, asked, share
from lti_tool.people.models import Grant, Identity, Visit
from lti_tool.training.cycles.models import Obligation
from lti_tool.training.cycles.owing import WITHDRAWN
from lti_tool.training.cycles.states import state


@dataclass(frozen=True)
class Beside:
    """One school among others."""

    school_id: str
    name: str
    counts: Counts

    @property
    def asked(self) -> int:
        return asked(self.counts)

    @property
    def share(self) -> int | None:
        return share(self.counts)


def managed(session: Session, visit: Visit) -> frozenset[str]:
    """The schools for which the visit's sign-in holds a living grant: a join hands on none."""
    return frozenset(
        session.scalars(
            select(Grant.school_id)
            .join(Identity, Identity.person_id == Grant.person_id)
            .where(Identity.id == visit.identity_id, Grant.revoked_at.is_(None))
        )
    )


def beside(
    session: Session,
    *,
    names: Mapping[str, str],
    module: str,
    cycle: str,
    today: date,
    order: str = "name",
) -> Sequence[Beside]:
    """How one training of one cycle stands at each of these schools (id to name), by name, by
    the share done (least first) or by how many are overdue (most first)."""
    found = _counts(session, names, module, cycle, today)
    schools = [
        Beside(school_id, name, found.get(school_id, Counter()))
        for school_id, name in sorted(names.items(), key=lambda one: (one[1].casefold(), one[0]))
    ]
    if order == "share":
        schools.sort(key=lambda one: 101 if one.share is None else one.share)
    elif order == "overdue":
        schools.sort(key=lambda one: -one.counts.get("overdue", 0))
    return schools


def _counts(
    session: Session, school_ids: Collection[str], module: str, cycle: str, today: date
) -> dict[str, Counter[str]]:
    rows = session.execute(
        select(Obligation.school_id, state(today, schools=school_ids).label("state"), func.count())
        .where(
            Obligation.school_id.in_(school_ids),
            Obligation.module == module,
            Obligation.cycle == cycle,
            Obligation.outcome != WITHDRAWN,
        )
        .group_by(Obligation.school_id, "state")
    )
    found: dict[str, Counter[str]] = {}
    for school_id, name, number in rows:
        found.setdefault(school_id, Counter())[name] += number
    return found


def together(schools: Sequence[Beside]) -> Counts:
    """All of them as one."""
    whole: Counter[str] = Counter()
    for school in schools:
        whole.update(school.counts)
    return whole


def enter(session: Session, visit: Visit, *, school_id: str) -> None:
    """Let the visit look at another school that its sign-in manages.

    The place it was launched from stays with the school it was launched for: no score may go
    there, and no course be offered, on behalf of another school. Going back restores it.
    Raises ``ToolError`` not-a-manager.
    """
    if school_id not in managed(session, visit):
        raise ToolError("not-a-manager")
    if school_id == visit.school_id:
        return
    if visit.home_school_id is None:
        visit.home_school_id, visit.home_place_id = visit.school_id, visit.place_id
    visit.school_id, visit.place_id = school_id, None
    if school_id == visit.home_school_id:
        visit.place_id = visit.home_place_id
        visit.home_school_id = visit.home_place_id = None
    visit.review_of = None
    session.flush()
