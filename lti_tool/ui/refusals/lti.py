"""Refusals of launches, and about platforms."""

from typing import Final

from flask_babel import lazy_gettext as _

from lti_tool.ui.refusals.text import ErrorText

LTI: Final = {
    "login-incomplete": ErrorText(
        400,
        _("The link did not say enough"),
        _("Your learning platform sent us too little to begin."),
        _("Open the training from its link. If you did that, tell whoever runs the platform."),
    ),
    "platform-unknown": ErrorText(
        403,
        _("We do not know this learning platform"),
        _("It has not been connected to this training, or it was disconnected."),
        _("Tell whoever looks after your learning platform, with the reference below."),
    ),
    "platform-ambiguous": ErrorText(
        400,
        _("We cannot tell which connection this is"),
        _("Your learning platform is connected more than once and did not say which one it means."),
        _("Tell whoever looks after your learning platform: it must send its client ID."),
    ),
    "platform-refused": ErrorText(
        400,
        _("Your learning platform did not let you through"),
        _("It sent you back without saying who you are. You may have been signed out."),
        _("Sign in to the platform again and open the training from its link."),
    ),
    "platform-keys-unavailable": ErrorText(
        503,
        _("Your learning platform does not answer"),
        _("We could not check with it that this link is genuine, so we did not open the training."),
        _("Wait a minute, then open the training again from its link. What you saved is kept."),
    ),
    "launch-incomplete": ErrorText(
        400,
        _("The training was not opened from its link"),
        _("What your learning platform should send with you did not arrive."),
        _("Open the training again from its link on the platform."),
    ),
    "launch-state-wrong": ErrorText(
        401,
        _("This link cannot be used"),
        _("We did not begin the visit it belongs to."),
        _("Open the training again from its link on the platform."),
    ),
    "launch-state-old": ErrorText(
        401,
        _("That took too long"),
        _("More than five minutes passed between opening the link and arriving here."),
        _("Open the training again from its link on the platform."),
    ),
    "launch-other-browser": ErrorText(
        401,
        _("This link belongs to another browser"),
        _("The visit was begun somewhere else, so it cannot go on here."),
        _("Open the training again from its link on the platform."),
    ),
    "launch-token-invalid": ErrorText(
        401,
        _("We could not check who sent you"),
        _("What your learning platform sent does not prove that it comes from there, for us."),
        _("Open the training again from its link. If it goes on, tell whoever runs the platform."),
    ),
    "launch-token-time": ErrorText(
        401,
        _("This link is out of date"),
        _("Your learning platform made it too long ago, or its clock and ours do not agree."),
        _("Open it again from its link. If it goes on, the platform’s clock should be checked."),
    ),
    "launch-replayed": ErrorText(
        401,
        _("This link has been used already"),
        _("Each opening counts once, so that nobody can use yours again."),
        _("Open the training again from its link on the platform."),
    ),
    "launch-message-invalid": ErrorText(
        400,
        _("Your learning platform sent something incomplete"),
        _("A part that every link to a training must have is missing or wrong."),
        _("Tell whoever looks after your learning platform, with the reference below."),
    ),
    "launch-message-unsupported": ErrorText(
        400,
        _("We cannot do this yet"),
        _("Your learning platform asked for something we do not offer."),
        _("Open the training from its link in the course."),
    ),
    "launch-target-elsewhere": ErrorText(
        400,
        _("The link leads somewhere else"),
        _("Its target is not a page of this training, or not the one it began with."),
        _("Tell whoever put the link into the course, with the reference below."),
    ),
    "deployment-unknown": ErrorText(
        403,
        _("This part of your learning platform is not connected"),
        _("The platform is known here, but not the place on it that you came from."),
        _("Tell whoever looks after your learning platform: its deployment ID must be added here."),
    ),
    "platform-details-wrong": ErrorText(
        400,
        _("These details cannot be right"),
        _("The platform was not registered: %(fault)s."),
        _("Put them right and try again."),
    ),
    "score-is-waiting": ErrorText(
        409,
        _("This score is on its way already"),
        _("It waits to be sent, so nothing was changed."),
        _("Look again in a few minutes."),
    ),
    "score-changed-there": ErrorText(
        409,
        _("Somebody changed this mark by hand"),
        _("The mark in the learning platform was set there by hand, so it was left as it is."),
        _("Go back, tick that it may be replaced, and send it again."),
    ),
    "score-superseded": ErrorText(
        409,
        _("A better score stands for this one"),
        _("The platform takes whatever comes last, so a lower score is not sent after a better."),
        _("Nothing has to be done."),
    ),
    "picking-not-allowed": ErrorText(
        403,
        _("You cannot add activities"),
        _("Your learning platform says that you do not teach or look after this course."),
        _("Ask whoever looks after the course to add the training."),
    ),
    "picking-over": ErrorText(
        400,
        _("This page has been open too long"),
        _("Nothing was added to your course. For safety the page works for an hour."),
        _("Go back to your course and begin to add the activity again."),
    ),
    "course-not-offered": ErrorText(
        404,
        _("This course cannot be linked"),
        _("It is linked already, or nobody has come to your school’s training from it yet."),
        _("Go back to the staff lists and look what is offered there now."),
    ),
    "school-not-served": ErrorText(
        403,
        _("This link asks for another school"),
        _("The place you came from is not connected to that school."),
        _("Tell whoever put the link into the course, with the reference below."),
    ),
}
