"""The access log's words: what each act is called, and of which kind it is."""

from dataclasses import dataclass
from typing import Final

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from lti_tool.people.acts.recording import VIEWED


@dataclass(frozen=True)
class Words:
    """What an act is called."""

    kind: str
    text: LazyString


KIND_WORDS: Final[dict[str, LazyString]] = {
    "view": _("Looked at a person"),
    "export": _("Took a list or a pack"),
    "person": _("Changed what is held about people"),
    "record": _("Entered or corrected a record"),
    "access": _("Managers and invitations"),
    "settings": _("Settings"),
    "sending": _("Sent something"),
}
ACTS: Final[dict[str, Words]] = {
    VIEWED: Words("view", _("Looked at the record")),
    "evidence.export": Words("export", _("Took the register as a file")),
    "evidence.export_workbook": Words("export", _("Took the register as a workbook")),
    "dashboard.chase_file": Words("export", _("Took the list of whom to chase as a file")),
    "certificates.theirs": Words("export", _("Took a certificate")),
    "packs.ask": Words("export", _("Asked for a pack of evidence")),
    "packs.fetch": Words("export", _("Took a pack of evidence")),
    "evidence.confirm": Words("person", _("Said that they belong to the school")),
    "staff.add": Words("person", _("Added a person")),
    "staff.change": Words("person", _("Changed the details")),
    "staff.away": Words("person", _("Entered days away")),
    "staff.back": Words("person", _("Changed days away")),
    "imports.bring": Words("person", _("Brought a staff file")),
    "imports.apply": Words("person", _("Took over a staff file")),
    "imports.put_aside": Words("person", _("Put a staff file aside")),
    "imports.undo": Words("person", _("Undid a staff file")),
    "joins.join": Words("person", _("Said that two are one person")),
    "joins.separate": Words("person", _("Said that one person is two")),
    "rosters.link": Words("person", _("Linked a course as a staff list")),
    "rosters.read": Words("person", _("Had a staff list read")),
    "rosters.unlink": Words("person", _("Unlinked a staff list")),
    "acting.enter_paper": Words("record", _("Entered or corrected a declaration on paper")),
    "acting.withdraw_paper": Words("record", _("Took a declaration on paper back")),
    "certificates.decide": Words("record", _("Withdrew a certificate, or let it stand again")),
    "acting.move_dates": Words("record", _("Moved the due date")),
    "evidence.send_again": Words("sending", _("Had a score sent again")),
    "reminders.send": Words("sending", _("Sent reminders")),
    "managers.appoint": Words("access", _("Made somebody a manager")),
    "managers.dismiss": Words("access", _("Took a manager’s leave back")),
    "people.manage": Words("access", _("Became a manager with a code")),
    "connect.invite": Words("access", _("Made an invitation to connect a platform")),
    "connect.withdraw": Words("access", _("Withdrew an invitation")),
    "dashboard.enter": Words("access", _("Came over from another school they manage")),
    "lti.choose": Words("settings", _("Chose the school and training of an activity")),
    "year.save_dates": Words("settings", _("Changed the dates of the year")),
    "year.add_holiday": Words("settings", _("Entered a holiday")),
    "year.add_bank_holidays": Words("settings", _("Entered the bank holidays")),
    "year.remove_holiday": Words("settings", _("Took a holiday back")),
    "year.open_cycle": Words("settings", _("Started the annual refresh")),
    "versions.open_": Words("settings", _("Brought a version of the policy into use")),
    "review.decide_": Words("settings", _("Decided on a point of the review")),
    "subjects.hand_over": Words("export", _("Took a copy of all data about the person")),
    "subjects.mine": Words("export", _("Took a copy of their own data")),
    "retention.set_": Words("settings", _("Set how long data are kept")),
    "retention.change_hold": Words("record", _("Held data back from disposal, or let them go")),
    "channels.change": Words("settings", _("Changed what is posted in Teams")),
    "reminders.change_settings": Words("settings", _("Changed how reminders are sent")),
}


def act_words(what: str) -> str:
    """What was done, in words; its own name where a page that did it is gone."""
    return str(ACTS[what].text) if what in ACTS else what
