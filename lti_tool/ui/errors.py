"""The words for every refusal, in one list.

A room raises ``ToolError("form-expired")``; ``app.py`` finds the status and the words here. To
add one: a kebab-case code, what happened, why in one sentence, and what the person can do now.
Texts may hold ``%(name)s`` placeholders, filled from the error's details; a literal per cent
sign is therefore written twice.
"""

from dataclasses import dataclass
from typing import Final

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString


@dataclass(frozen=True, slots=True)
class ErrorText:
    """One refusal: the HTTP status, a heading, a sentence, and the way on."""

    status: int
    title: LazyString
    text: LazyString
    way_on: LazyString


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

PEOPLE: Final = {
    "code-unknown": ErrorText(
        404,
        _("We do not know this link"),
        _("The address is not complete, or the visit it belongs to has ended."),
        _("Go back to your learning platform and open the activity again."),
    ),
    "code-used": ErrorText(
        410,
        _("This page was opened already"),
        _("For safety each link into the training works once."),
        _("Go back to your learning platform and open the activity again."),
    ),
    "code-expired": ErrorText(
        410,
        _("This link has run out"),
        _("For safety each link into the training works for five minutes."),
        _("Go back to your learning platform and open the activity again."),
    ),
    "visit-unconfirmed": ErrorText(
        403,
        _("Please say first that this is you"),
        _("Your browser did not show that you opened the training yourself. Nothing is saved yet."),
        _("Go back and answer “Is this you?”, or open the activity again."),
    ),
    "school-not-set-up": ErrorText(
        403,
        _("The training is not set up yet"),
        _("This activity serves several schools, and nobody has chosen one for it so far."),
        _("Tell your school office or whoever gave you the link. A manager chooses once."),
    ),
    "not-a-manager": ErrorText(
        403,
        _("You cannot see this page"),
        _("It is for people who look after the training at your school."),
        _("If that should include you, ask a manager at your school, or use “Ask to manage”."),
    ),
    "person-not-here": ErrorText(
        404,
        _("We have no record of this person"),
        _("Whoever it is in the gradebook is not among the people of your school here."),
        _("A record begins when somebody opens the training, or with a staff list."),
    ),
    "manager-code-wrong": ErrorText(
        400,
        _("This code does not work"),
        _("It is not right for this school, was used before, or is older than thirty days."),
        _("Check it letter by letter, or ask for a new one."),
    ),
    "not-granted": ErrorText(
        400,
        _("This person is not a manager"),
        _("There is no grant for this school to take back."),
        _("Look at the list of managers and try again."),
    ),
    "payroll-number-taken": ErrorText(
        400,
        _("This payroll number is taken"),
        _("Somebody else at your school has it."),
        _("Correct it, or join the two people if they are one"),
    ),
    "absence-ends-early": ErrorText(
        400,
        _("The last day away is before the first"),
        _("Nothing was saved."),
        _("Write a day that is not before the first day away"),
    ),
    "absence-overlaps": ErrorText(
        400,
        _("They are away on some of these days already"),
        _("Nothing was saved."),
        _("Other days away that are entered already cover some of these: change those instead"),
    ),
    "last-manager": ErrorText(
        400,
        _("Your school needs a manager"),
        _("This is the last one. Nothing was changed."),
        _("Make somebody else a manager first."),
    ),
    "file-missing": ErrorText(
        400,
        _("No file was chosen"),
        _("No file was chosen."),
        _("Choose the CSV file, then press the button again."),
    ),
    "file-empty": ErrorText(
        400,
        _("The file is empty"),
        _("Nobody is in this file."),
        _("It needs a line of headings and a line for each person."),
    ),
    "file-too-large": ErrorText(
        413,
        _("The file is too large"),
        _("This file is larger than 4 MB."),
        _("A list of staff is far smaller. Leave out columns and sheets that are not needed."),
    ),
    "file-too-long": ErrorText(
        400,
        _("The file is too long"),
        _("This file has more than %(most)s lines."),
        _("Part it into several files and bring one after another."),
    ),
    "file-workbook": ErrorText(
        400,
        _("This is a workbook, not a CSV file"),
        _("This is an Excel workbook or a zip file."),
        _("In Excel choose File, Save as, “CSV UTF-8”, and bring that file."),
    ),
    "file-not-text": ErrorText(
        400,
        _("This is not a CSV file"),
        _("This file does not hold text."),
        _("Save the list of staff as CSV, and bring that file."),
    ),
    "file-without-header": ErrorText(
        400,
        _("The headings are missing"),
        _("None of the first lines has a heading “name”."),
        _(
            "Put these headings above the columns, as far as you have them: name, email, role "
            "group, site, start date, payroll number, leaving date."
        ),
    ),
    "file-columns-twice": ErrorText(
        400,
        _("Two columns say the same"),
        _("These columns mean the same to us: %(columns)s."),
        _("Take out one, or call it something else."),
    ),
    "import-gone": ErrorText(
        404,
        _("This file is no longer kept"),
        _("It was applied, put aside, replaced by another, or is older than eight hours."),
        _("Bring the file again from “Staff files”."),
    ),
    "import-overtaken": ErrorText(
        409,
        _("Something has changed meanwhile"),
        _("The school’s people are not what they were when this was shown. Nothing was done."),
        _("Look at it again and press the button once more."),
    ),
    "import-undone": ErrorText(
        409,
        _("This file was undone already"),
        _("Somebody undid it before. Nothing changed."),
        _("Go back to “Staff files”."),
    ),
    "import-learned": ErrorText(
        409,
        _("This file can no longer be undone"),
        _("%(people)s of its people have begun a training since, and that is kept."),
        _("Correct what is wrong person by person, or bring a corrected file."),
    ),
    "join-elsewhere": ErrorText(
        403,
        _("They cannot be joined from here"),
        _("One of them also belongs to another school, which you do not manage."),
        _("Ask the person to join the two themselves, signed in at both: “Is this also you?”."),
    ),
    "joined-already": ErrorText(
        409,
        _("They are one person already"),
        _("Somebody joined them before. Nothing changed."),
        _("Go back to the list of people."),
    ),
    "join-code-wrong": ErrorText(
        400,
        _("This code does not work"),
        _("It is mistyped, was used before, or is older than ten minutes."),
        _("Check it letter by letter, or show a new one where you are signed in as well."),
    ),
    "role-group-unknown": ErrorText(
        400,
        _("Choose what you do at the school"),
        _("What was sent is not one of the choices. Nothing was saved from it."),
        _("Go back and choose one of them."),
    ),
}

EVIDENCE: Final = {
    "filter-unknown": ErrorText(
        400,
        _("The register cannot be shown that way"),
        _("The address asks for something the register does not have: %(fields)s."),
        _("Open the register again and choose from its own filters."),
    ),
    "ledger-broken": ErrorText(
        500,
        _("The record no longer fits what was signed"),
        _("Something recorded at this school was altered or lost outside the tool."),
        _(
            "Nothing is signed or exported until whoever runs this installation has looked: "
            "“clauseway evidence verify” names the entry."
        ),
    ),
    "paper-for-oneself": ErrorText(
        403,
        _("Somebody else has to do that"),
        _("Nobody enters a declaration on paper for themselves, or takes one back."),
        _("Ask another manager of the school."),
    ),
    "paper-in-future": ErrorText(
        400,
        _("That day has not come yet"),
        _("A paper cannot have been signed in the future."),
        _("Go back and give the day that stands on the paper."),
    ),
    "paper-before-start": ErrorText(
        400,
        _("That is before the person started here"),
        _("The paper was signed before the person’s first day at the school."),
        _("Go back and give the day that stands on the paper, or put the start date right first."),
    ),
    "paper-before-version": ErrorText(
        400,
        _("This version was approved later"),
        _("Nobody could sign this version of the policy on that day."),
        _("Go back and choose the version that the paper names."),
    ),
    "paper-version-unknown": ErrorText(
        400,
        _("We do not have this version"),
        _("The school’s texts here hold no version of the policy with this number."),
        _("Go back and choose one of those that are offered."),
    ),
    "paper-again": ErrorText(
        409,
        _("This declaration has been entered already"),
        _("There is a declaration on paper for this person and this training."),
        _("Open the person’s record. What is wrong with it can be corrected there."),
    ),
    "paper-withdrawn": ErrorText(
        409,
        _("This declaration was taken back already"),
        _("It counts no more, and its record says so."),
        _("Open the person’s record to see what stands now."),
    ),
    "due-date-unfit": ErrorText(
        400,
        _("That day cannot be a due date"),
        _("Choose today or a later day, at most a year ahead."),
        _("Go back and choose another day."),
    ),
    "packs-under-way": ErrorText(
        409,
        _("Your school is waiting for packs already"),
        _("Three are being made, and no more can be asked for until one is ready."),
        _("Go back to the packs and wait a little."),
    ),
    "certificate-unknown": ErrorText(
        404,
        _("We know no certificate with this number"),
        _("No certificate with this number was issued here, or its record has been disposed of."),
        _("Look at the number again; if it is right, ask the school."),
    ),
    "certificate-mistyped": ErrorText(
        400,
        _("This cannot be the number of a certificate"),
        _("It has a slip in it: its twelve letters and digits check one another."),
        _("Look at the number again."),
    ),
    "certificate-withdrawn": ErrorText(
        403,
        _("This certificate has been withdrawn"),
        _("The school has taken it back, or the training that it is about."),
        _("Ask whoever looks after the training at your school."),
    ),
    "certificate-own": ErrorText(
        403,
        _("Somebody else has to decide on your certificate"),
        _("Nobody withdraws their own certificate, or lets it stand again."),
        _("Ask another manager of your school."),
    ),
    "certificate-stands-so": ErrorText(
        409,
        _("This has been decided already"),
        _("The certificate stands as you wanted it, or its training has been taken back."),
        _("Open it again to see how it stands."),
    ),
    "pack-gone": ErrorText(
        404,
        _("This pack is not here any more"),
        _("A pack is kept for thirty days after it was made."),
        _("Ask for a new one: it is made from the same record."),
    ),
    "pack-failed": ErrorText(
        500,
        _("The pack could not be made"),
        _("Something went wrong in the tool. Nothing in the record was changed."),
        _("Ask for it again. If that does not help, tell whoever runs this installation."),
    ),
    "pack-unsound": ErrorText(
        500,
        _("The pack did not pass its own check"),
        _("It was checked as a stranger would check it, and not handed out."),
        _("Tell whoever runs this installation: the log names what did not fit."),
    ),
}

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

# A room's errors stand in a group of their own above, and join the list here.
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

ERRORS: Final[dict[str, ErrorText]] = {
    **GENERAL,
    **PEOPLE,
    **EVIDENCE,
    **TRAINING,
    **CYCLES,
    **LTI,
    **CONNECT,
    **REMINDERS,
    **REVIEW,
    **RETENTION,
    **TEAMS,
}
