"""Every visible string goes through gettext, and every gettext string is in messages.pot."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment

ROOT = Path(__file__).resolve().parents[2]
POT = ROOT / "lti_tool" / "ui" / "translations" / "messages.pot"
TEMPLATES = sorted(ROOT.glob("lti_tool/**/templates/**/*.html"))
NOT_WORDS = {"Clauseway", "CSV", "PDF"}


def extracted(folder: Path) -> set[object]:
    """What ``make translations`` would write now."""
    target = folder / "now.pot"
    recipe = (ROOT / "Makefile").read_text()
    assert "--keywords=lazy_gettext" in recipe
    subprocess.run(
        [
            *(sys.executable, "-m", "babel.messages.frontend", "--quiet", "extract"),
            *("--mapping-file=pyproject.toml", "--omit-header", "--no-location", "--sort-output"),
            *("--keywords=lazy_gettext", f"--output-file={target}", "lti_tool"),
        ],
        cwd=ROOT,
        check=True,
    )
    return strings(target)


def strings(path: Path) -> set[object]:
    with path.open("rb") as file:
        return {message.id for message in read_po(file) if message.id}


def test_messages_pot_is_current(tmp_path: Path) -> None:
    now, kept = extracted(tmp_path), strings(POT)
    assert len(now) > 20
    assert now == kept, "run `make translations`"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_bare_words_in_a_template(template: Path) -> None:
    assert bare_words(template.read_text()) == []


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<p>Hello {{ name }}</p>", ["Hello"]),
        ("<p title='Not this'>{{ _('Hello') }}</p>{# nor this #}", []),
        ("<p{% if a %} class='b'{% endif %}>{{ _('Hello') }}</p>", []),
        ("<p>&nbsp;· 3</p>", []),
    ],
)
def test_bare_words_are_found(source: str, words: list[str]) -> None:
    assert bare_words(source) == words


def bare_words(source: str) -> list[str]:
    """Words of a template that stand between tags, outside every expression."""
    pieces = [
        value if kind == "data" else "\0" if kind.endswith("_begin") else ""
        for _, kind, value in Environment(autoescape=True).lex(source)
    ]
    text = re.sub(r"<!--.*?-->|<[^>]*>|&#?\w+;", " ", "".join(pieces), flags=re.DOTALL)
    return [word for word in re.findall(r"[^\W\d_]{2,}", text) if word not in NOT_WORDS]
