"""What a manager reads about a reading that failed: what happened, and what to do."""

from typing import Final

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

OURS: Final = "fault"
REASONS: Final[dict[str, LazyString]] = {
    "unreachable": _(
        "The platform did not answer, or broke off. We try again by ourselves; nothing has to be "
        "done unless it goes on for days."
    ),
    "reconnect": _(
        "The platform gave us no leave to ask. Whoever looks after it should check that this tool "
        "is switched on there and may see the members of courses."
    ),
    "forbidden": _(
        "The platform does not let us see this course’s members. Whoever looks after it can allow "
        "that in this tool’s settings there (Names and Role Provisioning)."
    ),
    "gone": _(
        "The platform no longer knows this course. Open the training once from the course that "
        "your staff use now and link that one, or unlink this one."
    ),
    "no-service": _(
        "The platform has not said where its list of members is. Open the training once from the "
        "course, then read it again."
    ),
    "disconnected": _(
        "The platform is no longer connected to this tool for your school. Whoever looks after "
        "the connection can say why."
    ),
    "elsewhere": _(
        "The platform’s list leads on to another site, where we do not follow. Whoever looks "
        "after the platform should check the address it gives for itself."
    ),
    "endless": _(
        "The platform’s list has no end. Whoever looks after the platform should be told."
    ),
    "empty": _(
        "The platform says that nobody is in the course, where there were people before. That is "
        "more likely a fault than the truth, so nobody was marked as having left. If it is true, "
        "unlink the course."
    ),
    "unreadable": _(
        "The platform sent something that is no list of members. Whoever looks after it should "
        "be told; we try again each night."
    ),
    "refused": _(
        "The platform refused the question. Whoever looks after it should be told; we try again "
        "each night."
    ),
    OURS: _("Something went wrong on our side. We try again by ourselves."),
}
