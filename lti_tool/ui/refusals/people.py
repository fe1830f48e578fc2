"""Refusals about who may do what, and about staff lists."""

from typing import Final

from flask_babel import lazy_gettext as _

from lti_tool.ui.refusals.text import ErrorText

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
