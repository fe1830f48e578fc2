"""What is in a pack made from real records: true to them, and for its audience alone."""

import csv
import io
import json
from datetime import date
from fnmatch import fnmatch
from typing import Any

import openpyxl
import pytest
from flask import Flask

from lti_tool.core.database import Database
from lti_tool.evidence.packs import making
from lti_tool.evidence.packs.tasks import maker_of
from lti_tool.evidence.proof.check import check
from lti_tool.evidence.proof.report import said
from lti_tool.evidence.proof.statements import shown_fingerprint
from lti_tool.people.models import Membership
from tests.factories.packs import declare, erase, facts_of, files, made, member, open_cycle, staffed
from tests.factories.registers import GLENMERE, HEMSWELL, arrive, make_manager


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_managers_see_names_states_and_what_binds_them_to_the_ledger(
    app: Flask, database: Database
) -> None:
    head = staffed(database)
    declare(database, arrive(database, "Not Counted"))
    data = made(app, head)
    found, report = files(data), check(data)
    assert (report.verdict, list(report.findings)) == ("origin-not-shown", [])
    assert list(found) == [
        *("report.pdf", "counts.csv", "people.csv", "workbook.xlsx", "entries.jsonl"),
        *("checkpoints.json", "how-to-check.txt", "verify.html", "manifest.json"),
        "signature.json",
    ]
    heads, *people = rows(found["people.csv"])
    by_name = {row[2]: dict(zip(heads, row, strict=True)) for row in people}
    assert {name: row["State"] for name, row in by_name.items()} == {
        "'=Away & Co <b>": "Paused",
        "Helen Head": "Due",
        "Ivy Inprogress": "In progress",
        **{f"Person {number}": "Done" for number in range(6)},
        "Not Counted": "Done",
    }
    assert by_name["Not Counted"]["Asked"] == "No"
    assert by_name["Person 0"]["Declared on"] == "2026-09-03"
    heads, row = rows(found["counts.csv"])
    counted = dict(zip(heads, row, strict=True))
    assert (counted["People asked"], counted["Done"], counted["Paused"]) == ("9", "6", "1")
    assert counted["Records in the ledger"] == "7"
    assert b"choice" not in b"".join(
        json.dumps(json.loads(line).get("disclosed", {})).encode()
        for line in found["entries.jsonl"].splitlines()
    )


def test_the_workbook_has_types_a_fixed_head_and_definitions(
    app: Flask, database: Database
) -> None:
    data = files(made(app, staffed(database)))["workbook.xlsx"]
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book.sheetnames == ["Counts", "People", "Definitions"]
    people: Any = book["People"]
    assert people.freeze_panes == "A2"
    heads = [cell.value for cell in people[1]]
    done = next(row for row in people.iter_rows(min_row=2) if row[2].value == "Person 0")
    value = {head: cell.value for head, cell in zip(heads, done, strict=True)}
    assert (value["Row"], value["Score in per cent"]) == (4, 90)
    assert value["Due on"].date() == date(2026, 11, 30)
    away = next(row for row in people.iter_rows(min_row=2) if row[2].value == "=Away & Co <b>")
    assert away[2].data_type == "s"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_guide_names_every_file_and_the_key(app: Flask, database: Database) -> None:
    data = made(app, staffed(database, number=1))
    found, said = files(data), files(data)["how-to-check.txt"].decode()
    listed = said.partition("What each file is:\n")[2].split("\n\n")[0].splitlines()
    names = [one.split(":")[0].strip() for one in listed]
    assert all(any(fnmatch(name, one) for one in names) for name in {*found} - {"how-to-check.txt"})
    assert all(any(fnmatch(name, one) for name in found) for one in names)
    assert shown_fingerprint(check(data).fingerprint) in said
    for words in (
        "How to check this pack",
        "a pack never vouches for itself",
        "Compare it with where the school publishes it, not with this file.",
        "clauseway evidence verify pack.zip --code CODE",
        "python -m lti_tool.evidence.proof pack.zip --key FINGERPRINT",
        "SHA-256(0x00 ‖ SHA-256(its text))",
    ):
        assert words in said


def test_governors_get_counts_and_sealed_records(app: Flask, database: Database) -> None:
    found = files(made(app, staffed(database), audience="governors"))
    assert "people.csv" not in found
    whole = b"".join(content for name, content in found.items() if name != "report.pdf")
    for name in (b"Person 0", b"Helen", b"Signed Name", b"printed_name", b"role_group"):
        assert name not in whole.replace(found["verify.html"], b"")
    lines = [json.loads(line) for line in found["entries.jsonl"].splitlines()]
    assert [sorted(line) for line in lines[:6]] == [["hash", "path", "school", "sequence"]] * 6
    assert "pack-asked" in lines[6]["entry"]
    book = openpyxl.load_workbook(io.BytesIO(found["workbook.xlsx"]))
    assert book.sheetnames == ["Counts", "Definitions"]


def test_an_inspector_gets_dates_and_versions_without_names(app: Flask, database: Database) -> None:
    found = files(made(app, staffed(database), audience="inspector"))
    heads, *records = rows(found["records.csv"])
    assert heads == [
        *("Row", "School", "Training", "State", "Declared on", "Method", "Policy version"),
        *("Record of", "Entry", "Record"),
    ]
    assert len(records) == 6
    whole = b"".join(content for name, content in found.items() if name != "report.pdf")
    for name in (b"Person 0", b"Helen", b"Signed Name"):
        assert name not in whole
    assert not any("disclosed" in json.loads(line) for line in found["entries.jsonl"].splitlines())


def test_a_trust_has_one_pack_and_a_checkpoint_for_each_school(
    app: Flask, database: Database
) -> None:
    head = staffed(database)
    staffed(database, GLENMERE, number=2)
    data = made(app, head, audience="managers", schools=[HEMSWELL, GLENMERE])
    report = check(data)
    assert (report.verdict, list(report.findings)) == ("origin-not-shown", [])
    for code in report.codes.values():
        assert check(data, code=code).verdict == "genuine"
    assert set(report.codes) == {HEMSWELL, GLENMERE}
    assert len(rows(files(data)["counts.csv"])) == 3
    for school_id in (HEMSWELL, GLENMERE):
        assert facts_of(database, "pack-asked", school_id)[0]["schools"] == [GLENMERE, HEMSWELL]


def test_people_who_left_and_people_who_were_erased(app: Flask, database: Database) -> None:
    head = staffed(database, number=1)
    left = member(database, "Left Early")
    maker = maker_of(app)
    with app.app_context():
        making._read(maker, maker.catalogue.schools[HEMSWELL], "2026-27")
    with database.transaction() as session:
        session.get_one(Membership, left.membership_id).ends_on = date(2026, 10, 1)
    erased = declare(database, arrive(database, "To Be Erased"))
    erase(database, HEMSWELL, erased)
    data = made(app, head)
    heads, *people = rows(files(data)["people.csv"])
    by_record = {row[-1]: dict(zip(heads, row, strict=True)) for row in people}
    assert by_record[str(erased)]["Name"] == ""
    assert by_record[str(erased)]["Declared on"] == "2026-09-03"
    report = check(data)
    assert (report.findings, report.erased) == ([], 1)
    assert "Erased under retention: the names of 1 records." in "\n".join(said(data)[0])
    by_name = {row[2]: dict(zip(heads, row, strict=True)) for row in people}
    assert by_name["Left Early"]["State"] == "Left incomplete"
    counted = dict(zip(*rows(files(data)["counts.csv"]), strict=True))
    assert (counted["People asked"], counted["Left incomplete"]) == ("4", "1")


def test_a_record_that_counts_for_another_cycle_comes_along(app: Flask, database: Database) -> None:
    open_cycle(database)
    head = make_manager(database, member(database, "Helen Head"))
    new = arrive(database, "New Starter", counted=True)
    with database.transaction() as session:
        row = session.get_one(Membership, new.membership_id)
        row.role_group, row.starts_on = "supply", date(2026, 9, 1)
    record = declare(database, new, module="induction")
    data = made(app, head)
    heads, *people = rows(files(data)["people.csv"])
    owed = {row[heads.index("Training")] + row[-1] for row in people if row[2] == "New Starter"}
    assert owed == {f"New starter training{record}", f"before-you-start{record}"}
    assert check(data).findings == []
