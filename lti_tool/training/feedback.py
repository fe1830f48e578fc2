"""What a person is told once they have answered: the policy's clause, and each option in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from lti_tool.curriculum.catalogue import ScenarioOption
from lti_tool.policies.resolve import Judgement, Reason, Resolution, State, Verdict
from lti_tool.training.course import Course, Provision
from lti_tool.training.models import Question
from lti_tool.training.questions import Sitting, scenario_of

WORDS: Final = {
    Verdict.RIGHT: ("right", lazy_gettext("Right")),
    Verdict.BREAKS: ("breaks", lazy_gettext("Breaks a rule")),
    Verdict.NOT_ENOUGH: ("not-enough", lazy_gettext("Not enough on its own")),
    Verdict.AGAINST_ADVICE: ("advice", lazy_gettext("Against advice")),
    Verdict.NOT_SAID: ("silent", lazy_gettext("The policy does not say")),
}


@dataclass(frozen=True)
class Quoted:
    """A clause as it is shown: text, where it stands, and the words in which it binds."""

    text: str
    source: str
    force: str = ""


@dataclass(frozen=True)
class OptionShown:
    """An option with its verdict: ``kind`` is the mark's shape and colour, ``word`` says it."""

    text: str
    kind: str
    word: str
    why: str
    grounds: str
    is_chosen: bool


@dataclass(frozen=True)
class Feedback:
    """The page after an answer. ``ask`` and ``tell`` name roles by the school's own titles."""

    state: State
    clauses: tuple[Quoted, ...]
    options: tuple[OptionShown, ...]
    safer: str
    ask: str
    tell: str
    """Whom to tell, where a child's safety may be at stake; else empty."""


def feedback(course: Course, question: Question) -> Feedback:
    """What this school's policy says on an answered question.

    Raises ``ToolError`` question-withdrawn.
    """
    scenario = scenario_of(course, question)
    resolution = course.resolution(scenario)
    options = {one.id: one for one in scenario.options}
    judged = {one.option_id: one for one in resolution.judgements}
    school = course.school
    is_about_safety = course.catalogue.topics[question.topic].child_safety
    return Feedback(
        state=resolution.state,
        clauses=_quoted(course, resolution),
        options=tuple(
            _shown(course, resolution, options[one], judged[one], one == question.choice)
            for one in question.option_order
        ),
        safer=_safer(course, resolution, options.values()),
        ask=course.role(school.ask),
        tell=course.role(school.report_to[0]) if is_about_safety else "",
    )


def read_again(course: Course, sitting: Sitting, topic: str) -> tuple[Provision, ...]:
    """The clauses on a missed topic: those that speak on it, and those its answer rested on."""
    names = {one.clause.id for one in course.provisions_on([topic])}
    asked = [one for one in sitting.questions if one.topic == topic and one.answered_at]
    for scenario in [scenario_of(course, one) for one in asked[-1:]]:
        reasons = [why for one in course.resolution(scenario).judgements for why in one.reasons]
        names |= {clause for why in reasons for clause in why.clauses}
    return tuple(one for one in course.provisions if one.clause.id in names)


def _quoted(course: Course, resolution: Resolution) -> tuple[Quoted, ...]:
    reasons = [why for one in resolution.judgements for why in one.reasons]
    cited = [clause for why in reasons for clause in why.clauses]
    return tuple(
        _quote(course, clause, [why for why in reasons if clause in why.clauses])
        for clause in dict.fromkeys([*resolution.at_odds, *cited])
    )


def _quote(course: Course, clause_id: str, reasons: Sequence[Reason]) -> Quoted:
    clause = course.version.clauses[clause_id]
    wordings = dict.fromkeys(why.wording for why in reasons if why.wording)
    force = ", ".join(f"“{wording}”" for wording in wordings)
    if reasons and not any(why.stated for why in reasons):
        force = _("We infer this: the policy does not say it in these words.")
    elif force:
        force = _("The policy’s own words: %(words)s", words=force)
    return Quoted(course.say(clause.text), clause.locator, force)


def _shown(
    course: Course,
    resolution: Resolution,
    option: ScenarioOption,
    judgement: Judgement,
    is_chosen: bool,
) -> OptionShown:
    kind, word = WORDS[judgement.verdict]
    if resolution.state is State.CONFLICT:
        is_safer = option.id in resolution.safer_options
        word = _("The safer course") if is_safer else _("The policy says two things")
    clauses = dict.fromkeys(clause for why in judgement.reasons for clause in why.clauses)
    locators = [course.version.clauses[clause].locator for clause in clauses]
    return OptionShown(
        text=course.say(option.text),
        kind=kind,
        word=str(word),
        why=course.say(option.why),
        grounds=" · ".join(dict.fromkeys(locators)),
        is_chosen=is_chosen,
    )


def _safer(course: Course, resolution: Resolution, options: Iterable[ScenarioOption]) -> str:
    if resolution.safer:
        return course.say(resolution.safer)
    safer = [course.say(one.text) for one in options if one.id in resolution.safer_options]
    return str(_(" Or: ")).join(safer)
