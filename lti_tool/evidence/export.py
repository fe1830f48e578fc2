"""The register as a CSV file that a spreadsheet opens as what it is: text, and no formulas.

UTF-8 with a byte order mark, CRLF (RFC 4180), every cell quoted, dates as ISO 8601.
"""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.evidence.register import Line
from lti_tool.evidence.words import (
    cycle_words,
    delivery_words,
    method_words,
)
from lti_tool.training.cycles.words import STATE_WORDS
from lti_tool.training.cycles.words import reason_words as due_words
from lti_tool.training.staff.words import ROLE_GROUP_WORDS
from lti_tool.ui.format import local

BYTE_ORDER_MARK: Final = "\ufeff"
STARTS_A_FORMULA: Final = frozenset("=+-@\N{MINUS SIGN}")


def safe_cell(text: str) -> str:
    """``text``, with an apostrophe before it where a spreadsheet might read a formula.

    Spreadsheets skip what cannot be seen before the sign, and some read full-width and other
    variants of it, so the first visible character counts, in its compatibility form
    (OWASP, “CSV Injection”).
    """
    visible = next((sign for sign in text if sign.isprintable() and not sign.isspace()), "")
    is_formula = unicodedata.normalize("NFKC", visible)[:1] in STARTS_A_FORMULA
    return f"'{text}" if text and (is_formula or not text[0].isprintable()) else text


def note(
    session: Session,
    *,
    school_id: str,
    person_id: UUID,
    what: str,
    filters: Mapping[str, str],
    rows: int,
    now: datetime,
) -> None:
    """Record in the ledger that a manager took this export.

    What was searched for may be a name, so only that there was a search is kept.
    """
    shown: dict[str, ledger.Value] = {**filters}
    if "q" in shown:
        shown["searched"] = 1 if shown.pop("q") else 0
    ledger.append(
        session,
        school_id=school_id,
        kind="export",
        facts={"what": what, "rows": rows, "filters": shown},
        person_id=person_id,
        personal={"actor": str(person_id)},
        now=now,
    )


def lines_of_csv(chunks: Iterable[Sequence[Line]], *, training: str, cycle: str) -> Iterator[bytes]:
    """The file in pieces, one for the head and one for each chunk of people."""
    yield (BYTE_ORDER_MARK + csv_rows([_head()])).encode()
    for chunk in chunks:
        yield csv_rows(_cells(line, training, cycle) for line in chunk).encode(errors="replace")


def _head() -> list[str]:
    return [
        _("Name"),
        _("Reference"),
        _("Role group"),
        _("Site"),
        _("Counted"),
        _("Left on"),
        _("Training"),
        _("School year"),
        _("State"),
        _("Due on"),
        _("Why then"),
        _("Score in per cent"),
        _("Declared on"),
        _("Declared how"),
        _("Policy version"),
        _("Score in the platform"),
        _("Record"),
    ]


def _cells(line: Line, training: str, cycle: str) -> list[str]:
    return [
        line.shown_name,
        line.reference,
        str(ROLE_GROUP_WORDS[line.role_group]),
        line.site,
        _("Yes") if line.standing == "counted" else _("No"),
        _left_on(line),
        training,
        cycle_words(cycle),
        str(STATE_WORDS[line.state]),
        line.due_on.isoformat() if line.due_on else "",
        due_words(line.due_reason) if line.due_on else "",
        "" if line.score is None else str(line.score),
        local(line.declared_at).date().isoformat() if line.declared_at else "",
        method_words(line),
        line.policy_number,
        delivery_words(line.delivery),
        str(line.record_id or ""),
    ]


def _left_on(line: Line) -> str:
    if line.left_at is not None:
        return local(line.left_at).date().isoformat()
    return line.ends_on.isoformat() if line.ends_on and line.standing == "left" else ""


def csv_rows(rows: Iterable[Sequence[str]]) -> str:
    """Rows of the file; every cell quoted, and none a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return text.getvalue()
