"""Refusals about connecting a platform."""

from typing import Final

from flask_babel import lazy_gettext as _

from lti_tool.ui.refusals.text import ErrorText

_AGAIN: Final = _(
    "Go back to your learning platform and begin there again with the same address: the "
    "invitation is still good."
)

CONNECT: Final = {
    "invitation-unknown": ErrorText(
        404,
        _("We do not know this invitation"),
        _("The address is not complete, or was not made here."),
        _("Check that you copied all of it, or ask whoever sent it for another."),
    ),
    "invitation-used": ErrorText(
        410,
        _("This invitation has been used"),
        _("Each connects one learning platform, once."),
        _("If that was not you, tell the school. For another platform ask for a new invitation."),
    ),
    "invitation-withdrawn": ErrorText(
        410,
        _("This invitation was withdrawn"),
        _("The school took it back before it was used."),
        _("Ask the school for a new one."),
    ),
    "invitation-expired": ErrorText(
        410,
        _("This invitation has run out"),
        _("For safety each is good for seven days."),
        _("Ask the school for a new one."),
    ),
    "invitation-busy": ErrorText(
        409,
        _("This invitation is being used just now"),
        _("A platform is being connected with it in another window. Nothing was done here."),
        _("Look in the other window. If there is none, try again in a minute."),
    ),
    "registration-link-wrong": ErrorText(
        400,
        _("Your learning platform did not say enough"),
        _("The address of its own description, or its token, is not one. Nothing was registered."),
        _AGAIN,
    ),
    "registration-link-old": ErrorText(
        400,
        _("This page has been open too long"),
        _("What the platform said is more than an hour old, so nothing was registered."),
        _AGAIN,
    ),
    "platform-silent": ErrorText(
        503,
        _("Your learning platform does not answer"),
        _("We could not read its description in time. Nothing was registered."),
        _("Check that the platform can be reached from outside, then begin there again."),
    ),
    "platform-private": ErrorText(
        400,
        _("We may not call this address"),
        _("%(host)s is on a private network, or is not https. Nothing was registered."),
        _(
            "Whoever runs this installation can allow a private host with the setting "
            "CLAUSEWAY_PRIVATE_HOSTS. Then begin again with the same invitation."
        ),
    ),
    "platform-offer-wrong": ErrorText(
        400,
        _("We cannot read your learning platform’s description"),
        _("Something in it is wrong: %(fault)s. Nothing was registered."),
        _("Tell whoever looks after the platform, or connect it by hand."),
    ),
    "platform-issuer-other": ErrorText(
        400,
        _("This platform speaks for another"),
        _("Its description is at %(ours)s and says it is %(theirs)s. Nothing was registered."),
        _("Check the address the platform runs at, in its own settings, or connect it by hand."),
    ),
    "platform-registers-elsewhere": ErrorText(
        400,
        _("This platform registers tools somewhere else"),
        _("Its description is at %(ours)s and sends us to %(theirs)s. Nothing was registered."),
        _("If that is right for your platform, connect it by hand."),
    ),
    "registration-silent": ErrorText(
        503,
        _("Your learning platform did not answer in time"),
        _("We sent our registration and heard nothing. Nothing was kept here."),
        _(
            "If the platform lists the tool all the same, delete it there. Then begin again: the "
            "invitation is still good."
        ),
    ),
    "registration-token-used": ErrorText(
        400,
        _("Your learning platform’s permission has been used"),
        _("It gives one for each try, and this one was used before. Nothing was registered."),
        _(
            "Do not reload this page. Begin again on your platform with the same address: the "
            "invitation is still good."
        ),
    ),
    "registration-refused": ErrorText(
        400,
        _("Your learning platform refused to register us"),
        _("Nothing was registered. It answered: %(answer)s"),
        _AGAIN,
    ),
    "registration-unreadable": ErrorText(
        400,
        _("We cannot read your learning platform’s answer"),
        _("It does not say under which client ID it knows us. Nothing was kept here."),
        _("If the platform lists the tool all the same, delete it there, or connect it by hand."),
    ),
    "platform-taken": ErrorText(
        409,
        _("This connection serves other schools as well"),
        _("The invitation does not name all of them, so nothing was changed here."),
        _(
            "On the platform register the tool as a new one, or ask for an invitation that names "
            "every school of the connection."
        ),
    ),
    "platform-disabled": ErrorText(
        409,
        _("This connection was switched off"),
        _("Whoever runs this installation did that, so an invitation cannot switch it on."),
        _("Ask them, or register the tool on the platform as a new one."),
    ),
}
