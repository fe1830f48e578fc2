"""The bank comes out at every school as its authors read the policies, not as rules happen to say.

Each ``expected_*.yaml`` maps scenario to school to a cell, for teaching staff: ``silent``, or
``conflict 43,81 safer c`` (clauses at odds, options that would be right), or every option's
verdict with the source lines that must be among its reasons: ``a✘42,58 b○44 c✔``.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml

from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.questions import answer_key, letters
from lti_tool.policies.policy import School
from lti_tool.policies.resolve import Judgement, State

SCHOOLS = {
    "hemswell-cliff",
    "langley-fitzurse-and-stanton-st-quintin",
    "wren-spinney",
    "glenmere",
    "llanidloes",
}
FILES = sorted(Path(__file__).parent.glob("expected_*.yaml"))
TABLES = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in FILES}
OPTION = re.compile(r"([a-d])([✔✘○▽–])([\d,]*)")


def cells() -> Iterator[object]:
    for table in TABLES.values():
        for scenario, schools in table.items():
            for school, cell in schools.items():
                yield pytest.param(scenario, school, cell, id=f"{scenario}-{school}")


def lines(clauses: Iterable[str]) -> set[str]:
    """Source lines of clause ids: ``c33-law`` is line 33."""
    return set(re.findall(r"\bc(\d+)", " ".join(clauses)))


def named(numbers: str) -> set[str]:
    return set(filter(None, numbers.split(",")))


def reasons(judgement: Judgement) -> set[str]:
    return lines(clause for reason in judgement.reasons for clause in reason.clauses)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_cell_is_filled(name: str) -> None:
    assert TABLES[name]
    assert {scenario: set(row) for scenario, row in TABLES[name].items()} == dict.fromkeys(
        TABLES[name], SCHOOLS
    )


@pytest.mark.parametrize("name", sorted(TABLES))
@pytest.mark.parametrize("school", sorted(SCHOOLS))
def test_every_school_scores_eight_of_each_file(name: str, school: str) -> None:
    scored = [row[school] for row in TABLES[name].values() if OPTION.match(row[school])]
    assert len(scored) >= 8


@pytest.mark.parametrize(("scenario_id", "school_id", "cell"), list(cells()))
def test_policy_answers_as_read(
    content: Catalogue, scenario_id: str, school_id: str, cell: str
) -> None:
    school: School = content.schools[school_id]
    assert not school.closed
    key = answer_key(school, "teaching", content.scenarios[scenario_id])
    if cell == "silent":
        assert key.state is State.SILENT, letters(key)
    elif cell.startswith("conflict"):
        _word, numbers, *safer = cell.split()
        assert key.state is State.CONFLICT, letters(key)
        assert named(numbers) <= lines(key.at_odds)
        assert set(safer[1:]) <= set(key.safer_options)
    else:
        expected = OPTION.findall(cell)
        assert key.state is State.SETTLED
        assert letters(key) == "".join(mark for _option, mark, _numbers in expected)
        for judgement, (option, _mark, numbers) in zip(key.judgements, expected, strict=True):
            assert judgement.option_id == option
            assert named(numbers) <= reasons(judgement), option
