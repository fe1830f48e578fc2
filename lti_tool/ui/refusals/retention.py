"""Refusals about keeping, correcting and disposing."""

from typing import Final

from flask_babel import lazy_gettext as _

from lti_tool.ui.refusals.text import ErrorText

RETENTION: Final = {
    "reason-missing": ErrorText(
        400,
        _("A reason is missing"),
        _("Something that was recorded before is corrected."),
        _("Write why it is corrected."),
    ),
    "name-elsewhere": ErrorText(
        409,
        _("The name cannot be changed here"),
        _("Another school knows this person by it too."),
        _("They are known at another school too: have the name corrected in the platform."),
    ),
    "retention-kind-unknown": ErrorText(
        400,
        _("That kind is not known"),
        _("There is no kind of data called “%(kind)s”."),
        _("Go back and choose one that is listed."),
    ),
    "retention-too-short": ErrorText(
        400,
        _("That period is too short"),
        _("Other things rest on these data for %(fewest)s months."),
        _("Go back and enter a longer one."),
    ),
    "retention-too-long": ErrorText(
        400,
        _("That period is too long"),
        _("Nothing can be kept for more than %(most)s months."),
        _("Go back and enter a shorter one."),
    ),
    "hold-again": ErrorText(
        409,
        _("There is a hold already"),
        _("Nothing about this person is disposed of as it is."),
        _("Lift the hold that stands before you place another."),
    ),
    "hold-none": ErrorText(
        409,
        _("There is no hold"),
        _("Somebody has lifted it already."),
        _("Look at the page again."),
    ),
}
