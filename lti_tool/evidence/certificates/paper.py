"""A certificate as a PDF: its words, set by ``certificate.typ``."""

from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from flask_babel import gettext as _

from lti_tool.evidence.certificates.issuing import Issued
from lti_tool.evidence.certificates.numbers import shown
from lti_tool.evidence.typesetting import FONTS, MONO, set_pdf
from lti_tool.policies.policy import PolicyVersion, School
from lti_tool.training.declarations import status
from lti_tool.training.paper.entering import PAPER
from lti_tool.ui.format import day, local

SOURCE: Final = Path(__file__).with_name("certificate.typ")


def pdf(
    issued: Issued, *, school: School, training: str, reference: str, address: str, now: datetime
) -> bytes:
    """The paper. ``training`` is its title with its school year, ``reference`` stands where no name
    is known, ``address`` is where its number is checked."""
    return set_pdf(SOURCE, data(issued, school, training, reference, address), now)


def data(
    issued: Issued, school: School, training: str, reference: str, address: str
) -> dict[str, Any]:
    """Everything that the source file shows."""
    made = local(issued.issued_at)
    name = issued.declaration.printed_name or reference
    return {
        "title": _("Certificate of %(name)s: %(training)s", name=name, training=training),
        "school": school.name,
        "heading": _("Certificate"),
        "says_that": _("This certifies that"),
        "name": name,
        "has_done": _("has completed"),
        "training": training,
        "policy": _policy(_version(issued, school), issued.completion.policy_number),
        "notes": list(_notes(issued, school)),
        "dates": [
            _date(_("Completed on"), issued.completion.completed_at),
            _date(_("Issued on"), issued.issued_at),
            _date(_("Valid to"), issued.valid_to),
            {"word": _("Certificate number"), "value": shown(issued.number), "mono": True},
        ],
        "check": _("Anybody can check the number at"),
        "address": address,
        "proves": _(
            "The page says whether the certificate still holds. It does not show who was at the "
            "keyboard."
        ),
        "made": [made.year, made.month, made.day],
        "fonts": FONTS,
        "mono": MONO,
    }


def _date(word: str, value: date | datetime) -> dict[str, Any]:
    return {"word": word, "value": day(value), "mono": False}


def _version(issued: Issued, school: School) -> PolicyVersion | None:
    number = issued.completion.policy_number
    return next((one for one in school.versions if one.number == number), None)


def _policy(version: PolicyVersion | None, number: str) -> str:
    if version is None:
        return str(_("on the school’s social media policy, version %(number)s", number=number))
    title = " ".join((version.title.get("en") or next(iter(version.title.values()))).split())
    said = {"title": title, "number": number, "status": status(version)}
    return str(_("on the %(title)s, version %(number)s, %(status)s", **said))


def _notes(issued: Issued, school: School) -> list[str]:
    """What a reader must not take it for."""
    version, said = _version(issued, school), issued.declaration
    found = []
    if said.method == PAPER and said.entered_at is not None:
        found.append(
            _(
                "Declared on paper, and entered by the school on %(day)s.",
                day=day(said.entered_at),
            )
        )
    if school.is_example:
        found.append(_("An example: not a school’s adopted policy, and not a real person."))
    elif version is not None and version.demonstration:
        found.append(_("The policy version is a demonstration that the school has not adopted."))
    return found
