"""The app package, held against what Microsoft publishes about it."""

import hashlib
import io
import json
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest

from lti_tool.config import Config
from lti_tool.core.clock import utc_now
from lti_tool.teams import packages
from lti_tool.teams.tenants import Known, Teams
from tools.build_assets import ROOT, node_tool

TENANT = "11111111-2222-4333-8444-555555555555"
CLIENT = "66666666-7777-4888-8999-000000000000"


def teams(url: str = "https://training.example.org") -> Teams:
    return Teams(Config(instance=Path("."), url=url), utc_now)


def known(*schools: str) -> Known:
    return Known(uuid4(), "The trust", TENANT, CLIENT, False, schools or ("hemswell-cliff",))


def faults(what: str, given: dict[str, Any]) -> list[str]:
    """What Microsoft's own schema or parser has to say."""
    said = subprocess.run(
        [node_tool("node"), "tools/validate.mjs", what],
        cwd=ROOT,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.splitlines()


def test_the_manifest_is_valid_by_the_published_schema() -> None:
    made = packages.manifest(teams(), known())
    assert faults("manifest", made) == []
    assert faults("manifest", packages.manifest(teams(), known("a-school", "b-school"))) == []


def test_the_schema_finds_what_is_wrong() -> None:
    made = packages.manifest(teams(), known())
    wrong = made | {"id": "no-guid", "unheard": "of", "staticTabs": [{"entityId": "x"}]}
    assert len(faults("manifest", wrong)) >= 3


def test_it_is_the_newest_schema_that_is_published() -> None:
    folder = ROOT / "node_modules/@microsoft/app-manifest/build/json-schemas/teams"
    minor = max(int(path.name.removeprefix("v1.")) for path in folder.glob("v1.*"))
    assert f"1.{minor}" == packages.SCHEMA


def test_a_changed_manifest_has_a_higher_version() -> None:
    """Teams takes a changed package only under a higher number. After a change, raise
    ``packages.VERSION`` and put the new number and digest here."""
    made = packages.manifest(teams(), known())
    del made["version"]
    digest = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()
    assert (packages.VERSION, digest[:16]) == ("1.0.0", "365db24763aac9ac")


def test_what_single_sign_on_needs() -> None:
    there = teams("https://training.example.org:8443")
    made = packages.manifest(there, known())
    assert made["webApplicationInfo"] == {
        "id": CLIENT,
        "resource": f"api://training.example.org:8443/{CLIENT}",
    }
    assert made["validDomains"] == ["training.example.org:8443"]
    assert UUID(made["id"]).version == 5
    assert made["id"] == packages.manifest(there, known())["id"]


def test_what_teams_asks_beyond_the_schema() -> None:
    """Since 1.25 an upload with the team scope fails without it, whatever the schema says."""
    made = packages.manifest(teams(), known())
    assert "team" in made["configurableTabs"][0]["scopes"]
    assert made["supportsChannelFeatures"] == "tier1"


def test_tabs_name_the_school_where_there_is_one() -> None:
    one, several = (packages.manifest(teams(), known(*names)) for names in (("a",), ("a", "b")))
    assert [tab["contentUrl"] for tab in one["staticTabs"]] == [
        "https://training.example.org/teams/tab?school=a",
        "https://training.example.org/teams/tab?school=a&to=register",
    ]
    assert several["staticTabs"][0]["contentUrl"] == "https://training.example.org/teams/tab"


def test_the_package_holds_three_files_and_is_the_same_each_time() -> None:
    made = packages.package(teams(), known())
    assert made == packages.package(teams(), known())
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.namelist() == ["manifest.json", "color.png", "outline.png"]
        assert json.loads(archive.read("manifest.json")) == packages.manifest(teams(), known())
        for name, side in (("color.png", 192), ("outline.png", 32)):
            size, pixels = read_png(archive.read(name))
            assert size == (side, side)
            if name == "outline.png":  # white on nothing, as Teams asks
                assert {pixel[:3] for pixel in pixels} == {(255, 255, 255)}
                assert {0, 255} <= {pixel[3] for pixel in pixels}
            else:
                assert {pixel[3] for pixel in pixels} == {255}
                assert {(0x17, 0x50, 0x5C), (255, 255, 255), (0xF2, 0xB8, 0x4B)} <= {
                    pixel[:3] for pixel in pixels
                }


def read_png(content: bytes) -> tuple[tuple[int, int], list[tuple[int, ...]]]:
    """Size and pixels of a PNG of 8 bits with alpha and no filter; its check sums hold."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    place, parts = 8, {}
    while place < len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        kind, data = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        (summed,) = struct.unpack(">I", content[place + 8 + length : place + 12 + length])
        assert summed == zlib.crc32(kind + data)
        parts[kind] = data
        place += 12 + length
    width, height = struct.unpack(">II", parts[b"IHDR"][:8])
    rows, stride = zlib.decompress(parts[b"IDAT"]), 1 + width * 4
    assert len(rows) == stride * height
    pixels = [
        tuple(rows[row * stride + 1 + column * 4 :][:4])
        for row in range(height)
        for column in range(width)
    ]
    return (width, height), pixels


@pytest.mark.parametrize(
    ("to", "school", "context"),
    [
        ("next", "", '{"subEntityId": "next"}'),
        ("module/annual-refresh", "glenmere", '{"subEntityId": "module/annual-refresh@glenmere"}'),
        ("", "", ""),
    ],
)
def test_deep_links(to: str, school: str, context: str) -> None:
    link = teams().link(CLIENT, tab="training", to=to, school=school)
    parts = urlsplit(link)
    assert parts.path == f"/l/entity/{teams().app_id(CLIENT)}/training"
    said = parse_qs(parts.query)
    assert said.get("context", [""]) == [context]
    assert said["webUrl"][0].startswith("https://training.example.org/teams/tab?")
