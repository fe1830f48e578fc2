"""What can be said of the files in deploy/ without a machine to deploy to."""

import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from lti_tool.cli import clauseway
from lti_tool.config import Config

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service")) + sorted(DEPLOY.glob("*.timer"))
COMPOSE = (DEPLOY / "compose.yaml").read_text()
EXAMPLE = (DEPLOY / "environment.example").read_text()
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()


def test_each_says_that_it_is_untested() -> None:
    for path in (*UNITS, DEPLOY / "Containerfile", DEPLOY / "compose.yaml", DEPLOY / "Caddyfile"):
        assert "UNTESTED" in path.read_text(), path.name


def test_every_setting_named_is_one() -> None:
    settings = {f"CLAUSEWAY_{item.name.upper()}" for item in fields(Config)}
    named = {
        (path.name, name)
        for path in DEPLOY.iterdir()
        for name in re.findall(r"CLAUSEWAY_[A-Z_]+", path.read_text())
    }
    assert named
    assert {one for one in named if one[1] not in settings | {"CLAUSEWAY_HOST"}} == set()


def test_what_compose_asks_for_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE))
    assert asked <= set(re.findall(r"^#? ?([A-Z_]+)=", EXAMPLE, re.MULTILINE))


def test_compose_is_of_one_piece() -> None:
    said = yaml.safe_load(COMPOSE)
    services, volumes = said["services"], said["volumes"]
    assert set(services) == {"migrate", "web", "worker", "database", "proxy"}
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= set(services), name
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source in volumes or (DEPLOY / source).exists(), (name, source)
        if (command := service.get("command")) is not None:
            assert command[1] in clauseway.commands


def test_the_image_is_made_of_what_is_there() -> None:
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINERFILE, re.MULTILINE):
        for source in line.split():
            assert (ROOT / source).exists(), source


def started_by(name: str, text: str) -> list[str]:
    return re.findall(rf"^Exec\w+=.*{name} (.+)$", text, re.MULTILINE)


def test_the_server_is_started_with_options_it_knows() -> None:
    granian = Path(sys.executable).with_name("granian")
    known = subprocess.run([granian, "--help"], capture_output=True, text=True, check=True).stdout
    given = re.findall(r"--[a-z-]+", " ".join(re.findall(r"CMD \[\"granian\"[^]]+", CONTAINERFILE)))
    given += [
        option for path in UNITS for line in started_by("granian", path.read_text())
        for option in re.findall(r"--[a-z-]+", line)
    ]  # fmt: skip
    assert len(given) > 10
    assert [option for option in given if option not in known] == []


def test_the_units_run_commands_that_there_are() -> None:
    found = [
        line.split()[0] for path in UNITS for line in started_by("clauseway", path.read_text())
    ]
    assert sorted(found) == ["backup", "migrate", "worker"]
    assert set(found) <= set(clauseway.commands)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        text = re.sub(r"/srv/clauseway/\.venv/bin/\w+", "/bin/true", unit.read_text())
        (tmp_path / unit.name).write_text(text)
    said = subprocess.run(
        ["systemd-analyze", "verify", *map(str, tmp_path.iterdir())], capture_output=True, text=True
    )
    assert (said.returncode, said.stderr) == (0, "")
