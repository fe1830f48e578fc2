"""Refusals about the training, its cycles, reminders and review."""

from typing import Final

from flask_babel import lazy_gettext as _

from lti_tool.ui.refusals.text import ErrorText

TRAINING: Final = {
    "school-unknown": ErrorText(
        404,
        _("We do not know this school"),
        _("The school this visit belongs to is no longer set up here."),
        _("Tell your school office or whoever gave you the link."),
    ),
    "school-closed": ErrorText(
        503,
        _("This school’s training is not open"),
        _("Something in the school’s own texts has to be put right first. What you saved is kept."),
        _("Tell your school office or whoever gave you the link, and come back later."),
    ),
    "module-unknown": ErrorText(
        404,
        _("We do not know this training"),
        _("The link asks for a training that is not offered here."),
        _("Tell your school office or whoever gave you the link."),
    ),
    "policy-version-missing": ErrorText(
        503,
        _("The policy you began with is missing"),
        _("Its text was taken away since you began. What you saved is kept."),
        _("Tell your school and give the reference below."),
    ),
    "read-first": ErrorText(
        409,
        _("Read what you missed first"),
        _("What a round missed is read again before it is asked again."),
        _("Go back to your list and read it there."),
    ),
    "question-withdrawn": ErrorText(
        410,
        _("This question was taken away"),
        _("It has left the collection since you were asked. What you saved is kept."),
        _("Go back to your list and go on from there."),
    ),
    "choice-unknown": ErrorText(
        400,
        _("Choose one of the answers"),
        _("What was sent is not one of the choices. Nothing was saved from it."),
        _("Go back and choose one of them."),
    ),
    "learning-incomplete": ErrorText(
        409,
        _("You cannot declare this yet"),
        _("Some part of the training is still to be done, so nothing was signed."),
        _("Go back to your list and do what is left. What you saved is kept."),
    ),
    "declaration-incomplete": ErrorText(
        400,
        _("The declaration is not complete"),
        _("It needs your typed name and the tick, so nothing was signed."),
        _("Go back, fill in both and sign again."),
    ),
}

CYCLES: Final = {
    "version-in-use": ErrorText(
        409,
        _("This version is in use already"),
        _("Version %(number)s is the one that everybody learns now. Nothing was changed."),
        _("Open the list of versions to see since when."),
    ),
    "version-changed": ErrorText(
        409,
        _("Another version was opened meanwhile"),
        _("Version %(number)s is in use now, so what you were shown no longer holds."),
        _("Look again at what differs, and open the version then."),
    ),
    "reason-missing": ErrorText(
        400,
        _("A reason is missing"),
        _("The weight is not what the comparison proposes. Nothing was changed."),
        _("Go back and say why."),
    ),
    "due-date-wrong": ErrorText(
        400,
        _("Nobody can be asked by that day"),
        _("It has to be after today and within a year. Nothing was changed."),
        _("Go back and choose another day."),
    ),
    "cycle-open-already": ErrorText(
        409,
        _("This year’s refresh is open already"),
        _("It is opened once a school year. Nothing was changed."),
        _("To give people more time, move their dates."),
    ),
    "cycle-closes-too-early": ErrorText(
        400,
        _("The refresh cannot close on that day"),
        _("It closes after the day it opens, and within a year. Nothing was opened."),
        _("Go back and choose another day."),
    ),
    "no-such-day": ErrorText(
        400,
        _("There is no such day"),
        _("No year has that day and month. Nothing was saved."),
        _("Go back and choose another day."),
    ),
}

REMINDERS: Final = {
    "reminders-shut": ErrorText(
        409,
        _("No e-mail can go out just now"),
        _("Reminders are off, or it is a weekend, a holiday or one of your quiet hours."),
        _("Go back to the reminders: the page says why, and when they can be sent."),
    ),
    "reminders-changed": ErrorText(
        409,
        _("Something changed since you looked"),
        _("Other people would get an e-mail now than those you saw. Nothing was sent."),
        _("Go back to the reminders, look at the list as it is now, and send it from there."),
    ),
}

REVIEW: Final = {
    "point-gone": ErrorText(
        409,
        _("This point is not on the agenda any more"),
        _("What it was about has changed since you looked. Nothing was decided."),
        _("Go back to the agenda and look at it as it is now."),
    ),
}
