"""A manager brings a staff file, sees what it will do, has it done, and undoes it."""

import io
import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.core.ledger import LedgerEntry
from lti_tool.people import joins
from lti_tool.people.imports import importing
from lti_tool.people.imports.models import StaffImport, StaffImportChange
from lti_tool.people.models import Identity, Membership, Person
from lti_tool.training.cycles.models import Obligation
from lti_tool.training.staff import tasks
from tests.conftest import SetClock
from tests.factories.registers import (
    GLENMERE,
    NOW,
    Guest,
    arrive,
    browser,
    complete,
    csrf,
    make_manager,
    start_training,
)

HEAD = "name,email,role group,site,start date,payroll number,leaving date\r\n"
HTTPS = "https://localhost"


class Office:
    """A manager at a keyboard."""

    def __init__(self, app: Flask, database: Database) -> None:
        self.app, self.database = app, database
        self.guest = make_manager(database, arrive(database, "Head", GLENMERE, counted=True))
        self.client: FlaskClient = browser(app, self.guest)
        self.token = csrf(app, self.guest.admission.visit_id)

    def get(self, path: str) -> str:
        reply = self.client.get(path, base_url=HTTPS)
        assert reply.status_code == 200, reply.text
        return reply.text

    def post(self, path: str, **form: Any) -> Any:
        data = {"csrf_token": self.token, **form}
        return self.client.post(path, data=data, base_url=HTTPS)

    def bring(self, text: str | bytes) -> str:
        """The address of the preview."""
        reply = self.send(text.encode() if isinstance(text, str) else text)
        assert reply.status_code == 303, reply.text
        return str(reply.location)

    def send(self, data: bytes) -> Any:
        """As a browser sends a file."""
        parts = (
            b'Content-Disposition: form-data; name="csrf_token"\r\n\r\n' + self.token.encode(),
            b'Content-Disposition: form-data; name="file"; filename="staff.csv"\r\n'
            b"Content-Type: text/csv\r\n\r\n" + data,
        )
        body = b"".join(b"--part\r\n" + part + b"\r\n" for part in parts) + b"--part--\r\n"
        return self.client.post(
            "/people/files",
            input_stream=io.BytesIO(body),
            content_length=len(body),
            content_type="multipart/form-data; boundary=part",
            base_url=HTTPS,
        )

    def apply(self, preview: str, *ticked: int) -> Any:
        shown = re.search(r'name="shown" value="(\w+)"', self.get(preview))
        assert shown
        return self.post(preview, shown=shown[1], same=[str(line) for line in ticked])

    def import_(self, text: str, *ticked: int) -> str:
        preview = self.bring(text)
        reply = self.apply(preview, *ticked)
        assert (reply.status_code, reply.location) == (303, f"{preview}/result")
        return preview

    def people(self) -> dict[str, Membership]:
        with self.database.reading() as session:
            rows = session.execute(
                select(Person, Membership)
                .join(Membership, Membership.person_id == Person.id)
                .where(Membership.school_id == GLENMERE, Person.one_with.is_(None))
            )
            return {person.name: member for person, member in rows}

    def kinds(self) -> list[str]:
        with self.database.reading() as session:
            assert ledger.verify(session, school_id=GLENMERE)[1] is None
            order = LedgerEntry.sequence
            return list(session.scalars(select(LedgerEntry.kind).order_by(order)))[1:]

    def count(self, table: type) -> int:
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def office(app: Flask, database: Database) -> Office:
    return Office(app, database)


def test_nothing_happens_before_the_button_and_all_of_it_after(office: Office) -> None:
    preview = office.bring(
        HEAD + "Amara Osei,amara@school.example,teaching,North,1/9/2026,0012,\r\n"
        "Beth Pugh,,astronaut,,,,\r\n"
    )
    page = office.get(preview)
    assert "Nothing has happened yet" in page
    assert "Line 3" in page
    assert "“astronaut” is none of the role groups." in page
    assert "1 person of your school is not in the file" in page
    assert set(office.people()) == {"Head"}
    assert office.apply(preview).status_code == 303
    member = office.people()["Amara Osei"]
    assert (member.role_group, member.site, member.payroll_number) == ("teaching", "North", "0012")
    assert (member.starts_on, member.confirmed_at) == (date(2026, 9, 1), NOW)
    assert office.people()["Head"].role_group == ""
    assert office.kinds() == ["person-imported", "people-imported"]
    result = office.get(preview + "/result")
    assert "Amara Osei" in result
    assert "Undo this file" in result
    with office.database.reading() as session:
        (kept,) = session.scalars(select(StaffImport))
        assert (kept.content, kept.added, kept.left_out) == (None, 1, 1)


def test_the_second_time_changes_field_by_field(office: Office) -> None:
    office.import_(
        HEAD + "Amara Osei,,support,North,1/9/2026,12,\r\nBeth Pugh,b@x.example,,,,,\r\n"
    )
    preview = office.bring(
        HEAD + "Amara Osei,,teaching,,,0012,31/8/2027\r\nBeth Pugh,B@x.example,,,,,\r\n"
    )
    page = office.get(preview)
    assert "Role group: Support staff → Teaching staff" in page
    assert "Leaving date: empty → 31 August 2027" in page
    assert "1 person is unchanged" in page
    office.apply(preview)
    member = office.people()["Amara Osei"]
    assert (member.role_group, member.site, member.payroll_number) == ("teaching", "North", "12")
    assert member.ends_on == date(2027, 8, 31)
    assert set(office.people()) == {"Head", "Amara Osei", "Beth Pugh"}


def test_an_equal_address_is_joined_only_where_it_was_ticked(office: Office) -> None:
    moodle = arrive(office.database, "Amara O", GLENMERE, email="amara@school.example")
    text = HEAD + "Amara Osei,Amara@school.example,teaching,,,7,\r\n"
    preview = office.bring(text)
    assert "Somebody at your school already has this e-mail address" in office.get(preview)
    office.apply(preview)
    assert set(office.people()) == {"Head", "Amara O", "Amara Osei"}
    office.post(preview + "/undo")
    assert set(office.people()) == {"Head", "Amara O"}
    office.import_(text, 2)
    member = office.people()["Amara O"]  # the platform's own name stays
    assert (member.person_id, member.payroll_number) == (moodle.person_id, "7")
    assert member.confirmed_at is not None
    assert set(office.people()) == {"Head", "Amara O"}


def test_a_ticked_line_without_a_number_is_known_again(office: Office) -> None:
    arrive(office.database, "Amara O", GLENMERE, email="amara@school.example", counted=True)
    text = HEAD + "Amara Osei,amara@school.example,,,,,\r\n"
    office.import_(text, 2)
    assert "1 person is unchanged" in office.get(office.bring(text))


def test_what_has_changed_since_it_was_shown_is_shown_again_first(office: Office) -> None:
    preview = office.bring(HEAD + "Amara Osei,,,,,,\r\n")
    shown = re.search(r'name="shown" value="(\w+)"', office.get(preview))
    assert shown
    arrive(office.database, "Somebody Else", GLENMERE)
    reply = office.post(preview, shown=shown[1])
    assert reply.status_code == 409
    assert "have changed since you looked" in reply.text
    assert "Amara Osei" not in office.people()
    assert office.apply(preview).status_code == 303


def test_a_file_is_applied_once_and_put_aside_for_good(office: Office) -> None:
    preview = office.import_(HEAD + "Amara Osei,,,,,,\r\n")
    assert office.client.get(preview, base_url=HTTPS).status_code == 404
    again = office.bring(HEAD + "Beth Pugh,,,,,,\r\n")
    office.post(again + "/put-aside")
    assert office.client.get(again, base_url=HTTPS).status_code == 404
    assert "Beth Pugh" not in office.people()
    with office.database.reading() as session:
        assert session.scalars(select(StaffImport.content)).all() == [None, None]


def test_a_newer_file_takes_the_place_of_one_that_waits(office: Office) -> None:
    first = office.bring(HEAD + "Amara Osei,,,,,,\r\n")
    office.bring(HEAD + "Beth Pugh,,,,,,\r\n")
    assert office.client.get(first, base_url=HTTPS).status_code == 404


def test_what_waits_too_long_is_erased(office: Office) -> None:
    office.bring(HEAD + "Amara Osei,,,,,,\r\n")
    for moment, kept in ((NOW + importing.KEPT_FOR, 1), (NOW + timedelta(hours=9), 0)):
        tasks.erase_waiting(office.database, SetClock(moment))
        with office.database.reading() as session:
            waiting = select(StaffImport).where(StaffImport.content.is_not(None))
            assert len(session.scalars(waiting).all()) == kept


def test_undoing_takes_out_the_added_and_puts_back_the_changed(office: Office) -> None:
    office.import_(HEAD + "Amara Osei,,support,,,12,\r\n")
    preview = office.import_(
        HEAD + "Amara Osei,,teaching,North,1/9/2026,12,\r\nBeth Pugh,b@x.example,,,,,\r\n"
    )
    beth = office.people()["Beth Pugh"].person_id
    with office.database.transaction() as session:  # corrected by hand since: it stands
        session.get_one(Membership, office.people()["Amara Osei"].id).site = "South"
    reply = office.post(preview + "/undo")
    assert reply.status_code == 303
    member = office.people()["Amara Osei"]
    assert (member.role_group, member.site, member.starts_on) == ("support", "South", None)
    assert set(office.people()) == {"Head", "Amara Osei"}
    with office.database.reading() as session:
        gone = session.get_one(Person, beth)
        assert (gone.name, gone.email) == ("", "")
        assert not session.scalars(select(Identity).where(Identity.realm.like("file:%"))).all()
        left = select(Obligation.outcome).where(Obligation.person_id == beth)
        assert set(session.scalars(left)) <= {"withdrawn"}
    assert office.kinds()[-3:] == ["person-import-undone"] * 2 + ["people-import-undone"]
    assert office.post(preview + "/undo").status_code == 409
    office.import_(HEAD + "Beth Pugh,b@x.example,,,,,\r\n")
    assert "Beth Pugh" in office.people()


def guest_of(person_id: UUID) -> Guest:
    class Somebody:
        def __init__(self) -> None:
            self.person_id, self.school_id = person_id, GLENMERE

    return Somebody()  # type: ignore[return-value]


@pytest.mark.parametrize("how", ["added", "changed", "joined"])
def test_nothing_is_undone_once_somebody_has_learned_under_it(
    office: Office, clock: SetClock, how: str
) -> None:
    office.import_(HEAD + "Amara Osei,,,,,12,\r\n")
    preview = office.import_(HEAD + "Amara Osei,,teaching,,,12,\r\nBeth Pugh,,,,,13,\r\n")
    who = office.people()["Amara Osei" if how == "changed" else "Beth Pugh"].person_id
    if how == "joined":
        moodle = arrive(office.database, "Beth", GLENMERE)
        with office.database.transaction() as session:
            joins.join(
                session, root_id=moodle.person_id, joined_id=who, school_id=GLENMERE, now=NOW
            )
        start_training(office.database, moodle)
    else:
        start_training(office.database, guest_of(who))
    assert "can no longer be undone" in office.get(preview + "/result")
    before = office.people().keys()
    reply = office.post(preview + "/undo")
    assert reply.status_code == 409
    assert "Correct what is wrong person by person" in reply.text
    assert office.people().keys() == before


def test_learning_before_a_change_does_not_hinder_its_undoing(
    office: Office, clock: SetClock
) -> None:
    office.import_(HEAD + "Amara Osei,,,,,12,\r\n")
    complete(office.database, guest_of(office.people()["Amara Osei"].person_id))
    clock.move(minutes=1)
    preview = office.import_(HEAD + "Amara Osei,,teaching,,,12,\r\n")
    assert office.post(preview + "/undo").status_code == 303
    assert office.people()["Amara Osei"].role_group == ""


def test_undoing_takes_apart_whom_it_added_and_joined(office: Office) -> None:
    preview = office.import_(HEAD + "Beth Pugh,,teaching,,,13,\r\n")
    filed = office.people()["Beth Pugh"].person_id
    moodle = arrive(office.database, "Beth", GLENMERE)
    with office.database.transaction() as session:
        joins.join(session, root_id=moodle.person_id, joined_id=filed, school_id=GLENMERE, now=NOW)
    assert office.people()["Beth"].payroll_number == "13"
    assert office.post(preview + "/undo").status_code == 303
    member = office.people()["Beth"]
    assert (member.payroll_number, member.confirmed_at, member.role_group) == ("", None, "")


def test_nothing_is_done_where_something_fails(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = office.bring(HEAD + "Amara Osei,,,,,,\r\nBeth Pugh,,,,,,\r\n")
    calls: list[int] = []

    def fail(*_: Any, **__: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("the power went")

    monkeypatch.setattr(importing, "record", fail)
    assert office.apply(preview).status_code == 500
    assert set(office.people()) == {"Head"}
    assert office.count(StaffImportChange) == 0
    monkeypatch.undo()
    assert office.apply(preview).status_code == 303
    assert set(office.people()) == {"Head", "Amara Osei", "Beth Pugh"}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04 a workbook", "In Excel choose File, Save as"),
        (b"", "Nobody is in this file"),
        (b"a,b\r\n1,2\r\n", "None of the first lines has a heading"),
        (b"name,staff name\r\na,b\r\n", "mean the same to us: name, staff name"),
    ],
)
def test_a_file_that_is_none_is_refused_beside_its_field(
    office: Office, data: bytes, words: str
) -> None:
    reply = office.send(data)
    assert reply.status_code == 400
    assert words in reply.text
    assert office.count(StaffImport) == 0


def test_no_file_at_all_and_one_that_is_too_large(office: Office) -> None:
    assert "No file was chosen" in office.post("/people/files").text
    big = HEAD.encode() + b"x" * (5 * 1024 * 1024)
    assert office.send(big).status_code == 413


def test_a_long_list_is_taken_in_and_out_again(office: Office) -> None:
    """Larger than any other form may be."""
    lines = "".join(f"Person {n},person{n}@school.example,teaching,North,1/9/2026,{n:06},\r\n"
                    for n in range(1, 521))  # fmt: skip
    padded = (HEAD + lines).encode("utf-16") + "\r\n".encode("utf-16-le") * 60_000
    assert len(padded) > 256 * 1024
    preview = office.bring(padded)
    assert "And 20 more of the same kind" in office.get(preview)
    office.apply(preview)
    assert len(office.people()) == 521
    office.post(preview + "/undo")
    assert set(office.people()) == {"Head"}


def test_another_school_sees_nothing_of_it(office: Office, app: Flask, database: Database) -> None:
    preview = office.bring(HEAD + "Amara Osei,,,,,,\r\n")
    other = make_manager(database, arrive(database, "Other"))
    client = browser(app, other)
    for path in (preview, preview + "/result"):
        assert client.get(path, base_url=HTTPS).status_code == 404
    form = {"csrf_token": csrf(app, other.admission.visit_id), "shown": "0" * 64}
    for path in (preview, preview + "/undo"):
        assert client.post(path, data=form, base_url=HTTPS).status_code == 404
    client.post(preview + "/put-aside", data=form, base_url=HTTPS)
    office.get(preview)


def test_a_cell_is_shown_as_text_and_never_as_markup_or_formula(office: Office) -> None:
    page = office.get(office.bring(
        HEAD + "<b>Amara</b> Osei,,,,,,\r\n=HYPERLINK(\"\"x\"\"),,,,,,\r\nBeth,<i>,,,,,\r\n"
    ))  # fmt: skip
    assert "<b>Amara" not in page
    assert "&lt;b&gt;Amara" in page
    assert "is a formula. It was not worked out" in page
