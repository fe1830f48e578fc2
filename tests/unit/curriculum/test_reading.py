"""Bad content is told by file and line, all of it at once, and closes no more than it must."""

import re
import shutil
from pathlib import Path

import pytest

from lti_tool.curriculum.reading import ROOT, ContentFaults, read_catalogue
from tests.unit.curriculum.conftest import Spoil

QUESTION = "question_bank/follow-request.yaml"
POLICY = "modules/schools/hemswell-cliff/policy-2022-03.yaml"
SCHOOL = "modules/schools/hemswell-cliff/school.yaml"
BAN = """  no-way-out:
    topics: [parent-requests]
    clauses: [c42]
    forbids: [{act: decline-contact}, {act: leave-unanswered}]
    when: {person: parent}
    force: must
    wording: will not
"""


def line_of(path: Path, words: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if words in line)


def make_demonstration(path: Path) -> None:
    """Nobody's document: it names no source."""
    text = re.sub(r"source:\n(  .*\n)+", "", path.read_text(encoding="utf-8"))
    path.write_text(f"demonstration: true\n{text}", encoding="utf-8")


def faults_of(root: Path) -> list[str]:
    with pytest.raises(ContentFaults) as found:
        read_catalogue(root)
    return [str(fault) for fault in found.value.faults]


def closed_by(root: Path) -> tuple[str, ...]:
    return read_catalogue(root).schools["hemswell-cliff"].closed


def test_good_content_is_read(root: Path) -> None:
    catalogue = read_catalogue(root)
    assert catalogue.faults == ()
    assert set(catalogue.modules) == {
        "induction",
        "annual-refresh",
        "policy-update",
        "before-you-start",
    }
    assert catalogue.schools["hemswell-cliff"].policy.number == "2022-03"
    assert catalogue.role_groups == ("governor", "supply", "support", "teaching", "volunteer")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("topic: pupil-requests", "topic: pupil-request", "unknown topic “pupil-request”"),
        ("age: 10", "aeg: 10", "unknown fact “aeg”"),
        ("age: 10", "age: ten", "age must be a whole number"),
        ("person: pupil", "person: puppil", "person “puppil” is none of"),
        ("act: leave-unanswered", "act: leave", "unknown act “leave”"),
        ("to: designated-person", "to: designated", "to “designated” is none of"),
        ("delay: at-once", "dealy: at-once", "unknown parameter of report “dealy”"),
        ("version: 1", "version: one", "version: Not a valid integer."),
        ("version: 1", "version: 1\nversion: 2", "“version” stands here twice"),
        ("version: 1", "versoin: 1", "versoin: Unknown field."),
        ("text:\n  en:", "text:\n  cy:", "text: English (en) is missing."),
        ("the {designated-person} about", "the {dsl} about", "{dsl} is no role and no term"),
        ("options:", "options: [", "not YAML"),
    ],
)
def test_a_fault_in_a_scenario_stops_the_start(
    root: Path, spoil: Spoil, old: str, new: str, message: str
) -> None:
    spoil(QUESTION, old, new)
    assert any(one.startswith(f"{QUESTION}:") and message in one for one in faults_of(root))


def test_a_fault_tells_its_line(root: Path, spoil: Spoil) -> None:
    spoil(QUESTION, "act: leave-unanswered", "act: leave-it")
    line = line_of(root / QUESTION, "leave-it")
    assert faults_of(root) == [f"{QUESTION}:{line}: unknown act “leave-it”"]


def test_all_faults_are_told_at_once(root: Path, spoil: Spoil) -> None:
    spoil(QUESTION, "age: 10", "aeg: 10")
    spoil("question_bank/school-gate-friend.yaml", "person: parent", "person: mother")
    spoil("modules/topics.yaml", "important: true", "importent: true")
    spoil(POLICY, "clauses: [c58]", "clauses: [c59]")
    paths = [one.split(":")[0] for one in faults_of(root)]
    assert {
        QUESTION,
        "question_bank/school-gate-friend.yaml",
        "modules/topics.yaml",
        POLICY,
    } <= set(paths)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (POLICY, "clauses: [c58]", "clauses: [c59]", "unknown clause “c59”"),
        (POLICY, "clauses: [c58]", "clauses: []", "Name a clause."),
        (POLICY, "{act: stay-public}", "{act: stay-open}", "unknown act “stay-open”"),
        (POLICY, "age: {lt: 18}", "age: {under: 18}", "“under” is none of lt, le, gt, ge"),
        (POLICY, "force: advised", "force: strong", "rules.privacy-highest.force"),
        (POLICY, "topics: [privacy-settings]", "topics: [privacy]", "unknown topic “privacy”"),
        (POLICY, "any_of: [headteacher]", "any_of: [head]", "unknown role “head”"),
        (POLICY, "any_of: [headteacher]", "any_of: []", "Say whose approval"),
        (POLICY, "binds: [teaching, support", "binds: [teachers, support", "role group “teachers”"),
        (POLICY, "c18:", "c16:", "stands here twice"),
        (SCHOOL, "headteacher: {title", "head: {title", "unknown role “head”"),
        (SCHOOL, "ask: headteacher", "ask: headmaster", "“headmaster”"),
        (
            SCHOOL,
            "headteacher: [designated-person,",
            "headteacher: [",
            "“designated-person” is mis",
        ),
        (SCHOOL, "languages: [en]", "languages: [en, cy]", "requires “cy”"),
        (SCHOOL, "example: true", "document: policy.pdf", "“policy.pdf” is missing"),
        (SCHOOL, "name: Hemswell", "nome: Hemswell", "name: Missing data"),
        (POLICY, "title:", "demonstration: true\ntitle:", "a demonstration none"),
        (POLICY, "source:", "demonstration: false\nnosource:", "nosource: Unknown field."),
        (SCHOOL, "example: true", "trust: Our Trust", "trust: Use small letters"),
        (SCHOOL, "example: true", "year_starts: 02-29", "year_starts: Write a month and a day"),
    ],
)
def test_a_schools_own_fault_closes_that_school_alone(
    root: Path, spoil: Spoil, name: str, old: str, new: str, message: str
) -> None:
    shutil.copytree(
        root / "modules/schools/hemswell-cliff", root / "modules/schools/another-school"
    )
    spoil(name, old, new)
    assert any(one.startswith(f"{name}:") and message in one for one in closed_by(root))
    assert read_catalogue(root).schools["another-school"].closed == ()


def test_a_school_keeps_the_versions_that_can_be_read(root: Path, spoil: Spoil) -> None:
    folder = root / "modules/schools/hemswell-cliff"
    shutil.copy(root / POLICY, folder / "policy-2024-09.yaml")
    spoil("modules/schools/hemswell-cliff/policy-2024-09.yaml", "c58]", "c999]")
    school = read_catalogue(root).schools["hemswell-cliff"]
    assert school.closed
    assert school.policy.number == "2022-03"


def test_versions_stand_oldest_first(root: Path) -> None:
    folder = root / "modules/schools/hemswell-cliff"
    shutil.copy(root / POLICY, folder / "policy-2024-09.yaml")
    school = read_catalogue(root).schools["hemswell-cliff"]
    assert [version.number for version in school.versions] == ["2022-03", "2024-09"]


def test_a_demonstration_is_no_policy_in_use(root: Path) -> None:
    folder = root / "modules/schools/hemswell-cliff"
    shutil.copy(root / POLICY, folder / "policy-2024-09.yaml")
    make_demonstration(folder / "policy-2024-09.yaml")
    school = read_catalogue(root).schools["hemswell-cliff"]
    assert [version.demonstration for version in school.versions] == [False, True]
    assert school.policy.number == "2022-03"
    assert (school.version("2024-09"), school.version("1999-01")) == (school.versions[1], None)


def test_a_school_of_demonstrations_alone_has_no_policy(root: Path) -> None:
    make_demonstration(root / POLICY)
    (said,) = closed_by(root)
    assert "that is no demonstration" in said
    with pytest.raises(LookupError):
        _ = read_catalogue(root).schools["hemswell-cliff"].policy


def test_a_demonstration_is_checked_as_well(root: Path, spoil: Spoil) -> None:
    folder = POLICY.rsplit("/", 1)[0]
    shutil.copy(root / POLICY, root / folder / "policy-2024-09.yaml")
    name = f"{folder}/policy-2024-09.yaml"
    make_demonstration(root / name)
    # Nothing is right any more: what is asked for is forbidden by another rule.
    spoil(name, "rules:\n", f"rules:\n{BAN}")
    (fault,) = faults_of(root)
    assert "at hemswell-cliff/2024-09 needs a right option" in fault


def test_trust_and_school_year(root: Path, spoil: Spoil) -> None:
    school = read_catalogue(root).schools["hemswell-cliff"]
    assert (school.trust, school.year_starts) == ("", (9, 1))
    spoil(SCHOOL, "example: true", "example: true\ntrust: our-trust\nyear_starts: 08-15")
    school = read_catalogue(root).schools["hemswell-cliff"]
    assert (school.trust, school.year_starts) == ("our-trust", (8, 15))


def test_too_little_that_is_wrong_is_a_fault_at_a_school_of_the_repository(
    root: Path, spoil: Spoil
) -> None:
    spoil(QUESTION, "act: accept-contact, as: follower, list: restricted", "act: block-person")
    spoil(QUESTION, "act: communicate, via: personal-account, about: refusal", "act: block-person")
    spoil(
        QUESTION,
        "- {act: leave-unanswered}",
        "- {act: leave-unanswered}\n      - {act: report, to: headteacher}",
    )
    spoil(QUESTION, "act: block-person", "act: report, to: headteacher")
    (fault,) = faults_of(root)
    assert fault.startswith(f"{QUESTION}:1: at hemswell-cliff needs a right option and 2 not right")
    spoil(QUESTION, "version: 1", "version: 1\none_wrong: true")
    assert read_catalogue(root).scenarios["follow-request"].one_wrong


def test_a_schools_own_folder_is_read_beside_and_instead(root: Path, tmp_path: Path) -> None:
    extra = tmp_path / "own"
    for slug in ("hemswell-cliff", "our-school"):
        shutil.copytree(ROOT / "modules/schools/hemswell-cliff", extra / "modules/schools" / slug)
    path = extra / SCHOOL
    path.write_text(path.read_text().replace("name: Hemswell Cliff", "name: Our Hemswell Cliff"))
    catalogue = read_catalogue(root, extra)
    assert set(catalogue.schools) == {"hemswell-cliff", "our-school"}
    assert catalogue.schools["hemswell-cliff"].name.startswith("Our")


def test_the_same_name_in_two_folders_is_a_fault(root: Path) -> None:
    (root / "question_bank/more").mkdir()
    shutil.copy(root / QUESTION, root / "question_bank/more/follow-request.yaml")
    assert any("has the same name" in one for one in faults_of(root))


def test_a_bad_vocabulary_is_told_alone(root: Path, spoil: Spoil) -> None:
    spoil("modules/vocabulary.yaml", "same_as: channel", "same_as: chanel")
    assert all(one.startswith("modules/vocabulary.yaml:") for one in faults_of(root))
