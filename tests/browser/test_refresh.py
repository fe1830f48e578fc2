"""A year later, in real Chromium: what changed, a short check, what was missed, the declaration."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Frame
from sqlalchemy import select

from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.cycles import cycle_of
from lti_tool.people.models import Membership
from lti_tool.training.cycles.models import Cycle, PolicyOpening
from lti_tool.training.models import Completion, Declaration, Journey
from tests.browser.conftest import Learner, NewDatabase, Running, start_product

pytestmark = pytest.mark.browser

ASSISTANT = "Launch as a teaching assistant"
FEDERATION = "langley-fitzurse-and-stanton-st-quintin"
PHONE = {"width": 320, "height": 640}
MOST_SCREENS = 14


@pytest.fixture(scope="module")
def old_product(
    new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """A product of its own, whose records are made a year older on the way."""
    folder = tmp_path_factory.mktemp("instance")
    with new_database(folder) as url, start_product(folder, url) as running:
        yield running


def declared_last_year(product: Running, catalogue: Catalogue, school_id: str) -> None:
    """Whoever launched there is one of the school's people, declared a year ago what it had in
    use then, and its refresh of this year has opened."""
    school, now = catalogue.schools[school_id], datetime.now(UTC)
    database = product.database()
    then = now - timedelta(days=365)
    with database.transaction() as session:
        member = session.scalars(select(Membership).where(Membership.school_id == school_id)).one()
        member.role_group, member.site = "teaching", (*school.sites, "")[0]
        member.created_at = member.confirmed_at = then
        common: dict[str, Any] = {"school_id": school_id, "person_id": member.person_id}
        version = {"policy_number": school.policy.number, "policy_sha256": school.policy.sha256}
        done = {"module": "induction", "cycle": cycle_of(then)}
        journey = Journey(
            **common, **version, **done, role_group="teaching", language="en", started_at=then
        )
        journey.completed_at = then
        session.add(journey)
        session.flush()
        declaration = Declaration(
            **common,
            **version,
            journey_id=journey.id,
            printed_name="Sam Ostler",
            text="I declare this.",
            language="en",
            document_sha256="",
            signed_at=then,
            method="online",
        )
        session.add(declaration)
        session.flush()
        session.add(
            Completion(
                **common,
                **done,
                journey_id=journey.id,
                declaration_id=declaration.id,
                record_id=uuid4(),
                policy_number=school.policy.number,
                completed_at=then,
            )
        )
        session.add(
            Cycle(
                school_id=school_id,
                name=cycle_of(now),
                opens_on=now.date() - timedelta(days=9),
                closes_on=now.date() + timedelta(days=9),
                opened_at=now,
            )
        )
    database.engine.dispose()


def open_version(product: Running, catalogue: Catalogue) -> Catalogue:
    """The federation's second version comes into use; gives the content in which it is."""
    school, now = catalogue.schools[FEDERATION], datetime.now(UTC)
    newer = school.versions[-1]
    database = product.database()
    with database.transaction() as session:
        session.add(
            PolicyOpening(
                school_id=FEDERATION,
                number=newer.number,
                sha256=newer.sha256,
                weight="major",
                opened_on=now.date(),
                opened_at=now,
            )
        )
    database.engine.dispose()
    adopted = replace(school, versions=(school.policy, replace(newer, demonstration=False)))
    return replace(catalogue, schools={**catalogue.schools, FEDERATION: adopted})


def screens(learner: Learner) -> list[str]:
    """The pages a learner sees from now on; a question and its feedback are one."""
    seen = [learner.path]

    def note(frame: Frame) -> None:
        path = frame.url.removeprefix(learner.product.tool).partition("?")[0]
        if frame == learner.tool and seen[-1] != path:
            seen.append(path)

    learner.tool.page.on("framenavigated", note)
    return seen


def test_ten_minutes_when_nothing_changed(
    old_product: Running, catalogue: Catalogue, open_context: Callable[..., BrowserContext]
) -> None:
    learner = Learner(old_product, catalogue, "glenmere", open_context().new_page())
    learner.launch(ASSISTANT, in_window=True)
    declared_last_year(old_product, catalogue, "glenmere")

    learner = Learner(old_product, catalogue, "glenmere", open_context().new_page())
    learner.page.goto(old_product.platform)
    learner.launch(ASSISTANT, in_window=True, module="annual-refresh")
    assert learner.heading == "Annual refresh"
    seen = screens(learner)
    while learner.path != "/training/changes":
        learner.look()
        learner.step("")
    learner.look()
    assert learner.heading == "Nothing has changed for you"
    page = learner.tool.page
    page.reload()
    for _ in range(20):  # by keyboard alone
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('main button')"):
            break
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert learner.path == "/training/who-to-tell"
    learner.learn("Fleur D'Arcy-Penhale", looks=True)
    assert sum(path.startswith("/training/questions/") for path in seen) == 6
    assert len(seen) == 13 < MOST_SCREENS, seen
    assert learner.faults == []
    assert learner.foreign == []


def test_what_changed_and_what_was_missed_without_javascript_on_a_phone(
    old_product: Running, catalogue: Catalogue, open_context: Callable[..., BrowserContext]
) -> None:
    page = open_context().new_page()
    learner = Learner(old_product, catalogue, FEDERATION, page)
    learner.launch(ASSISTANT, in_window=True)
    declared_last_year(old_product, catalogue, FEDERATION)
    newer = open_version(old_product, catalogue)

    context = open_context(viewport=PHONE)
    context.route(old_product.tool + "/static/*.js", lambda route: route.abort())
    learner = Learner(old_product, newer, FEDERATION, context.new_page())
    learner.launch(ASSISTANT, in_window=True, module="annual-refresh")
    while not learner.path.startswith("/training/questions/"):
        learner.look()
        if learner.path == "/training/changes":
            shown = learner.tool.inner_text("main")
            assert "until they are 18" in shown
            assert learner.tool.locator(".cw-two-clauses").count() > 3
        learner.step("")
    learner.answer(right=False)
    while learner.path != "/training/results":
        learner.step("")
    learner.look()
    learner.press("Read these again")
    learner.look()
    assert learner.heading == "Read this topic again"
    learner.tool.goto(old_product.tool + "/training/questions/9")
    assert learner.path == "/training/again"
    learner.press("I have read this, ask me again")
    assert learner.path.startswith("/training/questions/")
    learner.learn("Callum Netherway", looks=True)
    assert "Training finished" in learner.tool.inner_text("main")


def test_print_keeps_old_and_new(
    old_product: Running,
    catalogue: Catalogue,
    open_context: Callable[..., BrowserContext],
) -> None:
    """On paper both sides stand beside each other, and nothing of the page's buttons."""
    page = open_context().new_page()
    learner = Learner(old_product, catalogue, FEDERATION, page)
    learner.launch(ASSISTANT, in_window=True)
    learner.tool.goto(old_product.tool + "/training/changes")
    sheet = learner.tool.page
    sheet.emulate_media(media="print")
    sheet.set_viewport_size({"width": 794, "height": 1123})
    boxes = [
        one.bounding_box() for one in sheet.locator(".cw-two-clauses").first.locator("> div").all()
    ]
    assert len(boxes) == 2
    tops = {box["y"] for box in boxes if box}
    assert len(tops) == 1
    assert sheet.locator("main button").count() == 0
