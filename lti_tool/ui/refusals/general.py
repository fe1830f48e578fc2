"""Refusals that any room may make."""

from typing import Final

from flask_babel import lazy_gettext as _

from lti_tool.ui.refusals.text import ErrorText

UNKNOWN: Final = "something-went-wrong"

GENERAL: Final = {
    "page-not-found": ErrorText(
        404,
        _("Page not found"),
        _("There is no page at this address."),
        _("Go back to the page you came from, or open the training again from its link."),
    ),
    "not-allowed": ErrorText(
        403,
        _("You cannot see this page"),
        _("This page is for people who look after the training at this school."),
        _("If that should include you, ask the headteacher to add you."),
    ),
    "method-not-allowed": ErrorText(
        405,
        _("That page cannot be opened this way"),
        _("It is reached by a button on another page, not by its address."),
        _("Go back to the page you came from and use the button there."),
    ),
    "visit-ended": ErrorText(
        401,
        _("Your visit has ended"),
        _("You finished on this computer, or nothing was done here for a while."),
        _("Everything you saved is kept. Open the training again from its link to go on."),
    ),
    "form-expired": ErrorText(
        400,
        _("This page has been open too long"),
        _("For safety we could not accept what was sent from it. Nothing was saved from it."),
        _("Go back, load the page again and send it once more."),
    ),
    "form-incomplete": ErrorText(
        400,
        _("Something is missing"),
        _("What was sent does not fit the form. Nothing was saved from it."),
        _("Go back, check what you filled in and send it again."),
    ),
    "too-large": ErrorText(
        413,
        _("That is too much at once"),
        _("What was sent is larger than this page accepts. Nothing was saved from it."),
        _("Send less, or a smaller file."),
    ),
    "too-many-requests": ErrorText(
        429,
        _("Too many tries"),
        _("There have been many tries from here in a short time."),
        _("Wait a few minutes, then try again. What you saved before is kept."),
    ),
    "database-unavailable": ErrorText(
        503,
        _("The training is not available for a moment"),
        _("We cannot reach our records just now. What you sent last was not saved."),
        _("Wait a minute, then go back and send it again. What you saved before is kept."),
    ),
    UNKNOWN: ErrorText(
        500,
        _("Sorry, something went wrong"),
        _("This is a fault of ours. What you sent last was not saved."),
        _("Go back and try again. If it goes on, tell your school and give the reference below."),
    ),
}
