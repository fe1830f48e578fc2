"""What first answers came to outlives the answers, once their version is out of use."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
from flask import Flask
from sqlalchemy import func, select

from lti_tool.core.database import Database
from lti_tool.core.ids import new_id
from lti_tool.evidence.retention import disposing, setting
from lti_tool.evidence.review.agenda import Agenda, agenda
from lti_tool.evidence.review.models import ReviewFigures
from lti_tool.training.cycles.models import PolicyOpening
from lti_tool.training.models import Question
from tests.conftest import SetClock
from tests.factories.registers import NOW, running
from tests.integration.evidence.test_review import CATALOGUE, NUMBER, SCHOOL, answer, people

OLD = CATALOGUE.schools[SCHOOL]
NEWER = replace(OLD.versions[-1], number="2028-01", approved_on="2028-01")
TWO = replace(
    CATALOGUE,
    schools=MappingProxyType({SCHOOL: replace(OLD, versions=(*OLD.versions, NEWER))}),
)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def app(database: Database, tmp_path: Path, clock: SetClock) -> Iterator[Flask]:
    with running(tmp_path, database, clock, TWO) as app:
        yield app


def open_version(database: Database, number: str, before: str, days: int) -> None:
    at = NOW + timedelta(days=days)
    with database.transaction() as session:
        session.add(
            PolicyOpening(
                id=new_id(),
                school_id=SCHOOL,
                number=number,
                sha256="",
                before=before,
                weight="minor",
                clauses=[],
                binds=[],
                opened_on=at.date(),
                opened_at=at,
            )
        )


def shown(app: Flask, clock: SetClock) -> Agenda:
    school = TWO.schools[SCHOOL]
    with app.app_context(), app.extensions["database"].reading() as session:
        version = school.version(NUMBER)
        assert version is not None
        return agenda(session, school=school, version=version, catalogue=TWO, now=clock())


def test_the_review_of_an_old_version_says_what_it_said(
    app: Flask, database: Database, clock: SetClock
) -> None:
    open_version(database, NUMBER, "", -300)
    scenarios = ("topic-00-x", "topic-01-x")
    everybody = people(database, 12)
    for at, guest in enumerate(everybody):
        said = [f"{one}{'+' if (at + place) % 3 else '!'}" for place, one in enumerate(scenarios)]
        answer(database, guest, *said, at=at)
    with database.transaction() as session:
        setting.set_period(
            session, school_id=SCHOOL, kind="answers", months=12, by=None, now=clock()
        )
    open_version(database, NEWER.number, NUMBER, 30)
    clock.move(days=390)
    before = shown(app, clock)
    assert before.topics
    clock.move(days=10)
    with app.app_context():
        gone = disposing.dispose(database, school=TWO.schools[SCHOOL], catalogue=TWO, now=clock())
    assert gone == {"answers": 12}
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Question)) == 0
        kept = session.get_one(ReviewFigures, (SCHOOL, NUMBER))
        assert str(everybody[0].person_id) not in str(kept.figures)
    after = shown(app, clock)
    assert (after.topics, after.clauses) == (before.topics, before.clauses)
    assert [one.text for one in after.points] == [one.text for one in before.points]
