"""Refusals about Microsoft Teams."""

from typing import Final

from flask_babel import lazy_gettext as _

from lti_tool.ui.refusals.text import ErrorText

TEAMS: Final = {
    "teams-token-missing": ErrorText(
        401,
        _("Nobody told us who you are"),
        _("Microsoft Teams should send a proof with you, and there was none."),
        _("Open the training from its tab in Teams."),
    ),
    "teams-token-invalid": ErrorText(
        401,
        _("We could not check who you are"),
        _("What Microsoft Teams sent does not prove that it comes from your organisation, for us."),
        _("Open the tab again. If it goes on, tell your Microsoft 365 administrator."),
    ),
    "teams-token-expired": ErrorText(
        401,
        _("Your sign-in is out of date"),
        _("The proof that Microsoft Teams sent has run out, or our own clock is fast."),
        _("Open the tab again. If it goes on, ask whoever runs this tool to look at its clock."),
    ),
    "teams-clock-wrong": ErrorText(
        401,
        _("Our clock is wrong"),
        _("The proof that Microsoft Teams sent is good from a moment that has not come here yet."),
        _("Ask whoever runs this tool to set its clock. Then open the tab again."),
    ),
    "teams-tenant-unknown": ErrorText(
        403,
        _("Your organisation is not connected"),
        _("Your account in Microsoft Teams is of an organisation that we do not know."),
        _(
            "Switch to your school’s account in Teams. If you have, your Microsoft 365 "
            "administrator should ask whoever runs this installation to add the organisation."
        ),
    ),
    "teams-audience-other": ErrorText(
        403,
        _("Teams signed you in to another app"),
        _("The client ID we were given and the one of the app in Teams are not the same."),
        _("Ask your Microsoft 365 administrator to compare the client ID with our set-up page."),
    ),
    "teams-token-version": ErrorText(
        403,
        _("The app’s registration needs one change"),
        _("It makes proofs of an older kind, which we do not take."),
        _(
            "Ask your Microsoft 365 administrator to set “requestedAccessTokenVersion” to 2 in the "
            "manifest of the app’s registration in Entra."
        ),
    ),
    "teams-token-app-only": ErrorText(
        403,
        _("This proof is not a person’s"),
        _("An application signed in for itself. Training is for people."),
        _("Open the training from its tab in Teams."),
    ),
    "teams-scope-missing": ErrorText(
        403,
        _("Teams may not sign you in here yet"),
        _("Your organisation has not agreed that Teams may tell this training who you are."),
        _(
            "Ask your Microsoft 365 administrator: the app’s registration in Entra needs the scope "
            "access_as_user, and consent to it."
        ),
    ),
    "teams-client-refused": ErrorText(
        403,
        _("You came from an app we do not know"),
        _("The proof was made for another program than Microsoft Teams."),
        _("Open the training from its tab in Teams."),
    ),
    "teams-keys-unavailable": ErrorText(
        503,
        _("Microsoft does not answer"),
        _("We could not check that your sign-in is genuine, so we did not open the training."),
        _("Wait a minute, then open the tab again. What you saved is kept."),
    ),
    "teams-school-not-served": ErrorText(
        403,
        _("This tab is for another organisation’s school"),
        _("Your organisation and the school that this tab was set up for do not belong together."),
        _("Open “My training” in the app itself, or ask whoever added the tab to the channel."),
    ),
    "teams-id-wrong": ErrorText(
        400,
        _("This is no ID of Entra’s"),
        _("%(fault)s. Nothing was saved."),
        _("Copy the ID once more from the app’s registration in Entra."),
    ),
    "webhook-wrong": ErrorText(
        400,
        _("This is no address of a workflow"),
        _("It should begin with https:// and be the whole address that Teams showed."),
        _("Copy it once more from the workflow in Teams. Nothing was saved."),
    ),
}
