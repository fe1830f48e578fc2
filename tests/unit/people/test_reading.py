"""Staff files as Excel saves them and as hands type them."""

import csv
import io
import time
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.core.errors import ToolError
from lti_tool.people.imports import columns
from lti_tool.people.imports.columns import CellError, number_key
from lti_tool.people.imports.reading import LARGEST, MOST_ROWS, StaffRow, read_staff_file

FULL = "name,email,role group,site,start date,payroll number,leaving date\r\n"
AMARA = "Amara Osei,amara@school.example,teaching,North,01/09/2026,0012,\r\n"
EXPECTED = StaffRow(
    2, "Amara Osei", "amara@school.example", "teaching", "North", date(2026, 9, 1), "0012"
)
SITES = ("North", "South")


def read(text: str | bytes, sites: tuple[str, ...] = SITES) -> Any:
    return read_staff_file(text.encode() if isinstance(text, str) else text, sites=sites)


def faults(text: str) -> list[tuple[int, str]]:
    return [(one.line, one.code) for one in read(text).faults]


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.encode("cp1252"),
        lambda text: b"\xef\xbb\xbf" + text.replace("\r\n", "\n").encode(),
        lambda text: text.replace("\r\n", "\r").encode(),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_encodings_and_delimiters_of_excel(encode: Any, delimiter: str) -> None:
    text = (FULL + AMARA + "Zoë Llŷr’s,,,,,,\r\n").replace(",", delimiter).replace("ŷ", "y")
    found = read(encode(text))
    assert found.rows[0] == EXPECTED
    assert found.rows[1].name == "Zoë Llyr’s"
    assert (found.faults, found.unread) == ((), ())


def test_a_file_on_disk_as_the_csv_writer_of_excel_makes_it(tmp_path: Path) -> None:
    path = tmp_path / "staff.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, dialect="excel")
        writer.writerow(["Employee Number", "Surname", "Forename", "Work E-mail", "Start Date"])
        writer.writerow(["0012", "Osei", "Amara", "amara@school.example", "01-Sep-26"])
        writer.writerow(["0013", "O'Neil, Jr", "Cai\nRhys", "", "46266"])
    found = read(path.read_bytes())
    assert [(row.line, row.name, row.payroll_number, row.starts_on) for row in found.rows] == [
        (2, "Amara Osei", "0012", date(2026, 9, 1)),
        (3, "Cai Rhys O'Neil Jr", "0013", date(2026, 9, 1)),
    ]


def test_headings_in_any_order_and_spelling_below_a_title_and_unknown_columns() -> None:
    text = (
        "Staff of Glenmere;;;;\r\n\r\nSTAFF_NO;Date of Birth;Leaving Date:;Role;Full Name\r\n"
        "7;1/1/1980;31.8.2027;Teaching Assistant;Osei, Amara\r\n"
    )
    found = read(text)
    row = StaffRow(4, "Amara Osei", role_group="support", payroll_number="7",
                   ends_on=date(2027, 8, 31))  # fmt: skip
    assert found.rows == (row,)
    assert found.unread == ("Date of Birth",)


def test_a_school_without_sites_reads_no_column_of_sites() -> None:
    found = read(FULL + AMARA, ())
    assert found.rows[0].site == ""
    assert found.unread == ("site",)


def test_blank_lines_and_rows_of_commas_are_passed_over_and_lines_counted() -> None:
    found = read(FULL + "\r\n,,,,,,\r\n" + AMARA)
    assert [row.line for row in found.rows] == [4]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1/9/2026", "2026-09-01"), ("01-09-26", "2026-09-01"), ("1.9.2026", "2026-09-01"),
        ("2026-09-01", "2026-09-01"), ("2026-09-01 00:00:00", "2026-09-01"),
        ("2026-09-01T00:00:00Z", "2026-09-01"), ("1 September 2026", "2026-09-01"),
        ("1st Sept 2026", "2026-09-01"), ("Tuesday, 1 September 2026", "2026-09-01"),
        ("01-Sep-26", "2026-09-01"), ("46266", "2026-09-01"), ("46266.0", "2026-09-01"),
        ("1/9/98", "1998-09-01"), ("29/2/2028", "2028-02-29"), ("01/09/2026 00:00", "2026-09-01"),
    ],
)  # fmt: skip
def test_days_as_people_and_spreadsheets_write_them(text: str, day: str) -> None:
    assert columns.read_date(text) == date.fromisoformat(day)


@pytest.mark.parametrize(
    "text", ["31/2/2026", "09/23/2026", "29/2/2027", "soon", "2026", "1/9", "0/0/0", "1/9/1066"]
)
def test_no_day_is_guessed(text: str) -> None:
    with pytest.raises(CellError, match="date"):
        columns.read_date(text)


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (",a@b.example,,,,,", "name-missing"),
        ("42,,,,,,", "name-missing"),
        ("=cmd|' /C calc'!A0,,,,,,", "formula"),
        ("+44 1632 960000,,,,,,", "formula"),
        ("@SUM(A1),,,,,,", "formula"),
        ("Amara Osei,,,,,=1+1,", "formula"),
        ("x" * 300 + ",,,,,,", "too-long"),
        ("Amara Osei,not an address,,,,,", "email"),
        ("Amara Osei,a@b,,,,,", "email"),
        ("Amara Osei,=A1,,,,,", "email"),
        ("Amara Osei,,astronaut,,,,", "role-group"),
        ("Amara Osei,,,East,,,", "site"),
        ("Amara Osei,,,,32/9/2026,,", "date"),
        ("Amara Osei,,,,########,,", "too-narrow"),
        ("Amara Osei,,,,#REF!,,", "excel-fault"),
        ("Amara Osei,,,,,1.23457E+11,", "number-shortened"),
        ("Amara Osei,,,,,1,,,,x", "too-many-cells"),
        ("Amara Osei,,,,2/9/2026,,1/9/2026", "ends-before-it-starts"),
        ('"Amara Osei,,,,,,', "quotes"),
        ('"Amara" Osei,,,,,,', "quotes"),
    ],
)
def test_a_bad_line_is_reported_and_the_others_are_read(cells: str, code: str) -> None:
    text = FULL + AMARA + cells + "\r\nBeth Pugh,,,,,,\r\n"
    assert faults(text) == [(3, code)]
    assert [row.line for row in read(text).rows] == [2, 4]


def test_every_fault_of_every_line_is_said_not_the_first_alone() -> None:
    text = FULL + "".join("Amara Osei,x,astronaut,,soon,,\r\n" for _ in range(50))
    assert len(faults(text)) == 150


def test_two_lines_of_one_number_or_one_person_are_both_left_out() -> None:
    text = FULL + "A B,,,,,0012,\r\nC D,,,,,12,\r\nE F,e@f.example,,,,,\r\ne f,E@f.example,,,,,\r\n"
    found = read(text)
    assert [(one.line, one.code, one.cell) for one in found.faults] == [
        (2, "number-twice", "3"), (3, "number-twice", "2"),
        (4, "person-twice", "5"), (5, "person-twice", "4"),
    ]  # fmt: skip
    assert found.rows == ()


def test_what_excel_puts_around_a_number() -> None:
    text = FULL + 'A B,,,,,"=""0012""",\r\nC D,,,,,\'0013,\r\nE F,,,,,14.0,\r\nG H,,,,,n/a,\r\n'
    assert [row.payroll_number for row in read(text).rows] == ["0012", "0013", "14", ""]
    assert number_key("0012") == number_key("12") != number_key("A12")
    assert number_key("000") == "000"


def workbook() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file-empty"), (b"\xef\xbb\xbf \r\n", "file-empty"), (FULL.encode(), "file-empty"),
        (workbook(), "file-workbook"), (b"\xd0\xcf\x11\xe0" + bytes(100), "file-workbook"),
        (b"%PDF-1.7 name,email", "file-not-text"), (b"\x1f\x8b\x08", "file-not-text"),
        (b"name\n" + bytes(range(256)), "file-not-text"), (b"\xff\xfe\x00", "file-not-text"),
        (b"Amara Osei,amara@school.example\r\n", "file-without-header"),
        (b"name,staff name\r\nA B,C D\r\n", "file-columns-twice"),
        (b"x" * (LARGEST + 1), "file-too-large"),
        (b"name\n" + b"A B\n" * (MOST_ROWS + 2), "file-too-long"),
    ],
)  # fmt: skip
def test_what_is_no_staff_file_is_refused_in_a_word(data: bytes, code: str) -> None:
    with pytest.raises(ToolError) as refused:
        read(data)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("many", "code"),
    [
        (b"\n", "file-empty"), (b",", "file-empty"), (b",,\r\n", "file-empty"),
        (b"'\n", "file-too-long"), (b"\"'\",", ""), (b"'," * 900 + b"\n", ""),
    ],
)  # fmt: skip
def test_a_file_of_nothing_but_signs_takes_no_square_of_its_length(many: bytes, code: str) -> None:
    began = time.process_time()
    data = b"name,email\n" + many * ((LARGEST - 20) // len(many))
    if code:
        with pytest.raises(ToolError) as refused:
            read(data)
        assert refused.value.code == code
    else:
        assert {fault.code for fault in read(data).faults} == {"too-many-cells"}
    assert time.process_time() - began < 60, "and not the hours of every sign with every other"


@given(st.binary(max_size=300))
def test_no_bytes_break_it(data: bytes) -> None:
    for start in (b"", FULL.encode(), b"\xff\xfe", b"name\t\xff"):
        try:
            found = read(start + data)
        except ToolError:
            continue
        assert found.rows or found.faults


CELLS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=20
)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=6), st.sampled_from(",;\t"))
def test_every_line_is_read_or_reported_and_nobody_is_made_up(
    rows: list[tuple[str, str, str]], delimiter: str
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("name", "email", "payroll number"), *rows, ("Last One", "", "")])
    found = read(text.getvalue())
    assert len(found.rows) <= len(rows) + 1
    for row in found.rows:
        assert row.name[0] not in "=+-@"
        assert row.name.isprintable()
        assert row.payroll_number[:1] not in tuple("=+-@")
    # Quotation marks that the writer closed are closed: only rows of many lines are not read.
    last = [row.name for row in found.rows] + [one.code for one in found.faults]
    assert "Last One" in last or "person-twice" in last
