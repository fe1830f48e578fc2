"""The words of the pages of people: role groups, fields, and what is amiss in a line of a file."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from lti_tool.people.imports.reading import Fault
from lti_tool.ui.format import day

ROLE_GROUP_WORDS: Final[dict[str, LazyString]] = {
    "": lazy_gettext("Not known yet"),
    "teaching": lazy_gettext("Teaching staff"),
    "support": lazy_gettext("Support staff"),
    "governor": lazy_gettext("Governor"),
    "volunteer": lazy_gettext("Volunteer"),
    "supply": lazy_gettext("Supply or visitor"),
}
FIELD_WORDS: Final[dict[str, LazyString]] = {
    "name": lazy_gettext("Name"),
    "email": lazy_gettext("E-mail address"),
    "role_group": lazy_gettext("Role group"),
    "site": lazy_gettext("Site"),
    "starts_on": lazy_gettext("Start date"),
    "payroll_number": lazy_gettext("Payroll number"),
    "ends_on": lazy_gettext("Leaving date"),
    "counted": lazy_gettext("Counted"),
    "confirmed_at": lazy_gettext("Counted"),
    "left_at": lazy_gettext("Left the staff list"),
}
SHOW_WORDS: Final[dict[str, LazyString]] = {
    "counted": lazy_gettext("Counted"),
    "away": lazy_gettext("Away from work"),
    "leaving": lazy_gettext("With a leaving date to come"),
    "left": lazy_gettext("Left"),
    "waiting": lazy_gettext("Waiting to be confirmed"),
    "all": lazy_gettext("Everybody"),
}
_DATES: Final = lazy_gettext("Write it like 1/9/2026, 1 September 2026 or 2026-09-01.")
FAULT_WORDS: Final[dict[str, tuple[LazyString, LazyString]]] = {
    "quotes": (
        lazy_gettext("A quotation mark is opened and not closed."),
        lazy_gettext("Take the quotation marks out of this line, or save it from Excel again."),
    ),
    "too-many-cells": (
        lazy_gettext("There are more cells than columns."),
        lazy_gettext("Perhaps a comma stands in a name: put the cell into quotation marks."),
    ),
    "name-missing": (
        lazy_gettext("There is no name."),
        lazy_gettext("Write the name in, or take the line out."),
    ),
    "formula": (
        lazy_gettext("“%(cell)s” is a formula. It was not worked out."),
        lazy_gettext("Put in its place what it should say."),
    ),
    "too-long": (
        lazy_gettext("“%(cell)s…” is too long."),
        lazy_gettext("Shorten it: 255 letters for a name, 40 for a payroll number."),
    ),
    "email": (
        lazy_gettext("“%(cell)s” is no e-mail address."),
        lazy_gettext("Correct it, or leave the cell empty: nobody needs one."),
    ),
    "role-group": (
        lazy_gettext("“%(cell)s” is none of the role groups."),
        lazy_gettext("Write teaching, support, governor, volunteer or supply, or leave it empty."),
    ),
    "site": (
        lazy_gettext("“%(cell)s” is none of the school’s sites."),
        lazy_gettext("Write one of them as the register shows it, or leave the cell empty."),
    ),
    "date": (lazy_gettext("“%(cell)s” is no date that we can be sure of."), _DATES),
    "too-narrow": (
        lazy_gettext("“%(cell)s” is what Excel shows where a column is too narrow."),
        lazy_gettext("Make the column wider in Excel, and save the file again."),
    ),
    "excel-fault": (
        lazy_gettext("“%(cell)s” is a fault of a formula in Excel."),
        lazy_gettext("Correct it there, or leave the cell empty."),
    ),
    "number-shortened": (
        lazy_gettext("Excel has shortened the number to “%(cell)s”."),
        lazy_gettext("Make the column one of text in Excel, and write the number in again."),
    ),
    "ends-before-it-starts": (lazy_gettext("The leaving date is before the start date."), _DATES),
    "number-twice": (
        lazy_gettext("Line %(cell)s has the same payroll number."),
        lazy_gettext("Correct one of them; until then both are left out."),
    ),
    "person-twice": (
        lazy_gettext("Line %(cell)s has the same name and e-mail address."),
        lazy_gettext("Take one out, or give each their payroll number if they are two people."),
    ),
    "number-held-twice": (
        lazy_gettext("Two people of your school have the payroll number %(cell)s."),
        lazy_gettext(
            "Open the list of people and correct one of them, or join them if they are one."
        ),
    ),
    "ticked-twice": (
        lazy_gettext("Another line was ticked for %(cell)s as well."),
        lazy_gettext("Tick only one of the two."),
    ),
}


def fault_words(fault: Fault) -> tuple[str, str]:
    """What is amiss in a line, and what to do about it."""
    what, way_on = FAULT_WORDS[fault.code]
    return str(what) % {"cell": fault.cell}, str(way_on)


def value_words(name: str, value: Any) -> str:
    """A field's value as people read it."""
    if value is None or value == "":
        return str(_("empty"))
    if name == "role_group":
        return str(ROLE_GROUP_WORDS[value])
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if name.endswith("_on") and isinstance(value, str):
        return day(date.fromisoformat(value))
    return str(day(value) if isinstance(value, date) else value)


def change_words(fields: Mapping[str, tuple[Any, Any]]) -> list[str]:
    """Each field that changes, before and after."""
    return [
        _(
            "%(field)s: %(before)s → %(after)s",
            field=FIELD_WORDS[name],
            before=value_words(name, old),
            after=value_words(name, new),
        )
        for name, (old, new) in fields.items()
    ]
