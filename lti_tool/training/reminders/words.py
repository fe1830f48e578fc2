"""What managers read of the reminders: kinds, reasons, states, and what is wrong."""

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

KIND_WORDS: Final[Mapping[str, LazyString]] = {
    "overdue": _("Overdue"),
    "due": _("Due within a week"),
    "opened": _("New to do"),
    "digest": _("Digest to managers"),
}
LEFT_OUT_WORDS: Final[Mapping[str, LazyString]] = {
    "this-week": _("Had an e-mail in the last seven days"),
    "not-yet": _("Know of it, and it is due in more than a week"),
    "with-digest": _("Managers: it stands in their weekly digest"),
    "no-address": _("No e-mail address is known"),
    "away": _("Away from work"),
    "waiting": _("Waiting to be confirmed, so not counted"),
    "nothing-owed": _("Nothing to do: done, or not asked for yet"),
    "left": _("Left"),
}
SHUT_WORDS: Final[Mapping[str, LazyString]] = {
    "no-server": _(
        "Whoever runs this tool has not told it which server takes its e-mail, so nothing can be "
        "sent."
    ),
    "off": _("Reminders are switched off. Nothing is sent until you switch them on."),
    "weekend": _("It is the weekend. Nothing is sent before Monday."),
    "holiday": _("It is a school holiday. Nothing is sent before it ends."),
    "quiet": _("These are your quiet hours. Nothing is sent until they end."),
}
STATE_WORDS: Final[Mapping[str, LazyString]] = {
    "waiting": _("Waiting"),
    "sending": _("Being sent"),
    "sent": _("Sent"),
    "perhaps": _("Perhaps sent"),
    "refused": _("Refused"),
    "given-up": _("Given up"),
    "dropped": _("Not needed any more"),
}
TROUBLE_WORDS: Final[Mapping[str, LazyString]] = {
    "away": _("The mail server does not answer, or broke off."),
    "tls": _(
        "The mail server offers no connection that is safe from readers on the way. Whoever runs "
        "this tool should look at its certificate and settings."
    ),
    "login": _(
        "The mail server does not let this tool log in. Whoever runs it should look at the user "
        "and password it was given."
    ),
    "sender": _(
        "The mail server takes no e-mail from this tool’s address. Whoever runs either should "
        "look at it."
    ),
    "busy": _("The mail server takes no more e-mail for the moment."),
    "later": _("The mail server puts these off, as it may with senders it does not know yet."),
}
FAILURE_WORDS: Final[Mapping[str, LazyString]] = {
    "refused": _("The mail server refused it for good: the address may be wrong, or full."),
    "perhaps": _(
        "The connection broke before the answer came. It may have arrived; it is not sent twice."
    ),
    "given-up": _("It could not be sent for five days."),
}
WEEKDAY_WORDS: Final[Mapping[int, LazyString]] = {
    0: _("Monday"),
    1: _("Tuesday"),
    2: _("Wednesday"),
    3: _("Thursday"),
    4: _("Friday"),
}
