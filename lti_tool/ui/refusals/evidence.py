"""Refusals about evidence, packs and certificates."""

from typing import Final

from flask_babel import lazy_gettext as _

from lti_tool.ui.refusals.text import ErrorText

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
