"""What is said after an answer keeps the policy's force and claims nothing it does not say."""

from dataclasses import replace
from uuid import UUID

import pytest

from lti_tool.core.errors import ToolError
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.policies.policy import Force, Mode, PolicyVersion, Rule
from lti_tool.training.course import Course, new_course
from lti_tool.training.declarations import as_precise, is_name
from lti_tool.training.feedback import feedback
from lti_tool.training.models import Question
from tests.factories.little_school import little_school


def course(catalogue: Catalogue | None = None) -> Course:
    return new_course(
        catalogue or little_school(),
        school_id="little-school",
        module="induction",
        role_group="teaching",
    )


def with_policy(**changes: object) -> Course:
    catalogue = little_school()
    school = catalogue.schools["little-school"]
    version: PolicyVersion = replace(school.policy, **changes)  # type: ignore[arg-type]
    return course(replace(catalogue, schools={school.id: replace(school, versions=(version,))}))


def asked(scenario: str, choice: str = "a") -> Question:
    return Question(
        id=UUID(int=1),
        topic=scenario.rsplit("-", 1)[0],
        scenario=scenario,
        option_order=["c", "a", "b"],
        choice=choice,
    )


def changed_rule(course: Course, topic: str, **changes: object) -> tuple[Rule, ...]:
    return tuple(
        replace(rule, **changes) if rule.topics == (topic,) else rule  # type: ignore[arg-type]
        for rule in course.version.rules
    )


def test_options_stand_in_the_order_they_were_shown_in() -> None:
    said = feedback(course(), asked("topic-01-x"))
    assert [one.text for one in said.options] == ["Do it later", "Do it", "Leave it"]
    assert [one.kind for one in said.options] == ["breaks", "breaks", "right"]
    assert [one.is_chosen for one in said.options] == [False, True, False]


def test_advice_is_never_called_a_rule() -> None:
    said = feedback(course(), asked("topic-00-x"))
    assert [one.word for one in said.options] == ["Against advice", "Against advice", "Right"]
    assert "“is advised not to”" in said.clauses[0].force


def test_an_inference_is_called_one() -> None:
    rules = changed_rule(course(), "topic-01", stated=False)
    (clause,) = feedback(with_policy(rules=rules), asked("topic-01-x")).clauses
    assert clause.force == "We infer this: the policy does not say it in these words."
    assert clause.source == "Line 1"


def test_silence_quotes_nothing_and_names_whom_to_ask() -> None:
    said = feedback(course(), asked("topic-10-silent"))
    assert said.clauses == ()
    assert {one.word for one in said.options} == {"The policy does not say"}
    assert said.ask == "Headteacher"
    assert said.tell == ""


def test_where_a_child_may_be_at_risk_it_says_whom_to_tell() -> None:
    assert feedback(course(), asked("topic-05-x")).tell == "Headteacher"


def test_a_conflict_shows_both_clauses_and_the_authors_safer_course() -> None:
    said = feedback(course(), asked("topic-11-conflict"))
    assert [one.source for one in said.clauses] == ["Line 10", "Line 11"]
    assert said.safer == "Leave it alone."
    assert {one.kind for one in said.options} == {"silent"}


def test_without_an_authors_words_the_safer_options_are_named() -> None:
    tension = replace(course().version.tensions[0], safer={})
    said = feedback(with_policy(tensions=(tension,)), asked("topic-11-conflict"))
    safer = [one.text for one in said.options if one.word == "The safer course"]
    assert said.safer == " Or: ".join(sorted(safer))
    assert "Leave it" in safer


@pytest.mark.parametrize("name", ["gone", "topic-01-x"])
def test_a_question_the_bank_has_no_more_is_refused(name: str) -> None:
    question = asked(name)
    question.option_order = ["a", "b", "x"]
    with pytest.raises(ToolError) as refusal:
        feedback(course(), question)
    assert refusal.value.code == "question-withdrawn"


def test_what_cannot_be_got_right_or_wrong_is_not_asked() -> None:
    found = {one.scenario for one in course().candidates}
    assert "topic-01-x" in found
    only_right = replace(
        little_school(),
        scenarios={
            name: replace(one, case=replace(one.case, options=(one.case.options[0],)))
            for name, one in little_school().scenarios.items()
        },
    )
    assert {one.state for one in course(only_right).candidates} == {"silent", "conflict"}


def test_the_strongest_word_of_a_clause_stands_first() -> None:
    rules = course().version.rules
    softer = replace(rules[1], id="softer", force=Force.SHOULD, wording="should not")
    section = next(
        one for one in with_policy(rules=(softer, *rules)).sections if one.id == "private"
    )
    assert section.every[0].forces == ((Force.MUST, "will not"), (Force.SHOULD, "should not"))


def test_what_a_clause_permits_is_not_called_a_must() -> None:
    rules = course().version.rules
    allowed = replace(rules[1], id="allowed", mode=Mode.PERMITS, wording="can")
    section = next(
        one for one in with_policy(rules=(allowed, *rules)).sections if one.id == "private"
    )
    assert section.every[0].forces == ((Force.MUST, "will not"),)


@pytest.mark.parametrize(
    ("written", "shown"),
    [("2022-03", "March 2022"), ("2022-10-12", "12 October 2022"), ("2022", "2022")],
)
def test_a_date_is_as_precise_as_its_source(written: str, shown: str) -> None:
    assert as_precise(written) == shown


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("Siân O’Neill-Ap Rhys", True), ("王芳", True), ("", False), ("123", False), ("A\x00", False)],
)
def test_names_of_every_kind_are_names(name: str, is_one: bool) -> None:
    assert is_name(name) is is_one
