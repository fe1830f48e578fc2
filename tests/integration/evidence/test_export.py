"""The CSV export: whole, safe, small in memory, and itself on record."""

import csv
import io
import json
import tracemalloc
from datetime import datetime
from hashlib import sha256
from typing import Any

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import insert, select

from lti_tool.core.database import Database
from lti_tool.core.ids import new_id
from lti_tool.core.ledger import LedgerEntry
from lti_tool.evidence.checkpoints import making
from lti_tool.people.models import Membership, Person
from tests.factories.registers import (
    HEMSWELL,
    NOW,
    Guest,
    arrive,
    browser,
    complete,
    counting,
    make_manager,
)


@pytest.fixture
def head(database: Database) -> Guest:
    return make_manager(database, arrive(database, "Hedda Head", counted=True))


def exports(database: Database, kind: str = "export") -> list[dict[str, Any]]:
    with database.reading() as session:
        bodies = session.scalars(select(LedgerEntry.body).where(LedgerEntry.kind == kind))
        return [json.loads(body) for body in bodies]


def test_the_file_is_utf_8_with_a_mark_crlf_and_iso_dates(
    app: Flask, database: Database, head: Guest
) -> None:
    record_id = complete(database, arrive(database, "Siân Pugh", counted=True), score=90)
    response = browser(app, head).get("/register.csv?state=done", buffered=True)
    assert response.mimetype == "text/csv"
    assert response.headers["Content-Disposition"] == (
        "attachment; filename=register-hemswell-cliff-2026-11-23.csv"
    )
    assert response.data.startswith(b"\xef\xbb\xbf")
    assert response.data.count(b"\r\n") == 2
    rows = list(csv.DictReader(io.StringIO(response.data.decode("utf-8-sig"), newline="")))
    assert len(rows) == 1
    assert rows[0]["Name"] == "Siân Pugh"
    assert rows[0]["State"] == "Done"
    assert rows[0]["Score in per cent"] == "90"
    assert rows[0]["Declared on"] == "2026-11-23"
    assert rows[0]["Record"] == str(record_id)


def test_a_name_cannot_be_a_formula(app: Flask, database: Database, head: Guest) -> None:
    arrive(database, '=HYPERLINK("https://bad.example")', counted=True)
    text = browser(app, head).get("/register.csv", buffered=True).data.decode("utf-8-sig")
    names = [row["Name"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert '\'=HYPERLINK("https://bad.example")' in names


def test_an_export_is_on_record_with_its_filters_and_count_but_without_names(
    app: Flask, database: Database, head: Guest
) -> None:
    arrive(database, "Amara Osei", counted=True)
    query = "/register.csv?q=Amara&state=not-due"
    file = browser(app, head).get(query, buffered=True).data
    (entry,) = exports(database)
    assert entry["facts"] == {
        "what": "register.csv",
        "filters": {
            "module": "induction",
            "cycle": "2026-27",
            "state": "not-due",
            "role_group": "",
            "site": "",
            "people": "",
            "searched": 1,
        },
    }
    (made,) = exports(database, "export-made")
    assert made["facts"] == {
        "export": entry["record"],
        "rows": 1,
        "bytes": len(file),
        "sha256": sha256(file).hexdigest(),
    }
    assert "Amara" not in json.dumps([entry, made])
    with database.reading() as session:
        signed = making.latest(session, school_id=HEMSWELL)
    assert signed is not None
    assert (signed.why, signed.size) == ("export", made["sequence"])
    assert str(head.person_id) not in json.dumps(entry)


@pytest.mark.parametrize("query", ["state=not-started", "school=glenmere", "cycle=x", "module=x"])
def test_a_bad_filter_gives_a_page_and_no_file(
    app: Flask, database: Database, head: Guest, query: str
) -> None:
    response = browser(app, head).get(f"/register.csv?{query}", buffered=True)
    assert response.status_code == 400
    assert response.mimetype == "text/html"
    assert "Content-Disposition" not in response.headers
    assert exports(database) == []


def test_another_site_cannot_set_an_export_off(app: Flask, database: Database, head: Guest) -> None:
    client = browser(app, head)
    for site, status in (("cross-site", 400), ("same-site", 400), ("same-origin", 200)):
        response = client.get("/register.csv", headers={"Sec-Fetch-Site": site}, buffered=True)
        assert response.status_code == status
    assert len(exports(database)) == 1


def test_an_empty_export_is_a_head_alone(app: Flask, database: Database, head: Guest) -> None:
    response = browser(app, head).get("/register.csv?q=nobody", buffered=True)
    assert response.data.count(b"\r\n") == 1
    assert exports(database, "export-made")[0]["facts"]["rows"] == 0


def test_the_workbook_has_the_same_rows_with_typed_cells_and_says_what_they_mean(
    app: Flask, database: Database, head: Guest
) -> None:
    complete(database, arrive(database, "Siân Pugh", counted=True), score=90)
    arrive(database, "=1+1", counted=True)
    client = browser(app, head)
    response = client.get("/register.xlsx", buffered=True)
    assert str(response.mimetype).endswith("spreadsheetml.sheet")
    assert response.headers["Content-Disposition"].endswith("2026-11-23.xlsx")
    book: Any = openpyxl.load_workbook(io.BytesIO(response.data))
    sheet = book["Register"]
    assert (sheet.freeze_panes, book.sheetnames) == ("A2", ["Register", "Definitions"])
    heads = [cell.value for cell in sheet[1]]
    rows = {row[0].value: dict(zip(heads, row, strict=True)) for row in sheet.iter_rows(min_row=2)}
    done = rows["Siân Pugh"]
    declared_on = done["Declared on"]
    assert (done["Score in per cent"].value, declared_on.value) == (90, datetime(2026, 11, 23))  # noqa: DTZ001
    assert declared_on.is_date
    assert rows["=1+1"]["Name"].data_type == "s"
    text = client.get("/register.csv", buffered=True).data.decode("utf-8-sig")
    plain = [
        ["" if cell.value is None else str(cell.value).removesuffix(" 00:00:00") for cell in row]
        for row in sheet.iter_rows()
    ]
    assert [["'" + cell if cell[:1] == "=" else cell for cell in row] for row in plain] == list(
        csv.reader(io.StringIO(text, newline=""))
    )
    words = {cell.value for cell in book["Definitions"]["A"]}
    assert {"Counted", "Paused", "Record"} <= words


def test_the_workbook_of_a_filter_holds_what_the_filter_leaves(
    app: Flask, database: Database, head: Guest
) -> None:
    complete(database, arrive(database, "Siân Pugh", counted=True), score=90)
    arrive(database, "Amara Osei", counted=True)
    for query, names in (("state=done", ["Siân Pugh"]), ("q=amara", ["Amara Osei"]), ("q=no", [])):
        file = browser(app, head).get(f"/register.xlsx?{query}", buffered=True).data
        sheet: Any = openpyxl.load_workbook(io.BytesIO(file))["Register"]
        assert [row[0].value for row in sheet.iter_rows(min_row=2)] == names
    assert [one["facts"]["rows"] for one in exports(database, "export-made")] == [1, 1, 0]
    assert exports(database)[0]["facts"]["filters"]["state"] == "done"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_head_comes_before_the_database_is_asked(
    app: Flask, database: Database, head: Guest, kind: str
) -> None:
    """And a download that is broken off is on record as begun, not as made."""
    client = browser(app, head)
    with counting(database) as seen:
        response = client.get(f"/register.{kind}", buffered=False)
        pieces = response.iter_encoded()
        assert next(pieces)
        assert not any("ORDER BY membership" in one for one in seen)
        next(pieces)
        assert any("ORDER BY membership" in one for one in seen)
        response.close()
    assert len(exports(database)) == 1
    assert exports(database, "export-made") == []


@pytest.mark.no_cover
def test_memory_stays_flat_however_many_people_there_are(
    app: Flask, database: Database, head: Guest
) -> None:
    people = [
        {"id": new_id(), "name": f"Person {number}", "email": "", "created_at": NOW}
        for number in range(12_000)
    ]
    members = [
        {
            "id": new_id(),
            "school_id": HEMSWELL,
            "person_id": person["id"],
            "site": "",
            "role_group": "support",
            "created_at": NOW,
            "confirmed_at": NOW,
        }
        for person in people
    ]
    with database.transaction() as session:
        session.execute(insert(Person), people)
        session.execute(insert(Membership), members)
    client = browser(app, head)
    client.get("/register.csv?q=nobody", buffered=True)
    tracemalloc.start()
    response = client.get("/register.csv", buffered=False)
    rows = sum(piece.count(b"\n") for piece in response.iter_encoded())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    response.close()
    assert rows == 12_002
    assert peak < 4_000_000


def test_the_export_gives_its_connection_back(app: Flask, database: Database, head: Guest) -> None:
    client = browser(app, head)
    for _ in range(20):  # more than the pool holds
        client.get("/register.csv").close()
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
