"""What every file a manager takes has: cells that are no formulas, and a record that it was taken.

CSV files are UTF-8 with a byte order mark and CRLF (RFC 4180), with every cell quoted.
"""

import csv
import io
import logging
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import ToolError
from lti_tool.evidence.checkpoints import making as checkpoints
from lti_tool.evidence.checkpoints.keys import EvidenceKeys

log = logging.getLogger(__name__)

BYTE_ORDER_MARK: Final = "\ufeff"
STARTS_A_FORMULA: Final = frozenset("=+-@\N{MINUS SIGN}")


def safe_cell(text: str) -> str:
    """``text``, with an apostrophe before it where a spreadsheet might read a formula.

    Spreadsheets skip what cannot be seen before the sign, and some read full-width and other
    variants of it, so the first visible character counts, in its compatibility form
    (OWASP, “CSV Injection”).
    """
    visible = next((sign for sign in text if sign.isprintable() and not sign.isspace()), "")
    if visible.isascii() and visible.isalnum():
        return text if text[0].isprintable() else f"'{text}"
    is_formula = unicodedata.normalize("NFKC", visible)[:1] in STARTS_A_FORMULA
    return f"'{text}" if text and (is_formula or not text[0].isprintable()) else text


def note(
    session: Session,
    *,
    school_id: str,
    person_id: UUID,
    what: str,
    filters: Mapping[str, str],
    now: datetime,
    **more: ledger.Value,
) -> UUID:
    """Record in the ledger that a manager takes this export; returns the record's id.

    What was searched for may be a name, so only that there was a search is kept. ``more``: what
    else is known of it, for instance how many rows it has.
    """
    shown: dict[str, ledger.Value] = {**filters}
    if "q" in shown:
        shown["searched"] = 1 if shown.pop("q") else 0
    return ledger.append(
        session,
        school_id=school_id,
        kind="export",
        facts={"what": what, "filters": shown, **more},
        person_id=person_id,
        personal={"actor": str(person_id)},
        now=now,
    )


def recorded(
    pieces: Iterator[bytes],
    facts: Callable[[], Mapping[str, ledger.Value]],
    *,
    school_id: str,
    database: Database,
    keys: EvidenceKeys,
    clock: Clock,
) -> Iterator[bytes]:
    """The pieces of an export; before its last byte is handed over the file is recorded with its
    SHA-256, and signed for. So nobody has a whole file that is on no record, and a download that
    was broken off has no such entry."""
    digest, size, last = sha256(), 0, b""
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
        if piece:
            yield last + piece[:-1]
            last = piece[-1:]
    with database.transaction() as session:
        said = {**facts(), "bytes": size, "sha256": digest.hexdigest()}
        ledger.append(session, school_id=school_id, kind="export-made", facts=said, now=clock())
    try:
        checkpoints.make(database, keys, school_id=school_id, why="export", now=clock())
    except ToolError as fault:
        log.error("no checkpoint was signed", extra={"school": school_id, "why": fault.log})
    yield last


def csv_rows(rows: Iterable[Sequence[str]]) -> str:
    """Rows of the file; every cell quoted, and none a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return text.getvalue()
