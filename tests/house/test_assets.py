"""The built browser assets: ours alone, light, and ready compressed."""

import gzip
import json
import re
from pathlib import Path

import brotli
import pytest

from lti_tool.ui.assets import STATIC, manifest

ROOT = STATIC.parents[2]
BUILT = sorted(manifest().values())
FIRST_VISIT_LIMIT = 100_000  # bytes over the wire; a page itself is far under a tenth of it


@pytest.fixture
def css() -> str:
    return (STATIC / manifest()["clauseway.css"]).read_text()


@pytest.mark.parametrize(
    "foreign", ["gds", "transport", "@font-face", "crown", "crest", "gov.uk", "url(", "@import"]
)
def test_style_sheet_names_nothing_foreign(css: str, foreign: str) -> None:
    assert foreign not in css.lower()


def test_style_sheet_has_our_own_parts_and_typefaces(css: str) -> None:
    assert "system-ui" in css
    assert re.search(r"\.cw-register\b", css)


@pytest.mark.parametrize("name", BUILT)
def test_compressed_copies_hold_the_same_bytes(name: str) -> None:
    plain = (STATIC / name).read_bytes()
    assert gzip.decompress((STATIC / f"{name}.gz").read_bytes()) == plain
    assert brotli.decompress((STATIC / f"{name}.br").read_bytes()) == plain


@pytest.mark.parametrize("suffix", ["gz", "br"])
def test_all_assets_leave_room_for_the_page(suffix: str) -> None:
    """Microsoft's script for Teams is as heavy as all else together, and for its pages alone."""
    size = {name: (STATIC / f"{name}.{suffix}").stat().st_size for name in BUILT}
    assert sum(size.values()) < FIRST_VISIT_LIMIT
    ours = [name for name in BUILT if not name.startswith("teams")]
    assert sum(size[name] for name in ours) < FIRST_VISIT_LIMIT // 2


def test_scripts_load_from_our_own_origin_only() -> None:
    script = (STATIC / manifest()["clauseway.js"]).read_text()
    imports = re.findall(r"from '([^']+)'", script)
    assert imports == [f"./{manifest()['govuk-frontend.js']}"]
    assert re.findall(r"import\('([^']+)'\)", script) == [f"./{manifest()['teams.js']}"]
    teams = (STATIC / manifest()["teams.js"]).read_text()
    assert re.findall(r"import '([^']+)'", teams) == [f"./{manifest()['teams-sdk.js']}"]


def test_lock_file_names_no_addresses() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert packages["node_modules/govuk-frontend"]["version"] == "6.3.0"
    assert not [name for name, package in packages.items() if "resolved" in package]


@pytest.mark.parametrize("lock", sorted(path.name for path in ROOT.glob("requirements*.lock")))
def test_python_lock_has_hashes_and_no_addresses(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert text.count("--hash=sha256:") > 1
    assert "://" not in text


@pytest.mark.parametrize(
    "template",
    sorted(ROOT.glob("lti_tool/**/templates/**/*.html")),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_template_has_inline_script_or_style(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
