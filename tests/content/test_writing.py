"""The rules of writing that a machine can hold, and that there is enough to ask everywhere.

Words are counted as written, before a school's titles are filled in. “Lengths within 20 %” means
that the shortest option has at least four fifths of the longest one's characters: the longest of
the options should not give itself away, and a share of the longest is what the eye compares.
"""

import re
from collections import defaultdict
from itertools import combinations

import pytest

from lti_tool.curriculum.catalogue import Catalogue, Scenario
from lti_tool.curriculum.questions import answer_key, can_be_scored
from lti_tool.curriculum.reading import ROOT
from lti_tool.policies.resolve import State
from lti_tool.training.course import Course
from lti_tool.training.selection import choose

NAMES = sorted(path.stem for path in (ROOT / "question_bank").rglob("*.yaml"))
SCHOOLS = sorted(path.name for path in (ROOT / "modules" / "schools").iterdir())
STEM_WORDS = 60
WHY_WORDS = 40
SHORTEST = 0.8
SCENARIOS = 48
SCORED = 16
TELLING = re.compile(
    r"\b(always|never|i would|(in)?appropriate(ly)?|report immediately|policy|policies)\b", re.I
)
JUDGING = re.compile(
    r"\b(well done|correct|wrong|good choice|bad choice|unfortunately|you should|must"
    r"|breaks? (a|the) rules?|policy|policies)\b",
    re.I,
)


def situation(scenario: Scenario) -> str:
    return " ".join([scenario.text["en"], *(option.text["en"] for option in scenario.options)])


def deciding(scenario: Scenario) -> object:
    case = scenario.case
    return case.facts, case.agreements, [option.acts for option in case.options]


def test_ids_are_file_names(content: Catalogue) -> None:
    assert sorted(content.scenarios) == NAMES
    assert len(NAMES) >= SCENARIOS


@pytest.mark.parametrize("name", NAMES)
def test_situation_is_short_and_about_the_reader(content: Catalogue, name: str) -> None:
    text = content.scenarios[name].text["en"]
    assert len(text.split()) <= STEM_WORDS
    assert re.search(r"\byou(r|rs|rself)?\b", text, re.I)


@pytest.mark.parametrize("name", NAMES)
def test_options_do_not_give_themselves_away(content: Catalogue, name: str) -> None:
    scenario = content.scenarios[name]
    lengths = [len(option.text["en"]) for option in scenario.options]
    assert 3 <= len(lengths) <= 4
    assert min(lengths) >= SHORTEST * max(lengths), lengths
    assert not TELLING.search(situation(scenario))


@pytest.mark.parametrize("name", NAMES)
def test_feedback_is_short_and_leaves_the_verdict_to_the_policy(
    content: Catalogue, name: str
) -> None:
    for option in content.scenarios[name].options:
        assert len(option.why["en"].split()) <= WHY_WORDS, option.id
        assert not JUDGING.search(option.why["en"]), option.id


@pytest.mark.parametrize("name", NAMES)
def test_no_school_is_named(content: Catalogue, name: str) -> None:
    scenario = content.scenarios[name]
    said = " ".join([situation(scenario), *(one.why["en"] for one in scenario.options)]).lower()
    for school in SCHOOLS:
        first, second, *_rest = [*school.split("-"), ""]
        assert f"{first} {second}".strip() not in said


def test_siblings_differ_in_what_decides(content: Catalogue) -> None:
    families = defaultdict(list)
    for scenario in content.scenarios.values():
        families[scenario.family].append(scenario)
    for siblings in families.values():
        for one, other in combinations(siblings, 2):
            assert one.topic == other.topic, (one.id, other.id)
            assert one.text != other.text, (one.id, other.id)
            assert deciding(one) != deciding(other), (one.id, other.id)


def test_every_topic_is_scored_somewhere(content: Catalogue) -> None:
    scored = {
        scenario.topic
        for scenario in content.scenarios.values()
        for school in content.schools.values()
        if can_be_scored(answer_key(school, "teaching", scenario), wrong_at_least=2)
    }
    assert set(content.topics) - scored == set()


@pytest.mark.parametrize("school_id", SCHOOLS)
def test_every_school_scores_enough(content: Catalogue, school_id: str) -> None:
    keys = [
        answer_key(content.schools[school_id], "teaching", one)
        for one in content.scenarios.values()
    ]
    assert sum(map(can_be_scored, keys)) >= SCORED


@pytest.mark.parametrize("role_group", ["teaching", "support"])
@pytest.mark.parametrize("school_id", SCHOOLS)
def test_an_induction_can_be_drawn(content: Catalogue, school_id: str, role_group: str) -> None:
    school, module = content.schools[school_id], content.modules["induction"]
    course = Course(content, school, module, school.policy, role_group)
    for seed in range(20):
        chosen = choose(
            course.candidates,
            count=module.scenarios,
            unscored_at_most=module.unscored_at_most,
            seed=str(seed),
        )
        assert len(chosen) == module.scenarios == 10
        assert sum(one.state is not State.SETTLED for one in chosen) <= 2
        assert len({one.family for one in chosen}) == len(chosen)
