"""The report as a PDF that machines can read too: what pikepdf finds of PDF/UA-1 and PDF/A-2a.

No veraPDF is to be had here, so this looks at what the two standards ask for most.
"""

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pikepdf
import pytest
from flask import Flask

from lti_tool.app import ROOT
from lti_tool.curriculum.reading import read_catalogue
from lti_tool.evidence.checkpoints.models import Checkpoint
from lti_tool.evidence.packs import report
from lti_tool.evidence.packs.reading import Line
from lti_tool.evidence.review.agenda import Agenda, Point, Told
from lti_tool.evidence.review.models import ReviewDecision
from lti_tool.evidence.review.statistics import Figure
from lti_tool.evidence.typesetting import set_pdf
from lti_tool.policies.policy import Clause, ClauseKind
from lti_tool.ui import pages
from tests.factories.papers import text_of

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
CATALOGUE = read_catalogue(ROOT, None)
HEMSWELL, GLENMERE = "hemswell-cliff", "glenmere"


@pytest.fixture(scope="module")
def words() -> Iterator[None]:
    app = Flask(__name__)
    pages.install(app)
    with app.app_context():
        yield


def line(number: int, state: str = "done", school_id: str = HEMSWELL, **given: Any) -> Line:
    values: dict[str, Any] = {
        "school_id": school_id,
        "person_id": UUID(int=number),
        "name": f"Person {number}",
        "role_group": "teaching",
        "site": "",
        "module": "annual-refresh",
        "cycle": "2026-27",
        "state": state,
        "is_required": True,
        "due_on": date(2026, 10, 31),
        "entry": number,
    }
    return Line(**values | given)


def made(
    tmp_path: Any, lines: list[Line], *, audience: str = "managers", many: bool = False
) -> Any:
    path = tmp_path / "report.pdf"
    schools = (HEMSWELL, GLENMERE) if many else (HEMSWELL,)
    report.write(
        path,
        lines,
        audience=audience,
        cycle="2026-27",
        shown=[
            report.Shown(
                CATALOGUE.schools[one], CATALOGUE.schools[one].policy, Checkpoint(code="K7QM-4FXA")
            )
            for one in schools
        ],
        catalogue=CATALOGUE,
        key="ab" * 32,
        now=NOW,
    )
    return pikepdf.open(io.BytesIO(path.read_bytes()))


def tags(node: Any) -> Iterator[Any]:
    """Every structure element below a node."""
    children = node.get("/K", [])
    for child in children if isinstance(children, pikepdf.Array) else [children]:
        if isinstance(child, pikepdf.Dictionary) and "/S" in child:
            yield child
            yield from tags(child)


LINES = [
    *(line(number) for number in range(1, 8)),
    line(8, "overdue"),
    line(9, "paused", role_group="supply"),
]


@pytest.mark.usefixtures("words")
def test_it_is_tagged_titled_and_in_a_language(tmp_path: Any) -> None:
    pdf = made(tmp_path, LINES)
    root = pdf.Root
    assert root.MarkInfo.Marked
    assert str(root.Lang) == "en-GB"
    assert root.ViewerPreferences.DisplayDocTitle
    assert str(pdf.docinfo["/Title"]) == "Social media policy training 2026-27"
    with pdf.open_metadata() as xmp:
        assert xmp["dc:title"] == "Social media policy training 2026-27"
        assert (xmp["pdfaid:part"], xmp["pdfaid:conformance"]) == ("2", "A")
        assert xmp["pdfuaid:part"] == "1"
        assert xmp["dc:language"] == {"en-GB"} or "en-GB" in str(xmp["dc:language"])
    (intent,) = root.OutputIntents
    assert str(intent.S) == "/GTS_PDFA1"
    assert len(bytes(intent.DestOutputProfile.read_bytes())) > 100
    assert not pdf.is_encrypted


@pytest.mark.usefixtures("words")
def test_headings_tables_and_the_picture_are_told(tmp_path: Any) -> None:
    pdf = made(tmp_path, LINES)
    found = list(tags(pdf.Root.StructTreeRoot))
    kinds = Counter(str(one.S) for one in found)
    assert kinds["/H1"] == 1
    assert kinds["/H2"] >= 6
    figures = [one for one in found if str(one.S) == "/Figure"]
    (alt,) = (str(one.Alt) for one in figures if "/Alt" in one)
    assert "9 people asked: 7 done" in alt
    assert "1 overdue" in alt
    tables = [one for one in found if str(one.S) == "/Table"]
    assert len(tables) == 5
    for table in tables:
        heads = [one for one in tags(table) if str(one.S) == "/TH"]
        assert heads
        for head in heads:
            scopes = [one for one in _attributes(head) if "/Scope" in one]
            assert any(str(one.Scope) == "/Column" for one in scopes)
    for font in _fonts(pdf):
        assert "/ToUnicode" in font


@pytest.mark.usefixtures("words")
def test_the_paper_says_how_it_was_counted_of_whom_and_why_the_others_are_not_done(
    tmp_path: Any,
) -> None:
    lines = [
        *LINES,
        line(10, "due"),
        *(line(number, "in-progress") for number in (11, 12)),
        *(line(number, "left-incomplete") for number in (13, 14, 15)),
        *(line(number, "not-due") for number in range(16, 20)),
        line(20, is_required=False),
        line(1, "overdue", module="induction"),
    ]
    made(tmp_path, lines)
    said = text_of((tmp_path / "report.pdf").read_bytes())
    for words in (
        "6 of 12 people have done what was asked of them",
        "How this was counted Counted on 23 November 2026, 09:00, from the school’s own register",
        "whoever owes several trainings counts by the one that is furthest behind.",
        "The 12 people asked are those who owe a training in 2026-27 now, or have done it, people "
        "away from work among them.",
        "people who have left (3 left before finishing)",
        "people whose training has not opened yet (4)",
        "and people who opened the training but are not on the staff list.",
        "A training is done once its scenarios are passed and the declaration is signed.",
        # On one page, so with nothing between its rows.
        "Why the others are not done Reason People They have begun, and it is not due yet 2 "
        "It is open, not begun and not due yet 1 The due date has passed 2 "
        "They are away from work; their date moves with their return 1",
        "What the policy leaves open",
        "For the minutes Governors noted that on 23 November 2026, 6 of 12 people",
        "Open verify.html, which lies in this pack",
        "Type in the record check code from the minutes",
        "Key: abab abab",
    ):
        assert words in said


def _attributes(tag: Any) -> list[Any]:
    given = tag.get("/A", [])
    return list(given) if isinstance(given, pikepdf.Array) else [given]


def _fonts(pdf: Any) -> Iterator[Any]:
    for page in pdf.pages:
        yield from page.Resources.Font.values()


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize("name", ["李雷", "محمد علي", "Ann \N{PILE OF POO}", "\U000e0001x", "a\nb"])
def test_names_in_any_script_are_set(tmp_path: Any, name: str) -> None:
    assert len(made(tmp_path, [line(1, name=name)]).pages) >= 3


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize("audience", ["governors", "inspector"])
def test_a_trust_and_nobody_at_all_are_set(tmp_path: Any, audience: str) -> None:
    assert made(tmp_path, [], audience=audience).pages
    lines = [*LINES, *(line(number, "due", GLENMERE) for number in range(20, 24))]
    pdf = made(tmp_path, lines, audience=audience, many=True)
    (alt,) = (str(one.Alt) for one in tags(pdf.Root.StructTreeRoot) if "/Alt" in one)
    assert "Hemswell Cliff Primary School: 7 / 9" in alt


@pytest.mark.usefixtures("words")
def test_what_is_said_fits_the_audience() -> None:
    def data(audience: str) -> dict[str, Any]:
        shown = [report.Shown(CATALOGUE.schools[HEMSWELL], None, Checkpoint(code="K7QM-4FXA"))]
        return report._Report(LINES, audience, "2026-27", shown, CATALOGUE, "ab" * 32, NOW).data()

    governors, inspector, managers = (data(one) for one in ("governors", "inspector", "managers"))
    assert "Person 1" not in str(governors) + str(inspector)
    assert "Person 1" in str(managers["lists"])
    assert governors["big"] == "7 of 9"
    minutes = governors["minutes"]["text"]
    assert "on 23 November 2026, 7 of 9 people" in minutes
    assert "Record check code: K7QM-4FXA." in minutes
    groups = {one["heading"]: one for one in governors["tables"]}["By role group"]
    assert groups["rows"] == []
    assert "fewer than five" in groups["text"]
    assert {one["heading"]: one for one in managers["tables"]}["By role group"]["rows"]


@pytest.mark.usefixtures("words")
def test_the_same_lines_make_the_same_report(tmp_path: Any) -> None:
    first, second = (made(tmp_path / one, LINES) for one in _folders(tmp_path))
    assert len(first.pages) == len(second.pages)
    assert [page.Contents.read_bytes() for page in first.pages] == [
        page.Contents.read_bytes() for page in second.pages
    ]


def _folders(path: Any) -> Iterator[str]:
    for name in ("a", "b"):
        (path / name).mkdir()
        yield name


@pytest.mark.usefixtures("words")
def test_the_agenda_stands_in_the_report_and_what_is_undecided_in_the_minutes(
    tmp_path: Any,
) -> None:
    clause = Clause(
        "c1", "work", "Line 1", {"en": "Ask\nfirst."}, ClauseKind.CONDUCT, frozenset({"teaching"})
    )
    open_, decided = (
        Point("0" * 32, "wording-unclear", "The wording may be unclear", "4 of 10.", (clause,)),
        Point(
            "1" * 32,
            "silence-met",
            "People met a case",
            "Fewer than ten.",
            cases=("A pupil’s pseudonym appears.",),
            decision=ReviewDecision(decision="mend", mend_in="2027-09", decided_at=NOW),
        ),
    )
    told = Told("Photographs of pupils", Figure(10, 4, 6, None, None), "")
    school = CATALOGUE.schools[HEMSWELL]
    agenda = Agenda(school.policy, (open_, decided), (told,), ())
    shown = [report.Shown(school, school.policy, Checkpoint(code="K7QM-4FXA"), agenda)]
    of = report._Report(LINES, "governors", "2026-27", shown, CATALOGUE, "ab" * 32, NOW)
    data = of.data()
    assert "1 point in the policy needs a decision" in data["minutes"]["text"]
    assert [one["decision"] for one in data["points"]["list"]] == [
        "Not decided yet",
        "To be mended in version 2027-09 (23 November 2026)",
    ]
    assert data["points"]["list"][0]["clauses"] == [{"text": "Ask first.", "locator": "Line 1"}]
    (table,) = (one for one in data["tables"] if one["head"][0] == "Topic")
    # Wilson for 4 of 10: 16.8 to 68.7.
    assert table["rows"] == [["Photographs of pupils", "10", "40%", "16 to 69%", "6", "–"]]
    path = tmp_path / "report.pdf"
    path.write_bytes(set_pdf(report.SOURCE, data, NOW))
    pdf = pikepdf.open(path)
    kinds = Counter(str(one.S) for one in tags(pdf.Root.StructTreeRoot))
    assert kinds["/LI"] == 1  # the case that was met


def test_no_text_is_read_as_markup_of_the_report(tmp_path: Any, words: None) -> None:
    """Run, the first would stop the report; read as markup, so would the brackets and the rest."""
    evil = '#panic("run") #{ $x [ @nobody \\ *a _b `c <d> // /* #import "/etc/passwd"'
    school = replace(CATALOGUE.schools[HEMSWELL], name=evil)
    path = tmp_path / "report.pdf"
    report.write(
        path,
        [line(1, name=evil, site=evil), line(2, "overdue", name="#eval(1+1)")],
        audience="managers",
        cycle="2026-27",
        shown=[report.Shown(school, school.policy, Checkpoint(code="K7QM-4FXA"))],
        catalogue=replace(CATALOGUE, schools={HEMSWELL: school}),
        key="ab" * 32,
        now=NOW,
    )
    with pikepdf.open(path) as whole:
        assert len(whole.pages) > 1
