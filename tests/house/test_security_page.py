"""The page on threats names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_what_shows_a_guard_is_there() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", page))
    assert len(named) > 25
    assert {path for path in named if not (ROOT / path).is_file()} == set()


def test_every_threat_has_one() -> None:
    threats = (ROOT / "docs" / "security.md").read_text().partition("## Threats")[2]
    rows = re.findall(
        r"^\| (?!threat|---)(.+) \|$", threats.partition("## Limits")[0], re.MULTILINE
    )
    assert len(rows) > 25
    assert [row for row in rows if "`tests/" not in row] == []
