"""The words for what a check of a pack can find; the page in the browser uses the same."""

from typing import Final


def N_(text: str) -> str:
    """Marks a text for translation, and leaves it as it is."""
    return text


FINDINGS: Final = {
    "no-pack": N_("This is no pack of Clauseway, or it was cut off."),
    "container": N_("The zip file itself was changed at byte {offset}."),
    "file-missing": N_("{file} was taken out of the pack."),
    "file-added": N_("{file} was added to the pack."),
    "file-moved": N_("{file} does not lie where the manifest has it."),
    "file-twice": N_("{file} is in the pack twice."),
    "file-altered": N_("{file} was altered: it is not the file that the manifest names."),
    "unreadable": N_("{file} cannot be read."),
    "manifest-forged": N_("The manifest was altered, or its signature is forged."),
    "checkpoint-forged": N_("The checkpoint of {school} was altered, or its signature is forged."),
    "checkpoint-other-key": N_("The checkpoint of {school} is signed with another key."),
    "checkpoint-foreign": N_("There is a checkpoint of another school: {school}."),
    "checkpoint-missing": N_("The checkpoint of {school} is missing."),
    "entry-unreadable": N_("{file}, line {line}: it cannot be read."),
    "entry-order": N_("{file}, line {line}: entry {entry} of {school} is not in its place."),
    "entry-altered": N_(
        "Entry {entry} of {school} was altered: it does not lead to what was signed for."
    ),
    "disclosure-false": N_(
        "Entry {entry} of {school}: “{field}” is not the value that was recorded."
    ),
    "value-withheld": N_(
        "Entry {entry} of {school}: “{field}” is missing, and nothing says that it was erased."
    ),
    "erasure-unrecorded": N_(
        "Entry {entry} of {school}: “{field}” is said to have been erased, and the ledger's entry "
        "about it is missing."
    ),
    "records-differ": N_(
        "{school}, {records}: {expected} records were signed for, and the pack has {found}."
    ),
    "export-unrecorded": N_("{school}: the pack’s own entry in the ledger is missing."),
    "columns-differ": N_("{file}: its columns are not those of a pack."),
    "row-order": N_("{file}, line {line}: row {found} stands where row {expected} should."),
    "row-missing": N_("{file}: the row of entry {entry} of {school} is missing."),
    "row-added": N_("{file}, row {row}: there is no entry that it could be made from."),
    "cell-differs": N_(
        "{file}, row {row}, {column}: it says “{found}”, the entry says “{expected}”."
    ),
    "rows-differ": N_("{file} has {found} rows, and should have {expected}."),
    "workbook-differs": N_(
        "{file}, {table}, row {row}, {column}: it says “{found}”, the CSV file says “{expected}”."
    ),
    "workbook-row-missing": N_("{file}, {table}: row {row} of the CSV file is missing in it."),
    "workbook-row-added": N_("{file}, {table}: row {row} is not in the CSV file."),
    "workbook-rows": N_("{file}, {table}: it has {found} rows, the CSV file {expected}."),
    "key-other": N_("The pack is signed with another key than the one you typed."),
    "code-mistyped": N_("The code was mistyped: {why}."),
    "code-other": N_("The code you typed is not that of this pack. It belongs to another one."),
}
MISTYPED: Final = {
    "letter": N_("no code has the letter {letter}"),
    "length": N_("a code has 20 letters, this one {found}"),
    "check": N_("a letter is wrong, or two are swapped"),
}
ERASED: Final = N_(
    "Erased under retention: the names of {number} records. The school’s period for them had run "
    "out; the records themselves are whole, and the ledger says when and by which rule."
)
VERDICTS: Final = {
    "altered": N_("This pack is not what was exported."),
    "origin-not-shown": N_("Intact, origin not shown."),
    "genuine": N_("Intact, and of the origin you know."),
}
EXPLAINED: Final = {
    "altered": N_("Do not rely on it. What was altered:"),
    "origin-not-shown": N_(
        "All its parts fit one another. That alone anybody can make: type in the code from the "
        "minutes, or the fingerprint of the key, to see whether it is the school’s own."
    ),
    "genuine": N_(
        "Nothing recorded has changed since the checkpoint. It does not show who was at the "
        "keyboard."
    ),
}
