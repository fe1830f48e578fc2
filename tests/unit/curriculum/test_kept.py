"""A school at fault is read as it was last good, from a copy that cannot be half written."""

import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from zipfile import ZipFile

import pytest

from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.check import served_as_kept, table
from lti_tool.curriculum.kept import keep_school, read_kept
from lti_tool.curriculum.questions import answer_key, can_be_scored
from lti_tool.curriculum.reading import ContentFaults, read_catalogue
from lti_tool.policies.resolve import State
from tests.unit.curriculum.conftest import Spoil

SLUG = "hemswell-cliff"
FOLDER = f"modules/schools/{SLUG}"
POLICY = f"{FOLDER}/policy-2022-03.yaml"
SCHOOL = f"{FOLDER}/school.yaml"
QUESTION = "question_bank/follow-request.yaml"
TELLING = "{act: report, to: headteacher}"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return tmp_path / "instance/kept"


def start(root: Path, shelf: Path, now: datetime = NOW) -> Catalogue:
    return read_catalogue(root, shelf=shelf, now=now)


def test_a_school_at_fault_is_read_as_it_was_last_good(
    root: Path, shelf: Path, spoil: Spoil
) -> None:
    shutil.copytree(root / FOLDER, root / "modules/schools/another-school")
    before = start(root, shelf)
    assert before.kept == {}
    spoil(POLICY, "clauses: [c58]", "clauses: [c59]")
    after = start(root, shelf, LATER)
    school, kept = after.schools[SLUG], after.kept[SLUG]
    assert school.closed == ()
    assert school.policy.sha256 == before.schools[SLUG].policy.sha256
    assert school.policy.body == before.schools[SLUG].policy.body
    assert kept.since == NOW
    assert kept.faults == tuple(map(str, after.faults))
    assert "unknown clause “c59”" in kept.faults[0]
    assert set(after.kept) == {SLUG}
    assert after.schools["another-school"] == before.schools["another-school"]
    (line,) = served_as_kept(after)
    assert line.startswith(f"{SLUG}: ")
    assert "kept on 2026-11-23 at 09:00 UTC" in line
    assert [row.endswith("as kept") for row in table(after).splitlines()] == [False, False, True]


def test_mended_files_are_taken_again_and_kept(root: Path, shelf: Path, spoil: Spoil) -> None:
    start(root, shelf)
    spoil(SCHOOL, "ask: headteacher", "ask: nobody")
    assert set(start(root, shelf).kept) == {SLUG}
    spoil(SCHOOL, "ask: nobody", "ask: chair-of-governors")
    after = start(root, shelf, LATER)
    assert after.kept == {}
    assert after.schools[SLUG].ask == "chair-of-governors"
    spoil(SCHOOL, "ask: chair-of-governors", "ask: nobody")
    assert start(root, shelf).kept[SLUG].since == LATER
    assert start(root, shelf).schools[SLUG].ask == "chair-of-governors"


@pytest.mark.parametrize("gone", [SCHOOL, POLICY])
def test_a_file_that_is_gone_is_a_fault_too(root: Path, shelf: Path, gone: str) -> None:
    start(root, shelf)
    (root / gone).unlink()
    after = start(root, shelf)
    assert set(after.kept) == {SLUG}
    assert after.schools[SLUG].policy.number == "2022-03"
    assert "missing" in after.faults[0].message or "has no policy" in after.faults[0].message


def test_a_school_that_never_was_good_is_closed(root: Path, shelf: Path, spoil: Spoil) -> None:
    spoil(POLICY, "clauses: [c58]", "clauses: [c59]")
    after = start(root, shelf)
    assert after.schools[SLUG].closed
    assert after.kept == {}
    assert not shelf.exists()


def test_reading_alone_keeps_nothing(root: Path, shelf: Path) -> None:
    read_catalogue(root, shelf=shelf)
    assert not shelf.exists()


def test_bad_shared_content_keeps_nothing(root: Path, shelf: Path, spoil: Spoil) -> None:
    spoil(QUESTION, "age: 10", "aeg: 10")
    with pytest.raises(ContentFaults):
        start(root, shelf)
    assert not shelf.exists()


def test_the_schools_own_document_is_kept_with_it(root: Path, shelf: Path, spoil: Spoil) -> None:
    spoil(SCHOOL, "example: true", "document: policy.pdf")
    (root / FOLDER / "policy.pdf").write_bytes(b"%PDF as adopted")
    start(root, shelf)
    (root / FOLDER / "policy.pdf").unlink()
    after = start(root, shelf)
    assert after.schools[SLUG].document == "policy.pdf"
    assert after.kept[SLUG].files["policy.pdf"] == b"%PDF as adopted"


def test_a_copy_is_written_for_its_owner_alone_and_only_when_something_changed(
    root: Path, shelf: Path, spoil: Spoil
) -> None:
    start(root, shelf)
    (path,) = shelf.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = path.stat()
    start(root, shelf, LATER)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    spoil(SCHOOL, "ask: headteacher", "ask: chair-of-governors")
    start(root, shelf, LATER)
    assert path.stat().st_ino != first.st_ino
    assert [one.name for one in shelf.iterdir()] == [f"{SLUG}.zip"]
    with ZipFile(path) as copy:
        assert copy.read("school.yaml") == (root / SCHOOL).read_bytes()


def test_a_copy_that_no_longer_fits_closes_the_school_and_says_why(
    root: Path, shelf: Path, spoil: Spoil
) -> None:
    start(root, shelf)
    spoil(POLICY, "clauses: [c58]", "clauses: [c59]")
    text = (root / "modules/vocabulary.yaml").read_text(encoding="utf-8")
    assert "stay-public" in text
    for path in (root / "modules/vocabulary.yaml", root / POLICY):
        path.write_text(path.read_text().replace("stay-public", "stay-open"))
    after = start(root, shelf)
    assert after.kept == {}
    assert any(
        one.startswith("kept/hemswell-cliff.zip/policy-2022-03.yaml:")
        and "unknown act “stay-public”" in one
        for one in after.schools[SLUG].closed
    )
    assert any(one.startswith(f"{POLICY}:") for one in after.schools[SLUG].closed)


@pytest.mark.parametrize("spoilt", ["", "no zip", "half", "other bytes", "no date"])
def test_a_spoilt_copy_closes_the_school_until_its_files_are_mended(
    root: Path, shelf: Path, spoil: Spoil, spoilt: str
) -> None:
    start(root, shelf)
    path = shelf / f"{SLUG}.zip"
    body = path.read_bytes()
    date = NOW.isoformat().encode()
    changed = {
        "half": body[: len(body) // 2],
        "other bytes": body.replace(b"headteacher", b"headmasters"),
        "no date": body.replace(date, b"x" * len(date)),
    }
    path.write_bytes(changed.get(spoilt, spoilt.encode()))
    spoil(POLICY, "clauses: [c58]", "clauses: [c59]")
    after = start(root, shelf)
    assert after.kept == {}
    assert any(one.startswith("kept/hemswell-cliff.zip:1: ") for one in after.schools[SLUG].closed)
    spoil(POLICY, "clauses: [c59]", "clauses: [c58]")
    start(root, shelf)
    spoil(POLICY, "clauses: [c58]", "clauses: [c59]")
    assert set(start(root, shelf).kept) == {SLUG}


def test_a_question_that_the_kept_policy_cannot_score_stops_nobody(
    root: Path, shelf: Path, spoil: Spoil
) -> None:
    start(root, shelf)
    spoil(POLICY, "clauses: [c58]", "clauses: [c59]")
    spoil(QUESTION, "{act: accept-contact, as: follower, list: restricted}", "{act: block-person}")
    spoil(QUESTION, "{act: leave-unanswered}", "{act: decline-contact}")
    spoil(QUESTION, "{act: communicate, via: personal-account, about: refusal}", TELLING)
    spoil(QUESTION, "{act: block-person}", TELLING)
    after = start(root, shelf)
    assert set(after.kept) == {SLUG}
    key = answer_key(after.schools[SLUG], "teaching", after.scenarios["follow-request"])
    assert key.state is State.SETTLED
    assert not can_be_scored(key, wrong_at_least=2)
    spoil(POLICY, "clauses: [c59]", "clauses: [c58]")
    with pytest.raises(ContentFaults, match="at hemswell-cliff needs a right option"):
        start(root, shelf)


def test_a_disk_that_takes_nothing_stops_no_start(root: Path, shelf: Path) -> None:
    shelf.parent.mkdir()
    shelf.write_text("a file where the folder should be")
    assert start(root, shelf).schools[SLUG].closed == ()


def test_several_that_start_at_once_leave_one_whole_copy(shelf: Path) -> None:
    """Writers with different files and a reader meanwhile: always one or the other, whole."""
    versions = [{"school.yaml": letter * 5_000_000} for letter in (b"a", b"b")]
    keep_school(shelf, SLUG, versions[0], now=NOW)

    def write(files: dict[str, bytes]) -> None:
        for _ in range(10):
            keep_school(shelf, SLUG, files, now=NOW)

    writers = [Thread(target=write, args=(files,)) for files in versions]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        kept = read_kept(shelf, SLUG)
        assert kept is not None
        assert kept.files in versions
    for writer in writers:
        writer.join()
    assert [one.name for one in shelf.iterdir()] == [f"{SLUG}.zip"]
