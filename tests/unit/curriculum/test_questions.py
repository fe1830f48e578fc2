"""Words for one school."""

from pathlib import Path

from lti_tool.curriculum.check import table
from lti_tool.curriculum.questions import fill, in_language, placeholders
from lti_tool.curriculum.reading import read_catalogue


def test_placeholders_are_filled_with_the_schools_own_titles(root: Path) -> None:
    school = read_catalogue(root).schools["hemswell-cliff"]
    said = fill("Tell the {designated-person}; {inspectorate}; {nobody}.", school, "en")
    assert said == "Tell the Headteacher; Ofsted; {nobody}."


def test_a_language_that_is_missing_falls_back_to_english() -> None:
    assert in_language({"en": "Yes", "cy": "Ie"}, "cy") == "Ie"
    assert in_language({"en": "Yes"}, "cy") == "Yes"


def test_placeholders_are_found_in_every_language() -> None:
    assert placeholders([{"en": "{headteacher}", "cy": "{line-manager}"}]) == {
        "headteacher",
        "line-manager",
    }


def test_the_table_counts_states_and_topics(root: Path) -> None:
    catalogue = read_catalogue(root)
    row = table(catalogue).splitlines()[1].split()
    assert row == ["hemswell-cliff", "3", "0", "0", "3", "of", str(len(catalogue.topics))]
