"""A head links the staff course; its people are on the register, leave it, and come back."""

from collections.abc import Callable, Iterator

import pytest

from lti_tool.lti.rosters import reading
from tests.journeys.conftest import NewDatabase, Product, Visitor, started

SCHOOL = "langley-fitzurse-and-stanton-st-quintin"


@pytest.fixture(scope="module")
def product(
    new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    """One of our own: what is counted here, nobody else's test changes."""
    with started(new_database, tmp_path_factory.mktemp("staff-lists")) as found:
        yield found


def words(visitor: Visitor) -> str:
    found = visitor.page.main
    assert found is not None
    return " ".join(found.get_text(" ").split())


def press(visitor: Visitor, action: str) -> None:
    """Send the form of the page whose address ends so."""
    (form,) = [
        one
        for one in visitor.page.select("main form[method=post]")
        if str(one["action"]).endswith(action)
    ]
    held = {str(one["name"]): str(one["value"]) for one in form.select("input[type=hidden]")}
    tool = visitor.product.platform.tool_url
    visitor.see(visitor.http.post(tool + str(form["action"]), data=held, timeout=30))


def read(product: Product) -> None:
    """What the worker does each minute."""
    reading.read_due(product.app.extensions["lti"])


def test_from_linking_a_course_to_somebody_who_returns(
    product: Product, arrive: Callable[..., Visitor]
) -> None:
    head = arrive(SCHOOL, "head")
    assert "1 Not due" in words(head)
    head.get("/staff-lists")
    link = head.page.find("a", string=lambda text: bool(text and text.startswith("Link “Staff")))
    assert link is not None
    address = str(link["href"])
    head.get(address)
    assert "If pupils are in this course, do not link it" in words(head)
    form = head.page.select_one("main form[method=post]")
    assert form is not None
    tool = product.platform.tool_url
    token = str(form.select("input[name=csrf_token]")[0]["value"])
    unticked = head.http.post(tool + address, data={"csrf_token": token}, timeout=30)
    head.see(unticked, 400)
    assert "Not linked yet" in words(head)
    head.send({"is_staff_only": "yes"})
    assert head.path == "/staff-lists"
    assert "Waiting to be read" in words(head)
    assert head.page.select("[data-refresh]")

    read(product)
    head.get("/staff-lists")
    assert "8 people, 8 joined, 0 left" in words(head)
    assert not head.page.select("[data-refresh]")
    head.get("/register?people=counted")
    assert "8 Not due" in words(head)
    assert "Beatrix Stonecrop" in words(head)
    assert "Jonah Applewick" in words(head), "who has never opened the training"

    starter = product.platform.person(SCHOOL, "starter")
    del product.platform.people[starter.id]
    head.get("/staff-lists")
    press(head, "/read")
    assert "Waiting to be read" in words(head)
    read(product)
    head.get("/staff-lists")
    assert "7 people, 0 joined, 1 left" in words(head)
    head.get("/register")
    assert "7 Not due" in words(head)
    head.get("/register?people=left")
    assert "Jonah Applewick" in words(head)
    assert "Not in the course since" in words(head)

    product.platform.people[starter.id] = starter
    head.get("/staff-lists")
    press(head, "/read")
    read(product)
    head.get("/register?people=counted")
    assert "Jonah Applewick" in words(head)
    learner = arrive(SCHOOL, "starter")
    assert learner.path == "/"
    head.get("/register?people=waiting")
    assert "Nobody fits all of these filters" in words(head)

    product.platform.faults.put("nrps", "403")
    head.get("/staff-lists")
    press(head, "/read")
    read(product)
    product.platform.faults.clear()
    head.get("/staff-lists")
    assert "does not let us see this course’s members" in words(head)
    assert "8 people" in words(head), "what was read before stands"

    press(head, "/unlink")
    assert "Courses that can be linked" in words(head)
    assert not head.page.select(".cw-card")
    head.get("/register?people=counted")
    assert "8 Not due" in words(head)


@pytest.mark.parametrize("action", ["read", "unlink"])
def test_another_schools_list_is_out_of_reach(
    product: Product, arrive: Callable[..., Visitor], action: str
) -> None:
    head = arrive("wren-spinney", "head")
    head.get("/staff-lists")
    link = head.page.find("a", string=lambda text: bool(text and text.startswith("Link “Staff")))
    if link is not None:
        head.get(str(link["href"]))
        head.send({"is_staff_only": "yes"})
    (form,) = [
        one
        for one in head.page.select("main form[method=post]")
        if str(one["action"]).endswith(f"/{action}")
    ]
    other = arrive("hemswell-cliff", "head")
    other.get("/staff-lists")
    token = str(other.page.select("input[name=csrf_token]")[0]["value"])
    tool = product.platform.tool_url
    reply = other.http.post(tool + str(form["action"]), data={"csrf_token": token}, timeout=30)
    assert reply.status_code == 404
    head.get("/staff-lists")
    assert head.page.select(".cw-card")
    if link is not None:
        path = str(link["href"])
        assert other.http.get(tool + path, timeout=30).status_code == 404
