"""Words and answers for one school: placeholders filled in, a language chosen, a key made."""

import re
from collections.abc import Iterable

from lti_tool.curriculum.catalogue import Scenario
from lti_tool.policies.policy import PolicyVersion, School, Text
from lti_tool.policies.resolve import Resolution, State, Verdict, resolve

PLACEHOLDER = re.compile(r"\{([a-z0-9-]+)\}")


def answer_key(
    school: School, role_group: str, scenario: Scenario, *, version: PolicyVersion | None = None
) -> Resolution:
    """What the school's policy says on a scenario, for a reader of that role group.

    Without a version it is the newest that is no demonstration.
    """
    return resolve(version or school.policy, school, role_group, scenario.case)


def can_be_scored(resolution: Resolution, *, wrong_at_least: int = 1) -> bool:
    """Whether a case is settled with something to get right and something to get wrong."""
    wrong = len(resolution.judgements) - len(resolution.right)
    return resolution.state is State.SETTLED and bool(resolution.right) and wrong >= wrong_at_least


def letters(resolution: Resolution) -> str:
    """The verdicts in the order of the options, a mark each: ``✔✘○▽–``."""
    return "".join(_MARKS[judgement.verdict] for judgement in resolution.judgements)


_MARKS = {
    Verdict.RIGHT: "✔",
    Verdict.BREAKS: "✘",
    Verdict.NOT_ENOUGH: "○",
    Verdict.AGAINST_ADVICE: "▽",
    Verdict.NOT_SAID: "–",
}


def in_language(text: Text, language: str) -> str:
    """The text in that language, else in English."""
    return text.get(language) or text.get("en", "")


def fill(text: str, school: School, language: str) -> str:
    """The text with ``{headteacher}`` and the like as this school calls them.

    A name the school has not is left as it stands; the content check refuses it beforehand.
    """

    def name(found: re.Match[str]) -> str:
        said = named(school, found[1])
        return in_language(said, language) if said else found[0]

    return PLACEHOLDER.sub(name, text)


def named(school: School, placeholder: str) -> Text | None:
    """What stands for a placeholder at this school: a role's title or a statutory name."""
    role = school.role(placeholder)
    return role.title if role else school.terms.get(placeholder)


def placeholders(texts: Iterable[Text]) -> set[str]:
    """Every placeholder in any language of the texts."""
    return {name for text in texts for one in text.values() for name in PLACEHOLDER.findall(one)}
