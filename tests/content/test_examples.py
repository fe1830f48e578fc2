"""The worked examples come out at each school as their authors wrote them.

A cell reads ``c✔153 a✘116``: option, verdict, clauses (source lines). Options that a cell leaves
out are not asserted; every clause it names must be among the reasons. ``silent`` and ``conflict``
name the whole cell.
"""

import re

import pytest

from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.questions import answer_key
from lti_tool.policies.resolve import State, Verdict

MARKS = {
    "✔": Verdict.RIGHT,
    "✘": Verdict.BREAKS,
    "○": Verdict.NOT_ENOUGH,
    "▽": Verdict.AGAINST_ADVICE,
    "–": Verdict.NOT_SAID,
}
HC = "hemswell-cliff"
LFSSQ = "langley-fitzurse-and-stanton-st-quintin"
WS = "wren-spinney"
GL = "glenmere"
LL = "llanidloes"

EXPECTED = {
    "follow-request": {
        HC: "a✘42,58 b○44 c✔ d✘42",
        LFSSQ: "a✘116 b○153 c✔153 d✘116,138",
        WS: "a✘158 b○168 c✔158,168 d✘158",
        GL: "a✘78 b✔78 c✔ d✘59",
        LL: "a✘75 b✔ c✔ d–",
    },
    "school-gate-friend": {
        HC: "a✘42 b✘42 c✔ d✔",
        LFSSQ: "a✘153 b✘153 c✔153 d○153",
        WS: "silent",
        GL: "a▽39 b▽39 c✔ d✔",
        LL: "silent",
    },
    "former-pupil-17": {
        HC: "a✘58 b○44 c○44 d✔",
        LFSSQ: "a✘116,151 b○153 c✔ d✔",
        WS: "a✘158 b✔ c✔ d✔",
        GL: "a✘59 b✔ c✔ d✔",
        LL: "silent",
    },
    "former-pupil-18": {
        HC: "silent",
        LFSSQ: "conflict 116,151",
        WS: "a✘158 b✔ c✔ d✔",
        GL: "silent",
        LL: "silent",
    },
    "former-pupil-23": {
        HC: "silent",
        LFSSQ: "conflict 116,151,153 safer c",
        WS: "a✘158 b✔ c✔ d✔",
        GL: "silent",
        LL: "silent",
    },
    "logo-spoken-yes": {
        HC: "silent",
        LFSSQ: "a✘127 b✔ c✘127 d✔",
        WS: "silent",
        GL: "a✘75 b✔ c✘75 d✔",
        LL: "a✘71 b✘71 c✘71 d✔",
    },
    "first-badge": {
        HC: "a▽54 b▽54 c✔",
        LFSSQ: "silent",
        WS: "a✘160 b✘160 c✔83",
        GL: "silent",
        LL: "a✘83 b✘83 c✔63",
    },
    "sports-day-asked": {
        HC: "silent",
        LFSSQ: "a✘131 b✘131 c✔",
        WS: "a✘161 b✘161 c✔",
        GL: "silent",
        LL: "conflict 43,81 safer c",
    },
    "sports-day-unasked": {
        HC: "silent",
        LFSSQ: "a✘131 b✘131 c✔",
        WS: "a✘161 b✘161 c✔",
        GL: "silent",
        LL: "a✘43,81 b✘43,81 c✔",
    },
}
CELLS = [
    pytest.param(scenario, school, cell, id=f"{scenario}-{school}")
    for scenario, cells in EXPECTED.items()
    for school, cell in cells.items()
]


def clauses(numbers: str) -> set[str]:
    return {f"c{number}" for number in numbers.split(",") if number}


@pytest.mark.parametrize(("scenario_id", "school_id", "cell"), CELLS)
def test_example(content: Catalogue, scenario_id: str, school_id: str, cell: str) -> None:
    school = content.schools[school_id]
    assert not school.closed
    key = answer_key(school, "teaching", content.scenarios[scenario_id])
    if cell == "silent":
        assert key.state is State.SILENT
    elif cell.startswith("conflict"):
        _word, numbers, *safer = cell.split()
        assert key.state is State.CONFLICT
        assert clauses(numbers) <= set(key.at_odds)
        assert set(safer[1:]) <= set(key.safer_options)
    else:
        assert key.state is State.SETTLED
        judged = {one.option_id: one for one in key.judgements}
        verdicts = re.findall(r"([a-d])([✔✘○▽–])([\d,]*)", cell)
        assert len(verdicts) == len(judged)
        for option, mark, numbers in verdicts:
            assert judged[option].verdict is MARKS[mark], option
            found = {clause for reason in judged[option].reasons for clause in reason.clauses}
            assert clauses(numbers) <= found, option


@pytest.mark.parametrize(
    ("scenario_id", "option", "exactly"),
    [
        ("follow-request", "a", "42,58"),
        ("follow-request", "b", "44"),
        ("follow-request", "d", "42"),
        ("school-gate-friend", "a", "42"),
        ("former-pupil-17", "a", "58"),
        ("former-pupil-17", "c", "44"),
        ("first-badge", "a", "54"),
    ],
)
def test_hemswell_cliff_names_no_other_clause(
    content: Catalogue, scenario_id: str, option: str, exactly: str
) -> None:
    key = answer_key(content.schools[HC], "teaching", content.scenarios[scenario_id])
    judged = next(one for one in key.judgements if one.option_id == option)
    assert {name for reason in judged.reasons for name in reason.clauses} == clauses(exactly)


def test_an_inference_is_marked(content: Catalogue) -> None:
    key = answer_key(content.schools[HC], "teaching", content.scenarios["former-pupil-17"])
    stated = {one.option_id: [reason.stated for reason in one.reasons] for one in key.judgements}
    assert stated["a"] == [True]
    assert stated["c"] == [False]


def test_force_that_differs_is_a_point_for_review(content: Catalogue) -> None:
    key = answer_key(content.schools[HC], "teaching", content.scenarios["follow-request"])
    assert key.force_differs == (("c42", "c58"),)
