"""The copy itself: one zip with a page to read and the same as JSON; its making is recorded."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from flask import render_template
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from markupsafe import Markup
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.evidence.subjects.gathering import Row, counted, gather
from lti_tool.policies.policy import School

FORMAT: Final = 1
STYLE: Final = Path(__file__).with_name("assets") / "copy.css"
TITLES: Final[dict[str, LazyString]] = {
    "person": lazy_gettext("The person"),
    "identity": lazy_gettext("How platforms and staff files know them"),
    "membership": lazy_gettext("What they are at the school"),
    "absence": lazy_gettext("Days away from work"),
    "obligation": lazy_gettext("What was asked of them"),
    "due_date_move": lazy_gettext("Due dates that were moved"),
    "journey": lazy_gettext("Trainings they took"),
    "section_read": lazy_gettext("What they read"),
    "round": lazy_gettext("Sittings"),
    "question": lazy_gettext("What they were asked and answered"),
    "declaration": lazy_gettext("Declarations"),
    "completion": lazy_gettext("Completions"),
    "certificate": lazy_gettext("Certificates"),
    "certificate_act": lazy_gettext("What was decided on certificates"),
    "score_outbox": lazy_gettext("What was sent to the learning platform"),
    "reminder": lazy_gettext("E-mails to them"),
    "staff_import_change": lazy_gettext("What staff files changed of them"),
    "roster_entry": lazy_gettext("Courses on which they were found"),
    "person_join": lazy_gettext("Joined with another person"),
    "visit": lazy_gettext("Visits"),
    "manager_grant": lazy_gettext("Leave to manage the school"),
    "retention_hold": lazy_gettext("Held back from disposal"),
    "access_log": lazy_gettext("Who looked at their record, or did something with it"),
    "act": lazy_gettext("What they did as a manager"),
    "ledger": lazy_gettext("Entries of the ledger about them"),
}


def make(
    session: Session,
    *,
    school: School,
    person_id: UUID,
    by: UUID,
    is_own: bool,
    catalogue: Catalogue,
    now: datetime,
) -> bytes:
    """The zip's bytes; with an entry of the ledger in the same transaction."""
    found = gather(session, school=school, person_id=person_id, catalogue=catalogue)
    ledger.append(
        session,
        school_id=school.id,
        kind="subject-access",
        facts={"by": "person" if is_own else "manager", "rows": counted(found)},
        person_id=person_id,
        personal={"person": str(person_id), "actor": str(by)},
        now=now,
    )
    page = render_template(
        "subjects/copy.html",
        style=_style(),
        found=_in_order(found),
        titles=TITLES,
        field_words=field_words,
        school=school,
        name=next(one["name"] for one in found["person"] if not one["one_with"]),
        made_at=now,
    )
    said = {
        "what": "clauseway subject access",
        "format": FORMAT,
        "school": {"id": school.id, "name": school.name},
        "made_at": now.isoformat(timespec="seconds"),
        "held": found,
    }
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as sink:
        sink.writestr("record.html", page)
        sink.writestr("record.json", json.dumps(said, ensure_ascii=False, indent=1))
    return whole.getvalue()


def field_words(name: str) -> str:
    """A column's name as words: ``completed_at`` is “Completed at”."""
    return name.replace("_", " ").capitalize()


def _style() -> Markup:
    """The page's style, of our own making: it is opened as a file, where nothing can be loaded."""
    return Markup(f"<style>{STYLE.read_text(encoding='utf-8')}</style>")  # noqa: S704


def _in_order(found: Mapping[str, Sequence[Row]]) -> dict[str, Sequence[Mapping[str, Any]]]:
    """As a reader looks for it; what nobody named comes last, under its table's name."""
    known = [name for name in TITLES if name in found]
    return {name: found[name] for name in [*known, *sorted(found.keys() - TITLES.keys())]}
