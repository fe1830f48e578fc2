"""Every case is a test that carries its id, or says why it does not apply; the page says so."""

import subprocess
import sys

import pytest

from tools.conformance import Case, Part, faults, ids_in, read_cases, write_page

PARTS = [Part("One part", "", (Case("X-1", "asks one"), Case("X-2", "asks two", "not ours")))]
TESTS = {"X-1": {("tests/test_x.py", "test_x_1_shown")}}


def test_the_page_is_what_the_tests_say() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.conformance", "--check"], capture_output=True, text=True
    )
    assert not done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("test_sec_4_replay", ["SEC-4"]),
        ("test_sec_10", ["SEC-10"]),
        ("test_c_bad_05_not_an_object", ["C-BAD-05"]),
        ("test_c_ok_t1_instructor", ["C-OK-T1"]),
        ("test_c_ok_s_9", ["C-OK-S9"]),
        ("test_ags_4_and_ags_5_what_is_sent", ["AGS-4", "AGS-5"]),
        ("test_n_1_and_nr_6_roster", ["N-1", "NR-6"]),
        ("test_a_score_arrives", []),
        ("test_second_4_tries", []),
    ],
)
def test_a_name_says_which_cases(name: str, ids: list[str]) -> None:
    assert ids_in(name) == ids


def test_what_does_not_fit_together_is_said() -> None:
    assert faults(PARTS, TESTS) == []
    assert faults(PARTS, {}) == ["X-1 has neither a test nor a reason not to apply"]
    unknown = TESTS | {"X-9": {("tests/test_x.py", "test_x_9_nobody_asked")}}
    assert faults(PARTS, unknown) == ["X-9 is no case of cases.yaml: test_x_9_nobody_asked"]
    both = TESTS | {"X-2": TESTS["X-1"]}
    assert faults(PARTS, both) == ["X-2 has a reason not to apply, and a test"]


def test_the_page_names_tests_and_reasons() -> None:
    page = write_page(PARTS, TESTS)
    assert "2 cases: 1 shown by tests, 1 that do not apply.\n" in page
    assert "| X-1 | asks one | [`test_x_1_shown`](../tests/test_x.py) |" in page
    assert "| X-2 | asks two | does not apply. not ours |" in page
    assert "| X-1 | asks one | not tested yet |" in write_page(PARTS, {})


def test_cases_are_read() -> None:
    raw = {"parts": [{"title": "T", "cases": {"A-1": "x", "B-1": {"asks": "y", "reason": "z"}}}]}
    assert read_cases(raw) == [Part("T", "", (Case("A-1", "x"), Case("B-1", "y", "z")))]
