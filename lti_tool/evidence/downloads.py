"""The register as a file of any length, CSV or XLSX: rows are read, worded and sent by the chunk.

What many people have alike (state, dates, reasons, platform) is worded once and kept; a row of
the file is that text with a name, a reference and a record's number put to it. Its head goes out
before the database is asked, so that a browser shows at once that something comes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import Row, Select

from lti_tool.core.database import Database
from lti_tool.core.ids import written
from lti_tool.evidence.export import BYTE_ORDER_MARK, csv_rows, safe_cell
from lti_tool.evidence.words import METHOD_WORDS, cycle_words, delivery_words, reason_of
from lti_tool.evidence.xlsx import Cell, Column, Sheet, workbook
from lti_tool.lti.services.scores import delivery_of
from lti_tool.training.cycles.words import STATE_WORDS
from lti_tool.training.staff.words import ROLE_GROUP_WORDS
from lti_tool.ui.format import local

MOST_KEPT: Final = 20_000
CSV, XLSX = "csv", "xlsx"


class _Days(dict[str, date | None]):
    """The day at school by the hour in UTC, ``2026-09-03 14``: within an hour it is the same."""

    def __missing__(self, hour: str) -> date | None:
        found = self[hour] = (
            local(datetime.strptime(f"{hour}Z", "%Y-%m-%d %H%z")).date() if hour else None
        )
        return found


@dataclass
class Download:
    """One export: what it is of, and how many people have gone into it so far."""

    title: str
    training: str
    cycle: str
    rows: int = 0
    _kept: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    _days: _Days = field(default_factory=_Days)

    def lines_of_csv(self, chunks: Iterable[Sequence[Sequence[Any]]]) -> Iterator[bytes]:
        """UTF-8 with a byte order mark, CRLF, every cell quoted, dates as ISO 8601."""
        yield (BYTE_ORDER_MARK + csv_rows([[one.title for one in columns()]])).encode()
        for rows in chunks:
            found = [
                f'"{name}","{reference}",{alike},"{record}"\r\n'
                for name, reference, alike, record in self._read(rows, _as_csv, _quoted)
            ]
            yield "".join(found).encode(errors="replace")

    def pieces_of_xlsx(
        self, chunks: Iterable[Sequence[Sequence[Any]]], *, now: datetime
    ) -> Iterator[bytes]:
        """A workbook: the register, and a sheet that says what its columns and states mean."""
        people: Iterator[Sequence[Cell]] = (
            (name, reference, *alike, record)
            for rows in chunks
            for name, reference, alike, record in self._read(rows, tuple, str)
        )
        sheets = [Sheet(_("Register"), columns(), people), definitions()]
        return workbook(sheets, title=self.title, made_at=now)

    def _read(
        self,
        rows: Sequence[Sequence[Any]],
        shown: Callable[[Sequence[Cell]], Any],
        as_name: Callable[[str], str],
    ) -> Iterator[tuple[str, str, Any, str]]:
        """Name, reference, what is alike for many as ``shown`` makes it, the record's number."""
        kept, days = self._kept, self._days
        for row in rows:
            person_id, name, record_id, signed_at, left_at, *others = row
            key = (days[_hour(signed_at)], days[_hour(left_at)], *others)
            alike = kept.get(key)
            if alike is None:
                if len(kept) == MOST_KEPT:
                    kept.clear()
                alike = kept[key] = shown(self._alike(*key))
            reference = written(person_id)[-8:].upper()
            record = "" if record_id is None else written(record_id)
            yield as_name(name) if name else reference, reference, alike, record
        self.rows += len(rows)

    def _alike(
        self,
        signed_on: date | None,
        left_on: date | None,
        ends_on: date | str | None,
        role_group: str,
        site: str,
        standing: str,
        state: str,
        due_on: date | str | None,
        reason: str | None,
        score: int | None,
        policy_number: str | None,
        method: str | None,
        *delivery: Any,
    ) -> list[Cell]:
        if left_on is None and standing == "left":
            left_on = _date(ends_on)
        return [
            str(ROLE_GROUP_WORDS[role_group]),
            site,
            _("Yes") if standing == "counted" else _("No"),
            left_on,
            self.training,
            cycle_words(self.cycle),
            str(STATE_WORDS[state]),
            _date(due_on),
            reason_of(reason) if reason else "",
            score,
            signed_on,
            str(METHOD_WORDS[method]) if method else "",
            policy_number or "",
            delivery_words(delivery_of(*delivery)),
        ]


def columns() -> list[Column]:
    """The columns of an export, in both kinds of file."""
    return [
        Column(_("Name"), width=28),
        Column(_("Reference"), width=12),
        Column(_("Role group"), width=18),
        Column(_("Site")),
        Column(_("Counted"), width=10),
        Column(_("Left on"), "date", 12),
        Column(_("Training"), width=28),
        Column(_("School year"), width=12),
        Column(_("State")),
        Column(_("Due on"), "date", 12),
        Column(_("Why then"), width=48),
        Column(_("Score in per cent"), "number"),
        Column(_("Declared on"), "date", 12),
        Column(_("Declared how"), width=14),
        Column(_("Policy version")),
        Column(_("Score in the platform"), width=30),
        Column(_("Record"), width=38),
    ]


def definitions() -> Sheet:
    """What the columns and states of the register mean."""
    said = [
        (_("Reference"), _("A short mark of the person, the same in every export.")),
        (
            _("Counted"),
            _("Yes: on the staff list, and counted. No: waiting to be confirmed, or has left."),
        ),
        (_("Left on"), _("Since when no staff list names them as active, or their last day.")),
        (_("School year"), _("The year the training counts for; of an update, the version.")),
        (STATE_WORDS["not-due"], _("Nothing is asked, or it has not opened yet.")),
        (STATE_WORDS["due"], _("Open, not begun, and not yet due.")),
        (STATE_WORDS["in-progress"], _("Begun, and not yet due.")),
        (STATE_WORDS["done"], _("The training was finished and the declaration signed.")),
        (STATE_WORDS["overdue"], _("The due date has passed.")),
        (STATE_WORDS["paused"], _("Away from work. No reason is kept.")),
        (STATE_WORDS["left-incomplete"], _("They left before finishing.")),
        (_("Why then"), _("Why it is due on that day.")),
        (
            _("Score in per cent"),
            _("Topics right at their latest asking; empty for a declaration on paper."),
        ),
        (_("Declared on"), _("The day the declaration was signed, by the clock at school.")),
        (_("Record"), _("The number of the completion’s record in the school’s ledger.")),
    ]
    rows: list[list[Cell]] = [[str(word), str(meaning)] for word, meaning in said]
    heads = [Column(_("Word"), width=26), Column(_("What it means"), width=110)]
    return Sheet(_("Definitions"), heads, rows)


def chunks_of(
    database: Database, statement: Select[*tuple[Any, ...]]
) -> Iterator[Sequence[Row[Any]]]:
    """The statement's rows by the chunk, from a connection that is open only while they are taken.
    On PostgreSQL from a cursor of the server's."""
    with database.engine.connect() as connection, closing(connection.execute(statement)) as found:
        yield from found.partitions()


def _quoted(name: str) -> str:
    return safe_cell(name).replace('"', '""')


def _as_csv(cells: Sequence[Cell]) -> str:
    return csv_rows([["" if cell is None else str(cell) for cell in cells]])[:-2]


def _hour(moment: datetime | str | None) -> str:
    if moment is None:
        return ""
    return moment[:13] if isinstance(moment, str) else str(moment.astimezone(UTC))[:13]


def _date(on: date | str | None) -> date | None:
    return date.fromisoformat(on) if isinstance(on, str) else on
