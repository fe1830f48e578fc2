"""What the health of a connection looks like in words: each finding's state, and what to do.

Names of pages and fields in Moodle are its own, as in ``by_hand``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from lti_tool.ui.format import day_and_time

OK: Final = "ok"
ATTENTION: Final = "attention"
FAULT: Final = "fault"
UNKNOWN: Final = "unknown"

STATES: Final[Mapping[str, LazyString]] = {
    OK: _("Works"),
    ATTENTION: _("Look at this"),
    FAULT: _("Does not work"),
    UNKNOWN: _("Not known yet"),
}

SUBJECTS: Final[Mapping[str, LazyString]] = {
    "registration": _("Registration"),
    "keys": _("The platform’s keys"),
    "scores": _("Permission to send scores"),
    "results": _("Permission to read results"),
    "line-items": _("Permission to find and make line items"),
    "members": _("Permission to read members"),
    "roster": _("List of members"),
    "clock": _("Clocks"),
    "launch": _("Last launch"),
    "score": _("Last score"),
    "school": _("The school’s texts"),
}

_GRADES: Final = _(
    "In Moodle: Site administration, Plugins, Activity modules, External tool, Manage tools, this "
    "tool’s settings, Services, “IMS LTI Assignment and Grade Services”: choose “Use this service "
    "for grade sync and column management”. Elsewhere: allow the assignment and grade services."
)
SWITCH_ON: Final[Mapping[str, LazyString]] = {
    "scores": _GRADES,
    "results": _GRADES,
    "line-items": _GRADES,
    "members": _(
        "In Moodle: Site administration, Plugins, Activity modules, External tool, Manage tools, "
        "this tool’s settings, Services, “IMS LTI Names and Role Provisioning”: choose “Use this "
        "service to retrieve members' information as per privacy settings”. Elsewhere: allow the "
        "names and role service."
    ),
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: a key of ``SUBJECTS``, a key of ``SAID``, and its facts."""

    subject: str
    code: str
    facts: Mapping[str, object]


@dataclass(frozen=True)
class Said:
    """A finding's words. ``does`` is what to do; empty where there is nothing to do."""

    state: str
    says: LazyString
    does: LazyString | str = ""


@dataclass(frozen=True)
class Line:
    """A finding as people read it."""

    subject: str
    state: str
    code: str
    title: str
    says: str
    does: str


def line(finding: Finding) -> Line:
    """The finding in the language of the request."""
    said = SAID[finding.code]
    facts = {
        name: day_and_time(value) if isinstance(value, datetime) else value
        for name, value in finding.facts.items()
    } | {"switch_on": SWITCH_ON.get(finding.subject, "")}
    return Line(
        finding.subject,
        said.state,
        finding.code,
        str(SUBJECTS[finding.subject]),
        str(said.says) % facts,
        str(said.does) % facts,
    )


_SILENT_DO: Final = _(
    "See whether %(host)s is up and can be reached from this server: its name, its certificate, "
    "the firewall between them. Until then nothing of this works; scores wait and are not lost."
)
_PRIVATE: Final = _(
    "%(host)s is on a private network, or is not https, and we call no such address unless told to."
)
_PRIVATE_DO: Final = _(
    "If that is where the platform is, name it in CLAUSEWAY_PRIVATE_HOSTS and start the tool "
    "again. If not, correct the address: clauseway platforms add."
)

SAID: Final[Mapping[str, Said]] = {
    "enabled": Said(OK, _("%(platform)s may open the training.")),
    "disabled": Said(
        FAULT,
        _("This platform was switched off here on %(at)s. Its launches are refused."),
        _("To let it in again, add it once more: clauseway platforms add."),
    ),
    "keys-read": Said(OK, _("They can be read. Keys that may sign a launch: %(count)s.")),
    "keys-silent": Said(
        FAULT,
        _("The platform did not answer when asked for its keys, so nobody new can come in."),
        _SILENT_DO,
    ),
    "keys-private": Said(FAULT, _PRIVATE, _PRIVATE_DO),
    "keys-refused": Said(
        FAULT,
        _("Asked for its keys the platform answered %(status)s, so nobody new can come in."),
        _(
            "Open %(url)s in a browser: it must show the platform’s key set to anybody. If it is "
            "another page, correct the address: clauseway platforms add --jwks-url."
        ),
    ),
    "keys-none": Said(
        FAULT,
        _("What the platform shows as its keys holds none that could sign a launch."),
        _(
            "Open %(url)s in a browser: it must show a list of RSA keys of at least 2048 bits, "
            "not a page for people. If it is another page, correct the address: clauseway "
            "platforms add --jwks-url."
        ),
    ),
    "granted": Said(OK, _("The platform gives it.")),
    "left-out": Said(
        ATTENTION,
        _("The platform does not give it. If that was decided so, nothing has to be done."),
        "%(switch_on)s",
    ),
    "withdrawn": Said(
        FAULT,
        _("Launches promise it, and the platform does not give it (%(status)s)."),
        "%(switch_on)s",
    ),
    "key-unknown": Said(
        FAULT,
        _("The platform does not recognise our signature (%(status)s)."),
        _(
            "Its settings for this tool must hold the address of our keys, %(our_keys)s, and must "
            "be able to open it. If they do, save them once more, so that it reads our keys anew."
        ),
    ),
    "client-unknown": Said(
        FAULT,
        _("The platform does not know us by the client id that we have (%(status)s)."),
        _(
            "Compare the client id in the platform’s settings for this tool with ours, "
            "%(client_id)s. In Moodle the tool must also be active. If it is another one, add the "
            "platform again: clauseway platforms add."
        ),
    ),
    "clock-refused": Said(
        FAULT,
        _("The platform refuses our request because of its time (%(status)s)."),
        _("Set the clocks of both servers by a time server (NTP)."),
    ),
    "token-refused": Said(
        FAULT,
        _("The platform refused (%(status)s)."),
        _(
            "Compare the client id and the token address with the platform’s settings for this "
            "tool."
        ),
    ),
    "token-away": Said(
        FAULT,
        _("The platform is in trouble (%(status)s)."),
        _(
            "Look again in some minutes. Scores wait and are not lost. If it lasts, the platform’s "
            "logs say why."
        ),
    ),
    "token-unreadable": Said(
        FAULT,
        _("What the platform answered is no access token (%(status)s)."),
        _(
            "Compare the token address, %(url)s, with the platform’s settings for this tool: it is "
            "probably the address of another page, or something stands before it."
        ),
    ),
    "token-silent": Said(FAULT, _("The platform did not answer."), _SILENT_DO),
    "token-private": Said(FAULT, _PRIVATE, _PRIVATE_DO),
    "roster-read": Said(OK, _("A course’s list could be read. Nothing of it was kept.")),
    "roster-nowhere": Said(
        UNKNOWN,
        _("No launch has told us where a course’s list is."),
        _(
            "Open the activity once as a teacher. If this stays, the platform does not offer the "
            "list to us: see permission to read members."
        ),
    ),
    "roster-no-leave": Said(
        UNKNOWN,
        _("It cannot be read without permission."),
        _("See permission to read members."),
    ),
    "roster-slow": Said(
        ATTENTION,
        _("The list did not come within a few seconds. A large course may take longer."),
        _("Nothing, if lists are read at night all the same: that is given more time."),
    ),
    "roster-private": Said(FAULT, _PRIVATE, _PRIVATE_DO),
    "roster-refused": Said(
        FAULT,
        _("The platform refused the list (%(status)s)."),
        _(
            "If the course was deleted, open the activity in another course. Otherwise see "
            "permission to read members."
        ),
    ),
    "roster-unreadable": Said(
        FAULT,
        _("What the platform answered is no list of members (%(status)s)."),
        _("Tell whoever looks after the platform: something may stand before its services."),
    ),
    "clock-right": Said(OK, _("The platform’s clock and ours agree within %(within)s seconds.")),
    "clock-off": Said(
        ATTENTION,
        _("The platform’s clock differs from ours by about %(seconds)s seconds."),
        _("Set the clocks of both servers by a time server (NTP), before it grows."),
    ),
    "clock-ahead": Said(
        FAULT,
        _("The platform’s clock is about %(seconds)s seconds ahead of ours."),
        _(
            "Set the clocks of both servers by a time server (NTP). Beyond a minute launches are "
            "refused."
        ),
    ),
    "clock-behind": Said(
        FAULT,
        _("The platform’s clock is about %(seconds)s seconds behind ours."),
        _(
            "Set the clocks of both servers by a time server (NTP). Moodle refuses requests that "
            "seem to come from the future, and launches run out after a minute."
        ),
    ),
    "clock-unknown": Said(
        UNKNOWN,
        _("The platform’s answers did not say what time it is."),
        _("Nothing, if people can come in."),
    ),
    "launched": Said(OK, _("%(at)s, or up to ten minutes later.")),
    "never-launched": Said(
        ATTENTION,
        _("Nobody has come from this platform yet."),
        _(
            "In Moodle press “Activate” on the tool’s card. Add the activity to a course, and open "
            "it once yourself."
        ),
    ),
    "scored": Said(OK, _("%(at)s. The platform took it.")),
    "never-scored": Said(
        UNKNOWN,
        _("No score has been sent yet."),
        _("Nothing. The first goes out when somebody from this platform finishes the training."),
    ),
    "left-alone": Said(
        ATTENTION,
        _("The platform has not answered since %(since)s. Scores are held back; next try %(at)s."),
        _(
            "The lines above say whether it answers now. If it does, nothing has to be done: the "
            "next try sends what waits."
        ),
    ),
    "scores-wait": Said(
        ATTENTION,
        _("Scores that wait to be sent: %(count)s, the oldest since %(since)s."),
        _("They are kept and tried again. See that the worker runs: clauseway worker."),
    ),
    "scores-stuck": Said(
        ATTENTION,
        _("Scores that the platform did not take: %(count)s."),
        _(
            "The register shows whose, and each person’s record shows why. When the cause is "
            "mended, send them again there or with clauseway scores resend."
        ),
    ),
    "school-open": Said(OK, _("%(school)s is open.")),
    "school-kept": Said(
        ATTENTION,
        _("%(school)s goes on with its texts as they were last good, on %(since)s."),
        _("Mend the faults that clauseway content check shows, then start the tool again."),
    ),
    "school-closed": Said(
        FAULT,
        _("%(school)s is closed: its texts have faults."),
        _("Mend the faults that clauseway content check shows, then start the tool again."),
    ),
    "school-gone": Said(
        FAULT,
        _("There are no texts for the school %(school)s."),
        _(
            "Put its folder back, or connect the platform to another school: clauseway platforms "
            "add."
        ),
    ),
}
