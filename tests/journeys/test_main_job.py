"""The main job over HTTP, from launch to evidence, with real content and a real platform."""

import codecs
import csv
import io
from collections.abc import Callable

import pytest

from lti_tool.core import ledger
from lti_tool.lti.services import outbox
from sandbox_lms.schools import SCHOOLS as PLATFORM_SCHOOLS
from tests.journeys.conftest import Product, Visitor

Arrive = Callable[..., Visitor]

SCHOOLS = (
    "hemswell-cliff",
    "langley-fitzurse-and-stanton-st-quintin",
    "wren-spinney",
    "glenmere",
    "llanidloes",
)


def register_of(head: Visitor) -> list[dict[str, str]]:
    """The register as its CSV says it."""
    reply = head.http.get(head.product.platform.tool_url + "/register.csv", timeout=30)
    assert reply.status_code == 200
    assert reply.content.startswith(codecs.BOM_UTF8)
    return list(csv.DictReader(io.StringIO(reply.content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("school", SCHOOLS)
def test_a_new_starter_from_launch_to_the_heads_csv(
    product: Product, arrive: Arrive, school: str
) -> None:
    starter = arrive(school, "starter")
    starter.learn()
    assert "Saved here" in starter.page.get_text()

    product.deliver()
    item = starter.activity.line_item_id
    grade = product.platform.gradebook.grade(item, starter.person.id)
    assert grade is not None
    assert grade.score == 100
    assert "Sent to" in starter.get("/training/finished").get_text()

    head = arrive(school, "head")
    assert head.path == "/register"
    rows = [row for row in register_of(head) if row["Name"] == starter.person.name]
    assert len(rows) == 1
    assert rows[0]["State"] == "Done"
    assert rows[0]["Score in per cent"] == "100"

    with product.database.reading() as session:
        count, fault = ledger.verify(session, school_id=school)
    assert fault is None
    assert count > 0


@pytest.mark.parametrize("role_group", ["support", "governor", "volunteer", "supply"])
@pytest.mark.parametrize("school", SCHOOLS)
def test_every_role_group_gets_to_an_end(
    product: Product, arrive: Arrive, school: str, role_group: str
) -> None:
    """Whom a policy does not bind reads so; everybody else can finish."""
    person = product.platform.enrol_starter(PLATFORM_SCHOOLS[school])
    visitor = Visitor(product, person, product.platform.activity_at(school))
    visitor.begin(role_group)
    if "does not say it applies to you" in visitor.page.get_text():
        return
    visitor.learn(role_group)
    assert visitor.path == "/training/finished"


def test_what_was_missed_comes_again_until_it_is_right(product: Product, arrive: Arrive) -> None:
    person = product.platform.enrol_starter(PLATFORM_SCHOOLS["wren-spinney"])
    visitor = Visitor(product, person, product.platform.activity_at("wren-spinney"))
    visitor.learn(wrong=4)
    product.deliver()
    grade = product.platform.gradebook.grade(visitor.activity.line_item_id, person.id)
    assert grade is not None
    assert grade.score == 100


def test_going_on_elsewhere(product: Product) -> None:
    """Begun on one device, finished on another: each launch is a visit, the journey is one."""
    platform = product.platform
    person, activity = (
        platform.enrol_starter(PLATFORM_SCHOOLS["glenmere"]),
        platform.activity_at("glenmere"),
    )
    first = Visitor(product, person, activity)
    first.begin("teaching")
    first.get(first.next_task())
    first.send()
    second = Visitor(product, person, activity)
    assert second.path == "/training"
    assert second.next_task() != "/training"
    second.learn()
    assert first.get("/training/finished")
    assert "Saved here" in first.page.get_text()


def test_a_head_takes_the_training_and_is_told_why_no_mark_arrives(
    product: Product, arrive: Arrive
) -> None:
    head = arrive("llanidloes", "head")
    assert head.path == "/register"
    link = head.page.find("a", string=lambda text: bool(text and "ake the training" in text))
    head.get(str(link["href"]) if link else "/training")
    head.learn()
    product.deliver()
    assert "Not scored there" in head.get("/training/finished").get_text()


def test_a_platform_away_for_a_day_loses_nothing(product: Product) -> None:
    platform = product.platform
    person, activity = (
        platform.enrol_starter(PLATFORM_SCHOOLS["glenmere"]),
        platform.activity_at("glenmere"),
    )
    for _ in range(2):  # in turn, so that where two machines serve each has taken a launch
        Visitor(product, person, activity)
        Visitor(product, person, activity).get("/training/policy")
    platform.faults.put("all", "503")
    try:
        # The launch itself needs no call to the platform once its keys are known.
        visitor = Visitor(product, person, activity)
        visitor.learn()
        product.deliver()
        assert "Waiting" in visitor.get("/training/finished").get_text()
    finally:
        platform.faults.clear()
    outbox.send_due(product.app.extensions["lti"], hurry=True)  # as ``clauseway scores send``
    grade = platform.gradebook.grade(activity.line_item_id, person.id)
    assert grade is not None
    assert grade.score == 100
