"""A copy of the repository's content that a test may spoil."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lti_tool.curriculum.reading import ROOT

Spoil = Callable[[str, str, str], None]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The shared files, Hemswell Cliff alone, and the worked examples."""
    target = tmp_path / "content"
    shutil.copytree(ROOT / "modules", target / "modules", ignore=shutil.ignore_patterns("schools"))
    school = "modules/schools/hemswell-cliff"
    shutil.copytree(ROOT / school, target / school)
    (target / "question_bank").mkdir()
    for name in ("follow-request", "school-gate-friend", "former-pupil-17"):
        shutil.copy(ROOT / f"question_bank/{name}.yaml", target / "question_bank")
    return target


@pytest.fixture
def spoil(root: Path) -> Spoil:
    """Replace words in a file; fails where they do not stand there."""

    def change(name: str, old: str, new: str) -> None:
        path = root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change
