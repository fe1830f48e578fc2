"""Every content file keeps the rules of writing that a machine can see."""

import hashlib

import pytest

from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.check import table
from lti_tool.curriculum.reading import ROOT

FILES = sorted((ROOT / "question_bank").rglob("*.yaml"))
BANNED = ("always", "never", "i would", "appropriate", "report immediately")


def test_files_were_found() -> None:
    assert len(FILES) >= 9


def test_no_school_is_closed(content: Catalogue) -> None:
    assert [str(fault) for fault in content.faults] == []
    assert "hemswell-cliff" in table(content)


@pytest.mark.parametrize("name", [path.stem for path in FILES])
def test_scenario_keeps_the_rules_of_writing(content: Catalogue, name: str) -> None:
    scenario = content.scenarios[name]
    options = [option.text["en"] for option in scenario.options]
    assert len(scenario.text["en"].split()) <= 60
    assert min(map(len, options)) >= 0.8 * max(map(len, options)), [len(one) for one in options]
    assert all(len(option.why["en"].split()) <= 40 for option in scenario.options)
    said = " ".join([scenario.text["en"], *options]).lower()
    assert [word for word in BANNED if word in said.split() or (" " in word and word in said)] == []


def test_hashes_name_the_canonical_file(content: Catalogue) -> None:
    for one in content.scenarios.values():
        assert hashlib.sha256(one.body).hexdigest() == one.sha256
    versions = [version for school in content.schools.values() for version in school.versions]
    assert len({version.sha256 for version in versions}) == len(versions) > 0
