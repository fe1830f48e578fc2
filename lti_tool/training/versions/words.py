"""What differs between two versions, whom it concerns and what it weighs, in words."""

from collections.abc import Iterable
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext
from flask_babel.speaklater import LazyString

from lti_tool.policies.diff import ClauseChange, Diff, Kind, Weight, obliged
from lti_tool.policies.parts import Part, PartChange
from lti_tool.policies.policy import Force, Rule, Tension
from lti_tool.training.declarations import as_precise
from lti_tool.training.versions.preview import IN_TRAINING, KNOWN, NOT_DECLARED, UNBOUND
from lti_tool.ui.format import day

KIND_WORDS: Final[dict[Kind, LazyString]] = {
    Kind.ADDED: lazy_gettext("New"),
    Kind.REMOVED: lazy_gettext("Taken out"),
    Kind.RULE: lazy_gettext("Asks something else"),
    Kind.WORDING: lazy_gettext("Other words"),
    Kind.MOVED: lazy_gettext("Moved"),
}
WEIGHT_WORDS: Final[dict[str, LazyString]] = {
    "first": lazy_gettext("First"),
    Weight.MAJOR: lazy_gettext("Major"),
    Weight.MINOR: lazy_gettext("Minor"),
}
GROUP_WORDS: Final[dict[str, LazyString]] = {
    "": lazy_gettext("Not known yet"),
    "teaching": lazy_gettext("Teaching staff"),
    "support": lazy_gettext("Support staff"),
    "governor": lazy_gettext("Governor"),
    "volunteer": lazy_gettext("Volunteer"),
    "supply": lazy_gettext("Supply or visitor"),
    "moderator": lazy_gettext("Whoever runs the school’s pages"),
    "school": lazy_gettext("The school itself"),
}
FORCE_WORDS: Final[dict[Force, LazyString]] = {
    Force.MUST: lazy_gettext("must"),
    Force.SHOULD: lazy_gettext("should"),
    Force.ADVISED: lazy_gettext("advice"),
}
ASPECT_WORDS: Final[dict[str, LazyString]] = {
    "mode": lazy_gettext("whether it forbids, asks or allows"),
    "patterns": lazy_gettext("which acts it is about"),
    "force": lazy_gettext("how strongly it binds"),
    "wording": lazy_gettext("its words of force"),
    "when": lazy_gettext("for which cases"),
    "unless": lazy_gettext("its exceptions"),
    "if_doing": lazy_gettext("what makes it a duty"),
    "approval": lazy_gettext("whose permission lifts it"),
    "exception_permits": lazy_gettext("what its exception allows"),
    "binds": lazy_gettext("whom it binds"),
    "stated": lazy_gettext("whether it is said outright or inferred"),
    "safer": lazy_gettext("what to do meanwhile"),
}
EXCUSE_WORDS: Final[dict[str, LazyString]] = {
    UNBOUND: lazy_gettext("nothing that asks something of them has changed"),
    NOT_DECLARED: lazy_gettext("have declared no version yet, and learn this one when they do"),
    IN_TRAINING: lazy_gettext("owe their new starter training or refresh, which teaches it"),
    KNOWN: lazy_gettext("have learned it already"),
}
DETAIL_WORDS: Final[dict[str, LazyString]] = {
    "title": lazy_gettext("Title"),
    "language": lazy_gettext("Language"),
    "approved_by": lazy_gettext("Approved by"),
    "approved_on": lazy_gettext("Date"),
    "review_cycles": lazy_gettext("Review"),
    "next_review_on": lazy_gettext("Next review"),
    "source_name": lazy_gettext("Source"),
    "source_sha256": lazy_gettext("Fingerprint of the source (SHA-256)"),
    "cites": lazy_gettext("Guidance it names"),
}


def because(diff: Diff) -> str:
    """Why the comparison proposes the weight that it does."""
    if diff.weight is Weight.MAJOR:
        return str(
            ngettext(
                "%(num)s clause asks something else than before, of: %(groups)s.",
                "%(num)s clauses ask something else than before, of: %(groups)s.",
                len(diff.obliging),
                groups=groups(obliged(diff.clauses)).lower(),
            )
        )
    if any(
        one.kind in (Kind.RULE, Kind.ADDED, Kind.REMOVED) and one.topics for one in diff.clauses
    ):
        return str(
            _(
                "What asks something else binds the school itself or whoever runs its pages. The "
                "tool does not know who that is: tell them."
            )
        )
    if not diff.clauses:
        return str(_("No clause differs."))
    return str(_("Words, notices or places differ, and nobody has to act otherwise."))


def groups(names: Iterable[str]) -> str:
    """Role groups by their names, in one order everywhere."""
    return ", ".join(str(GROUP_WORDS[name]) for name in GROUP_WORDS if name in set(names))


def parts_words(diff: Diff, change: ClauseChange) -> list[str]:
    """How the rules and tensions of a clause differ; what reads the same is said once. A rule
    that rests on another clause now says on which."""
    found = []
    for part in change.parts:
        said = _part_words(part)
        if part.after and part.before and not _is_in(part.after, change):
            by = (diff.after.clauses[name].locator for name in part.after.clauses)
            said = f"{said}. {_('It is asked now by: %(clauses)s', clauses='; '.join(by))}"
        found.append(said)
    return list(dict.fromkeys(found))


def _is_in(part: Part, change: ClauseChange) -> bool:
    return change.after is not None and change.after.id in part.clauses


def _part_words(part: PartChange) -> str:
    if isinstance(part.after, Tension) and part.before is None:
        return str(_("New: it is at odds with another clause"))
    if isinstance(part.before, Tension) and part.after is None:
        return str(_("No longer at odds with another clause"))
    if part.before is None and part.after is not None:
        return str(_("New: %(rule)s", rule=_said(part.after)))
    if part.after is None and part.before is not None:
        return str(_("No longer: %(rule)s", rule=_said(part.before)))
    before, after = _said(part.before), _said(part.after)
    what = ", ".join(str(words) for name, words in ASPECT_WORDS.items() if name in part.what)
    if before == after:
        return str(_("%(rule)s. What differs: %(what)s", rule=after, what=what))
    return str(
        _(
            "%(before)s becomes %(after)s. What differs: %(what)s",
            before=before,
            after=after,
            what=what,
        )
    )


def detail(name: str, value: Any) -> str:
    """A fact about a version as people read it; a dash for none."""
    match name:
        case "title":
            return str(value["en"])
        case "approved_on":
            return as_precise(value)
        case "next_review_on":
            return day(value) or "–"
        case "review_cycles":
            return "; ".join(value) or "–"
        case "cites":
            return "; ".join(f"{one.name} ({one.edition})" for one in value) or "–"
    return str(value) or "–"


def _said(part: Part | None) -> str:
    if isinstance(part, Rule):
        return f"“{part.wording}” ({FORCE_WORDS[part.force]})"
    return str(_("At odds with another clause"))
