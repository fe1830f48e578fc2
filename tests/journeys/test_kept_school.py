"""A school's files turn bad between two starts; its people go on as if nothing had happened."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core import ledger
from lti_tool.curriculum.cli import content
from lti_tool.curriculum.reading import ROOT
from lti_tool.training.models import Declaration
from sandbox_lms.schools import SCHOOLS
from sandbox_lms.serve import running_platform
from tests.factories import machines
from tests.journeys.conftest import Product, Visitor, connect

WREN, GLENMERE = "wren-spinney", "glenmere"
Start = Callable[[], AbstractContextManager[Product]]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Two schools' own content, one with the document it adopted."""
    folder = tmp_path / "own/modules/schools"
    for slug in (WREN, GLENMERE):
        shutil.copytree(ROOT / "modules/schools" / slug, folder / slug)
    change(folder / WREN / "school.yaml", "example: true", "document: adopted.pdf")
    (folder / WREN / "adopted.pdf").write_bytes(b"%PDF as adopted")
    return folder


@pytest.fixture
def start(tmp_path: Path, own_url: str, own: Path) -> Iterator[Start]:
    """Start the tool: the same installation at the same address, each time as a new app."""
    config = Config(instance=tmp_path, database_url=own_url, content=str(own.parents[1]))
    with running_platform(tool_url="") as platform:

        @contextmanager
        def started() -> Iterator[Product]:
            port = urlsplit(platform.tool_url).port or 0
            with machines.served(create_app, config, port=port) as app:
                platform.tool_url = app.extensions["config"].url
                if not port:
                    connect(app, platform)
                yield Product(app, platform)

        yield started


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def new_starter(product: Product, school: str) -> Visitor:
    platform = product.platform
    person = platform.enrol_starter(SCHOOLS[school])
    return Visitor(product, person, platform.activity_at(school))


def original(visitor: Visitor) -> bytes:
    """The school's own document, as the page of the whole policy leads to it."""
    page = visitor.get("/training/policy")
    link = page.select_one("a[href='/training/document']")
    assert link is not None, page
    tool = visitor.product.platform.tool_url
    reply = visitor.http.get(tool + str(link["href"]), timeout=30)
    assert reply.headers["Content-Type"] == "application/pdf"
    return reply.content


def check() -> tuple[int, str]:
    found = CliRunner().invoke(content, ["check"])
    return found.exit_code, found.stdout


def test_a_school_whose_policy_is_broken_goes_on_as_it_was(
    start: Start,
    own: Path,
    tmp_path: Path,
    own_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CLAUSEWAY_INSTANCE", str(tmp_path))
    monkeypatch.setenv("CLAUSEWAY_CONTENT", str(own.parents[1]))
    monkeypatch.setenv("CLAUSEWAY_DATABASE_URL", own_url)
    policy = own / WREN / "policy-2025-02.yaml"

    with start() as product:
        before = product.catalogue
        begun = new_starter(product, WREN)
        begun.begin("teaching")
        begun.get(begun.next_task())
        begun.send()
    assert check()[0] == 0

    change(policy, "clauses:", "claused:")
    (own / WREN / "adopted.pdf").write_bytes(b"%PDF not yet adopted")
    capsys.readouterr()
    with start() as product:
        assert set(product.catalogue.kept) == {WREN}
        assert product.catalogue.schools[GLENMERE] == before.schools[GLENMERE]
        said = capsys.readouterr().err
        assert said.count("a school is served as it was last good") == 1
        assert f'"school": "{WREN}"' in said

        begun.learn()
        assert begun.path == "/training/finished"
        assert original(begun) == b"%PDF as adopted"
        for school in (WREN, GLENMERE):
            visitor = new_starter(product, school)
            visitor.learn()
            assert visitor.path == "/training/finished"
        with product.database.reading() as session:
            asked = select(Declaration.policy_sha256).where(Declaration.school_id == WREN)
            assert set(session.scalars(asked)) == {before.schools[WREN].policy.sha256}
            assert ledger.verify(session, school_id=WREN)[1] is None

    status, said = check()
    assert status == 1
    assert f"modules/schools/{WREN}/{policy.name}:" in said
    kept = product.catalogue.kept[WREN]
    assert f"{WREN}: its files are at fault" in said
    assert f"kept on {kept.since:%Y-%m-%d at %H:%M} UTC" in said
    assert f"{GLENMERE}: " not in said

    change(policy, "claused:", "clauses:")
    change(own / WREN / "school.yaml", "ask: ", "ask: chair-of-governors # ")
    with start() as product:
        assert product.catalogue.kept == {}
        assert product.catalogue.schools[WREN].ask == "chair-of-governors"
        assert original(begun) == b"%PDF not yet adopted"
    assert check()[0] == 0
