"""What was done through one door is owed to the platforms behind the others."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from lti_tool.core.database import Database
from lti_tool.lti.models import ScoreOutbox
from lti_tool.people import joins
from lti_tool.people.models import Visit
from lti_tool.training.doors.elsewhere import owe_elsewhere
from lti_tool.training.models import Completion
from tests.factories.registers import CATALOGUE, GLENMERE, HEMSWELL, NOW, Guest, arrive, complete
from tests.integration.training.conftest import from_a_platform

LATER = NOW + timedelta(hours=1)


def on_moodle(database: Database, *, school_id: str = HEMSWELL) -> Guest:
    guest = arrive(database, "Sam Ostler", school_id, subject="moodle")
    from_a_platform(database, guest.admission.visit_id, NOW)
    return guest


def in_teams(database: Database, *, score: int = 90, **given: str) -> tuple[Guest, UUID]:
    guest = arrive(database, "Sam Ostler", door="teams", realm="teams:t", subject="oid")
    complete(database, guest, score=score, **given)
    with database.reading() as session:
        return guest, session.scalars(select(Completion.id)).one()


def join(database: Database, root: Guest, joined: Guest) -> UUID:
    with database.transaction() as session:
        return joins.join(
            session,
            root_id=root.person_id,
            joined_id=joined.person_id,
            school_id=HEMSWELL,
            now=NOW,
        ).id


def sweep(database: Database, person_id: UUID | None = None) -> int:
    with database.transaction() as session:
        return owe_elsewhere(session, schools=CATALOGUE.schools, now=LATER, person_id=person_id)


def owed(database: Database) -> list[ScoreOutbox]:
    with database.reading() as session:
        return list(session.scalars(select(ScoreOutbox).order_by(ScoreOutbox.id)))


@pytest.mark.parametrize("root_is", ["teams", "moodle"])
def test_a_score_is_owed_once_the_two_are_one(database: Database, root_is: str) -> None:
    moodle = on_moodle(database)
    teams, completion_id = in_teams(database)
    assert sweep(database) == 0
    join(database, *((teams, moodle) if root_is == "teams" else (moodle, teams)))
    assert sweep(database) == 1
    assert sweep(database) == 0
    (row,) = owed(database)
    assert (row.completion_id, row.subject, row.score) == (completion_id, "moodle", 90)
    assert (row.module, row.cycle, row.state) == ("induction", "2026-27", "pending")


def test_the_first_launch_says_where(database: Database) -> None:
    """Known on Moodle from a staff list, and never seen there until after the join."""
    teams, _completion = in_teams(database)
    listed = arrive(database, "Sam Ostler", subject="moodle", door="test")
    join(database, teams, listed)
    assert sweep(database) == 0
    visit = arrive(database, "Sam Ostler", subject="moodle", now=LATER)
    from_a_platform(database, visit.admission.visit_id, LATER)
    assert sweep(database, teams.person_id) == 1


def test_a_launch_that_was_not_confirmed_says_nothing(database: Database) -> None:
    """Somebody else's browser may have been led there."""
    moodle = on_moodle(database)
    with database.transaction() as session:
        session.execute(
            update(Visit).where(Visit.id == moodle.admission.visit_id).values(confirmed_at=None)
        )
    teams, _completion = in_teams(database)
    join(database, teams, moodle)
    assert sweep(database) == 0


def test_a_join_that_was_undone_owes_nothing_more(database: Database) -> None:
    moodle = on_moodle(database)
    teams, _completion = in_teams(database)
    join_id = join(database, teams, moodle)
    with database.transaction() as session:
        joins.separate(session, join_id=join_id, school_id=HEMSWELL, now=NOW)
    assert sweep(database) == 0


def test_what_the_platform_has_is_not_owed_again(database: Database) -> None:
    moodle = on_moodle(database)
    teams, _completion = in_teams(database)
    join(database, teams, moodle)
    sweep(database)
    with database.transaction() as session:
        session.execute(update(ScoreOutbox).values(state="sent", sent_at=LATER))
    assert sweep(database) == 0


@pytest.mark.parametrize("cycle", ["2025-26", "2027-28"])
def test_only_this_years(database: Database, cycle: str) -> None:
    moodle = on_moodle(database)
    teams, _completion = in_teams(database, cycle=cycle)
    join(database, teams, moodle)
    assert sweep(database) == 0


def test_another_school_hears_nothing(database: Database) -> None:
    moodle = on_moodle(database, school_id=GLENMERE)
    teams, _completion = in_teams(database)
    join(database, teams, moodle)
    assert sweep(database) == 0


@pytest.mark.parametrize("what", ["score", "withdrawn_at"])
def test_paper_has_no_score(database: Database, what: str) -> None:
    moodle = on_moodle(database)
    teams, _completion = in_teams(database)
    join(database, teams, moodle)
    with database.transaction() as session:
        session.execute(update(Completion).values({what: None if what == "score" else NOW}))
    assert sweep(database) == 0
