"""Certificates: taken by whom they are about and by managers, looked up by anybody, withdrawn."""

import io
import json
import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pikepdf
import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from lti_tool.core.database import Database
from lti_tool.core.ledger import LedgerEntry
from lti_tool.core.limits import LOOK_UPS, Tally
from lti_tool.evidence.certificates.disposing import of as dispose_of
from lti_tool.evidence.certificates.models import Certificate
from lti_tool.evidence.certificates.numbers import new_number, shown
from lti_tool.training.models import Completion, Declaration
from tests.conftest import SetClock
from tests.factories.papers import text_of
from tests.factories.registers import (
    GLENMERE,
    HEMSWELL,
    NOW,
    Guest,
    arrive,
    browser,
    complete,
    csrf,
    make_manager,
)


@pytest.fixture
def head(database: Database) -> Guest:
    return make_manager(database, arrive(database, "Hedda Head", counted=True))


@pytest.fixture
def amara(database: Database) -> Guest:
    return arrive(database, "Amara Osei", counted=True)


def done(database: Database, guest: Guest, **given: Any) -> UUID:
    """A completion of theirs, by its id."""
    record_id = complete(database, guest, **given)
    with database.reading() as session:
        asked = select(Completion.id).where(Completion.record_id == record_id)
        return session.scalars(asked).one()


def change(database: Database, completion_id: UUID, **values: Any) -> None:
    with database.transaction() as session:
        session.execute(update(Completion).where(Completion.id == completion_id).values(**values))


def take(app: Flask, guest: Guest, completion_id: UUID) -> TestResponse:
    return browser(app, guest).get(f"/my-training/certificates/{completion_id}.pdf")


def number_of(database: Database, completion_id: UUID) -> str:
    with database.reading() as session:
        return session.get_one(Certificate, completion_id).number


def looked_up(app: Flask, number: str) -> tuple[int, str]:
    reply = browser(app).post("/certificates", data={"number": number})
    return reply.status_code, " ".join(re.sub(r"<[^>]+>", " ", reply.text).split())


def decide(app: Flask, by: Guest, of: Guest, completion_id: UUID, **form: str) -> TestResponse:
    return browser(app, by).post(
        f"/register/{of.membership_id}/certificates/{completion_id}",
        data={"csrf_token": csrf(app, by.admission.visit_id)} | form,
    )


def entries(database: Database, kind: str) -> list[dict[str, Any]]:
    with database.reading() as session:
        asked = select(LedgerEntry.body).where(LedgerEntry.kind == kind)
        return [json.loads(body) for body in session.scalars(asked)]


def test_a_holder_takes_it_and_it_is_issued_once(
    app: Flask, database: Database, amara: Guest, clock: SetClock
) -> None:
    completion_id = done(database, amara, module="annual-refresh")
    assert f"/{completion_id}.pdf" in browser(app, amara).get("/my-training").text
    first = take(app, amara, completion_id)
    assert (first.status_code, first.mimetype) == (200, "application/pdf")
    clock.now = NOW + timedelta(minutes=5)
    assert take(app, amara, completion_id).data == first.data
    with database.reading() as session:
        made = session.scalars(select(Certificate)).one()
    assert (made.issued_at, made.valid_to) == (NOW, date(2027, 10, 31))
    assert shown(made.number) in first.headers["Content-Disposition"]
    (entry,) = entries(database, "certificate-issued")
    assert entry["facts"]["valid_to"] == "2027-10-31"
    assert set(entry["personal"]) == {"person", "number"}
    assert made.number not in json.dumps(entry)


def test_a_manager_takes_it_from_the_record(
    app: Flask, database: Database, head: Guest, amara: Guest
) -> None:
    completion_id = done(database, amara)
    page = f"/register/{amara.membership_id}/certificates/{completion_id}"
    client = browser(app, head)
    assert page in client.get(f"/register/{amara.membership_id}").text
    assert "not been taken yet" in client.get(page).text
    assert client.get(f"{page}.pdf").mimetype == "application/pdf"
    assert shown(number_of(database, completion_id)) in client.get(page).text


def test_it_is_nobody_elses(app: Flask, database: Database, head: Guest, amara: Guest) -> None:
    completion_id = done(database, amara)
    other = arrive(database, "Other Person", counted=True)
    abroad = make_manager(database, arrive(database, "Gwen Head", GLENMERE, counted=True))
    for guest in (other, head, abroad):
        assert take(app, guest, completion_id).status_code == 404
    path = f"/register/{amara.membership_id}/certificates/{completion_id}"
    for end in ("", ".pdf"):
        assert browser(app, abroad).get(path + end).status_code == 404
        assert browser(app, amara).get(path + end).status_code == 403
        wrong = path.replace(str(amara.membership_id), str(other.membership_id))
        assert browser(app, head).get(wrong + end).status_code == 404
    own = f"/my-training/certificates/{completion_id}.pdf"
    foreign = browser(app, amara).get(own, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 400
    assert entries(database, "certificate-issued") == []


def test_a_number_tells_its_state_and_no_more_than_initials(
    app: Flask, database: Database, amara: Guest, clock: SetClock
) -> None:
    completion_id = done(database, amara)
    take(app, amara, completion_id)
    number = number_of(database, completion_id)
    status, text = looked_up(app, shown(number).lower())
    assert status == 200
    assert "Valid This certificate was issued by the school, and it holds." in text
    assert "Hemswell Cliff Primary School" in text
    assert "P. N." in text
    assert "31 October 2027" in text
    for hidden in ("Printed", "Amara", "Osei", "per cent", "2022-03", str(completion_id)):
        assert hidden not in text
    clock.now = NOW + timedelta(days=400)
    assert "Expired" in looked_up(app, number)[1]


def test_a_number_that_was_never_issued_gets_one_clear_sentence(app: Flask) -> None:
    status, text = looked_up(app, new_number())
    assert status == 404
    assert "No certificate with this number was issued here" in text


@pytest.mark.parametrize("number", ["K7QM", "=1+1", "\0", "<b>x</b>", "9" * 5000])
def test_a_number_that_is_none_gets_one_clear_sentence(app: Flask, number: str) -> None:
    status, text = looked_up(app, number)
    assert status == 400
    assert "It has a slip in it" in text
    assert browser(app).get("/certificates").status_code == 200


def test_nobody_goes_through_the_numbers(app: Flask, database: Database) -> None:
    app.extensions["tally"] = Tally(lambda: 1000.0)  # no time passes, however slow we are
    codes = {looked_up(app, new_number())[0] for _ in range(LOOK_UPS.tries)}
    assert codes == {404}
    status, _text = looked_up(app, new_number())
    assert status == 429
    assert browser(app).get("/certificates").status_code == 200


@pytest.mark.parametrize(
    ("module", "superseded"), [("annual-refresh", True), ("before-you-start", False)]
)
def test_a_later_training_of_the_whole_policy_takes_its_place(
    app: Flask, database: Database, amara: Guest, module: str, superseded: bool
) -> None:
    first = done(database, amara)
    take(app, amara, first)
    later = done(database, amara, module=module)
    change(database, later, completed_at=NOW + timedelta(days=1))
    take(app, amara, later)
    assert ("Superseded" in looked_up(app, number_of(database, first))[1]) is superseded
    assert "Valid" in looked_up(app, number_of(database, later))[1]
    change(database, later, withdrawn_at=NOW)
    assert "Valid" in looked_up(app, number_of(database, first))[1]
    assert "Withdrawn" in looked_up(app, number_of(database, later))[1]


def test_a_manager_withdraws_it_and_lets_it_stand_again(
    app: Flask, database: Database, head: Guest, amara: Guest
) -> None:
    completion_id = done(database, amara)
    take(app, amara, completion_id)
    number = number_of(database, completion_id)
    asked = (app, head, amara, completion_id)
    assert decide(*asked, act="withdrawn", reason=" ").status_code == 400
    assert decide(*asked, act="nothing", reason="Wrong").status_code == 400
    assert decide(*asked, act="restored", reason="Wrong").status_code == 409
    assert decide(*asked, act="withdrawn", reason="Wrong person").status_code == 303
    assert decide(*asked, act="withdrawn", reason="Again").status_code == 409
    assert "Withdrawn" in looked_up(app, number)[1]
    assert "Wrong person" not in looked_up(app, number)[1]
    assert take(app, amara, completion_id).status_code == 403
    assert decide(*asked, act="restored", reason="Right after all").status_code == 303
    assert "Valid" in looked_up(app, number)[1]
    page = browser(app, head).get(f"/register/{amara.membership_id}/certificates/{completion_id}")
    assert "Wrong person" in page.text
    assert "Right after all" in page.text
    for kind in ("certificate-withdrawn", "certificate-restored"):
        (entry,) = entries(database, kind)
        assert set(entry["personal"]) == {"person", "actor", "reason"}


def test_nobody_decides_on_their_own(app: Flask, database: Database, head: Guest) -> None:
    completion_id = done(database, head)
    take(app, head, completion_id)
    reply = decide(app, head, head, completion_id, act="withdrawn", reason="Mine")
    assert reply.status_code == 403
    assert entries(database, "certificate-withdrawn") == []


def test_it_goes_with_the_training_record(
    app: Flask, database: Database, head: Guest, amara: Guest
) -> None:
    completion_id = done(database, amara)
    take(app, amara, completion_id)
    number = number_of(database, completion_id)
    decide(app, head, amara, completion_id, act="withdrawn", reason="Wrong")
    with database.transaction() as session:
        gone = dispose_of(session, school_id=HEMSWELL, person_ids=[amara.person_id])
    assert gone == {"certificate": 1, "certificate_act": 1}
    assert looked_up(app, number)[0] == 404


def test_the_paper_says_all_and_can_be_read_by_machines(
    app: Flask, database: Database, amara: Guest
) -> None:
    """With pikepdf: words, standards, language, title, tags, heads of the table, and what it is
    not."""
    completion_id = done(database, amara)
    with database.transaction() as session:
        session.execute(
            update(Declaration).values(method="paper", entered_at=NOW, printed_name="Siân Pugh")
        )
    change(database, completion_id, completed_at=NOW - timedelta(days=1))
    paper = take(app, amara, completion_id).data
    said = text_of(paper)
    for words in (
        "Hemswell Cliff Primary School Certificate This certifies that Siân Pugh has completed",
        "New starter training, 2026-27 on the Social media policy, version 2022-03",
        "Completed on Issued on Valid to Certificate number",
        "22 November 2026 23 November 2026 31 October 2027 "
        + shown(number_of(database, completion_id)),
        "Declared on paper, and entered by the school on 23 November 2026.",
        "An example: not a school’s adopted policy",
        "check the number at https://training.example.org/certificates",
    ):
        assert words in said
    file = pikepdf.open(io.BytesIO(paper))
    with file.open_metadata() as about:
        assert about["pdfuaid:part"] == "1"
        assert (about["pdfaid:part"], about["pdfaid:conformance"]) == ("2", "A")
    assert len(file.pages) == 1
    assert str(file.Root.Lang) == "en-GB"
    assert str(file.docinfo.Title) == "Certificate of Siân Pugh: New starter training, 2026-27"
    assert bool(file.Root.ViewerPreferences.DisplayDocTitle)
    assert bool(file.Root.MarkInfo.Marked)
    assert file.Root.OutputIntents[0].S == "/GTS_PDFA1"
    kinds = [str(one.get("/S")) for one in file.objects if _is_tag(one)]
    assert kinds.count("/H1") == 1
    assert (kinds.count("/TH"), kinds.count("/TD")) == (4, 4)


def _is_tag(one: Any) -> bool:
    return isinstance(one, pikepdf.Dictionary) and "/S" in one and "/P" in one
