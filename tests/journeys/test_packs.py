"""A pack of what people really did: learned on screen, signed on paper, and one taken back."""

import csv
import io
from collections.abc import Callable
from uuid import UUID

from sqlalchemy import select

from lti_tool.core.clock import utc_now
from lti_tool.curriculum.cycles import cycle_of
from lti_tool.evidence.packs import asking
from lti_tool.evidence.packs.making import make
from lti_tool.evidence.packs.tasks import maker_of
from lti_tool.evidence.proof.check import check
from lti_tool.people.memberships import confirm_members
from lti_tool.people.models import Membership, Person
from lti_tool.training.paper import entering
from lti_tool.training.paper.entering import Paper
from lti_tool.ui.format import local
from sandbox_lms.schools import SCHOOLS
from tests.factories.packs import content_of, files, reason
from tests.journeys.conftest import Product, Visitor

Arrive = Callable[..., Visitor]
SCHOOL = "wren-spinney"


def member(product: Product, name: str) -> Membership:
    with product.database.reading() as session:
        return session.scalars(
            select(Membership)
            .join(Person, Person.id == Membership.person_id)
            .where(Membership.school_id == SCHOOL, Person.name == name)
        ).one()


def test_what_people_did_goes_into_a_pack_that_holds(product: Product, arrive: Arrive) -> None:
    now, cycle = utc_now(), cycle_of(utc_now())
    school = product.catalogue.schools[SCHOOL]
    head = arrive(SCHOOL, "head")
    by = member(product, head.person.name).person_id
    people = [product.platform.enrol_starter(SCHOOLS[SCHOOL]) for _ in range(3)]
    for person in people:
        visitor = Visitor(product, person, product.platform.activity_at(SCHOOL))
        visitor.begin("teaching")
        if person is people[0]:
            visitor.learn()
    members = [member(product, person.name) for person in people]
    paper = Paper("induction", cycle, local(now).date(), school.policy.number, "No computer.")
    with product.app.app_context(), product.database.transaction() as session:
        ids = [one.id for one in members]
        confirm_members(
            session,
            school_id=SCHOOL,
            membership_ids=ids,
            confirmed_by=by,
            now=now,
            today=local(now).date(),
        )
        _, taken_back = (
            entering.enter(
                session, school=school, membership_id=one.id, paper=paper, by=by, now=now
            )
            for one in members[1:]
        )
        withdrawn = taken_back.id
    with product.app.app_context(), product.database.transaction() as session:
        entering.withdraw(
            session, school=school, completion_id=withdrawn, reason="Another’s.", by=by, now=now
        )

    for audience in ("managers", "governors", "inspector"):
        data = pack_of(product, audience, cycle, by)
        report = check(data)
        assert (report.verdict, list(report.findings)) == ("origin-not-shown", [])
        assert report.manifest["records"]
        if audience == "managers":
            managers = files(data)
    text = managers["people.csv"].decode("utf-8-sig")
    rows = [
        row
        for row in csv.DictReader(io.StringIO(text, newline=""))
        if row["Name"] in {person.name for person in people} and row["Record"]
    ]
    assert sorted((row["State"], row["Method"]) for row in rows) == [
        ("Done", "online"), ("Done", "paper"), ("Withdrawn", "paper"),
    ]  # fmt: skip
    assert {row["Declared on"] for row in rows} == {local(now).date().isoformat()}
    assert b"paper-withdrawn" in managers["entries.jsonl"]


def pack_of(product: Product, audience: str, cycle: str, by: UUID) -> bytes:
    maker = maker_of(product.app)
    with product.database.transaction() as session:
        pack = asking.ask(
            session,
            school_id=SCHOOL,
            schools=[SCHOOL],
            audience=audience,
            cycle=cycle,
            by=by,
            now=utc_now(),
        )
        pack_id = pack.id
    with product.app.app_context():
        assert make(maker, pack_id) == "ready", reason(maker, pack_id)
    return content_of(maker, pack_id)
