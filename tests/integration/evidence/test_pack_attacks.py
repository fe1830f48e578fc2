"""A stranger's check of a pack: what is whole is known to be, what was altered is named."""

import io
import os
import random
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from lti_tool.evidence import proof
from lti_tool.evidence.cli import evidence
from lti_tool.evidence.proof import container, tables
from lti_tool.evidence.proof.check import Report, check
from lti_tool.evidence.proof.words import EXPLAINED, FINDINGS, VERDICTS
from tests.factories.attacks import ATTACKS, Attack, attacked
from tests.factories.forgeries import cases, overlapping, resigned, twice, with_checkpoint_of
from tests.factories.packs import two_packs
from tests.factories.registers import GLENMERE, HEMSWELL


@pytest.fixture(scope="module")
def packs(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """One pack each of two schools of one installation."""
    return two_packs(migrated_sqlite, tmp_path_factory.mktemp("packs"))


@pytest.fixture
def pack(packs: tuple[bytes, bytes]) -> bytes:
    return packs[0]


def named(report: Report) -> list[tuple[str, dict[str, str | int]]]:
    return [(one.code, one.where) for one in report.findings]


def test_an_intact_pack_does_not_vouch_for_itself(pack: bytes) -> None:
    report = check(pack)
    assert (report.verdict, named(report)) == ("origin-not-shown", [])
    code = report.codes[HEMSWELL]
    assert check(pack, key=report.fingerprint.upper()).verdict == "genuine"
    assert check(pack, code=code.lower().replace("-", " ")).verdict == "genuine"


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_what_was_altered_is_named(attack: Attack, pack: bytes, tmp_path: Path) -> None:
    whole = attacked(attack, tmp_path, pack)
    report = check(whole)
    assert report.verdict == "altered"
    for expected in attack.named:
        assert expected in named(report)
    assert ("manifest-forged", {}) in named(report) or not attack.covers_up
    assert all(finding.words() for finding in report.findings)
    key = check(pack).fingerprint
    assert check(whole, key=key).verdict == "altered"


def test_any_flipped_byte_shows(pack: bytes) -> None:
    chance = random.Random(11)
    for at in {
        *range(30),
        *range(len(pack) - 30, len(pack)),
        *chance.sample(range(len(pack)), 150),
    }:
        flipped = bytearray(pack)
        flipped[at] ^= 1 << chance.randrange(8)
        report = check(bytes(flipped))
        assert report.verdict == "altered", at
        assert report.findings


def test_a_pack_that_was_cut_off_is_none(pack: bytes) -> None:
    for data in (b"", b"PK", pack[:-1], pack[: len(pack) // 2], pack + b" "):
        assert named(check(data)) == [("no-pack", {})]


def test_a_bomb_is_no_pack(pack: bytes) -> None:
    assert named(check(overlapping(pack))) == [("no-pack", {})]


def test_a_workbook_that_grows_without_end_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MOST_UNPACKED", 1024 * 1024)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("a", "b", "c"):
            file.writestr(name, bytes(500 * 1024))
    with pytest.raises(container.Unreadable):
        container.unpack(whole.getvalue())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp037"])
def test_a_sheet_brings_no_entities_in_whatever_letters(encoding: str) -> None:
    sheet = (
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
        '<!ENTITY c SYSTEM "file:///etc/passwd">]><x>&b;</x>'
    )
    text = f'<?xml version="1.0" encoding="{encoding}"?>'.encode(
        "utf-16" if encoding == "utf-16" else "ascii"
    )
    text += sheet.encode("utf-16-le" if encoding == "utf-16" else encoding)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        file.writestr("xl/worksheets/sheet1.xml", text)
    with pytest.raises(container.Unreadable):
        tables.rows_of_sheet(whole.getvalue(), "sheet1")


def test_the_checkpoint_of_another_school_is_told(
    packs: tuple[bytes, bytes], tmp_path: Path
) -> None:
    found = named(check(with_checkpoint_of(tmp_path, *packs)))
    assert ("checkpoint-foreign", {"school": GLENMERE}) in found
    assert ("checkpoint-missing", {"school": HEMSWELL}) in found


def test_a_file_that_is_there_twice_is_told(pack: bytes, tmp_path: Path) -> None:
    assert ("file-twice", {"file": "report.pdf"}) in named(check(twice(pack, tmp_path)))


def test_whoever_signs_with_another_key_has_the_parts_fit_and_no_origin(
    pack: bytes, tmp_path: Path
) -> None:
    genuine, forged = check(pack), resigned(tmp_path, pack)
    assert check(forged).verdict == "origin-not-shown"
    assert named(check(forged, key=genuine.fingerprint)) == [("key-other", {})]
    assert named(check(forged, code=genuine.codes[HEMSWELL])) == [("code-other", {})]


def test_a_wrong_code_is_told_from_one_of_another_pack(packs: tuple[bytes, bytes]) -> None:
    ours, theirs = (check(one).codes for one in packs)
    assert named(check(packs[0], code=theirs[GLENMERE])) == [("code-other", {})]
    code = ours[HEMSWELL]
    mistyped = ("A" if code[0] != "A" else "C") + code[1:]
    assert named(check(packs[0], code=mistyped)) == [
        ("code-mistyped", {"why": "a letter is wrong, or two are swapped"})
    ]


def test_the_command_needs_no_tool_around_it(pack: bytes, tmp_path: Path) -> None:
    path = tmp_path / "pack.zip"
    path.write_bytes(pack)
    report = check(pack)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(evidence, ["verify", *words])
        return done.exit_code, done.output

    status, said = run(str(path))
    assert status == 3
    assert said.startswith("Intact, origin not shown.")
    assert run(str(path), "--key", report.fingerprint)[0] == 0
    assert run(str(path), "--code", report.codes[HEMSWELL])[0] == 0
    assert run(str(path), "--key", "abc")[0] == 2
    path.write_bytes(attacked(ATTACKS[1], tmp_path / "work", pack))
    status, said = run(str(path), "--code", report.codes[HEMSWELL])
    assert status == 1
    assert "people.csv: the row of entry 2 of hemswell-cliff is missing." in said


def test_every_finding_is_made_of_some_pack_and_has_words(
    packs: tuple[bytes, bytes], tmp_path: Path
) -> None:
    assert set(VERDICTS) == set(EXPLAINED) == {"altered", "origin-not-shown", "genuine"}
    reports = [check(data, **known) for _name, data, known in cases(tmp_path, *packs)]
    assert {one.code for report in reports for one in report.findings} == set(FINDINGS)
    assert {report.verdict for report in reports} == set(VERDICTS)


def test_a_stranger_checks_with_that_folder_alone(pack: bytes, tmp_path: Path) -> None:
    """As ``how-to-check.txt`` says: no tool, no settings, no database; only the folder, copied."""
    shutil.copytree(Path(proof.__path__[0]), tmp_path / "lti_tool/evidence/proof")
    good, bad = tmp_path / "pack.zip", tmp_path / "altered.zip"
    good.write_bytes(pack)
    bad.write_bytes(attacked(ATTACKS[1], tmp_path / "work", pack))
    report = check(pack)

    def run(*words: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "lti_tool.evidence.proof", *words]
        clean = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        done = subprocess.run(command, cwd=tmp_path, env=clean, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    status, said = run("pack.zip", "--key", report.fingerprint)
    assert (status, said.splitlines()[0]) == (0, "Intact, and of the origin you know.")
    assert f"Record check code of {HEMSWELL}: {report.codes[HEMSWELL]}" in said
    status, said = run("altered.zip", "--code", report.codes[HEMSWELL])
    assert status == 1
    assert "people.csv: the row of entry 2 of hemswell-cliff is missing." in said
    assert run("pack.zip")[0] == 3
