"""From the platform's gradebook to what somebody did, for managers alone."""

import pytest
import requests
from bs4 import BeautifulSoup

from sandbox_lms.schools import SCHOOLS
from sandbox_lms.visitor import read_form
from tests.factories.plain_browser import LoopbackCookies
from tests.journeys.conftest import Product, Visitor

SCHOOL = SCHOOLS["hemswell-cliff"]


def review(product: Product, reviewer: str, work: str) -> requests.Response:
    """Press Review in the gradebook as somebody; gives the tool's page in the frame."""
    platform = product.platform
    http = requests.Session()
    http.cookies = LoopbackCookies()
    page = http.post(
        f"{platform.issuer}/schools/{SCHOOL.slug}/reviews",
        data={"person": reviewer, "work": work},
        timeout=30,
    )
    frame = BeautifulSoup(page.text, "html.parser").iframe
    assert frame is not None, page.text
    reply = http.get(platform.issuer + str(frame["src"]), timeout=30)
    for _ in range(2):
        address, fields = read_form(reply)
        reply = http.post(address, data=fields, timeout=30)
    return reply


def test_a_manager_opens_a_record_from_the_gradebook(product: Product) -> None:
    platform = product.platform
    person, activity = platform.enrol_starter(SCHOOL), platform.activity_at(SCHOOL.slug)
    Visitor(product, person, activity).learn()
    book = requests.get(f"{platform.issuer}/schools/{SCHOOL.slug}/gradebook", timeout=30)
    work = f"{activity.id}/{person.id}"
    button = BeautifulSoup(book.text, "html.parser").select_one(f'button[value="{work}"]')
    assert button is not None
    head = platform.person(SCHOOL.slug, "head")
    page = review(product, head.id, work)
    assert page.status_code == 200
    assert "/register/" in page.url
    assert person.name in page.text
    assert "Done" in page.text
    unknown = review(product, head.id, f"{activity.id}/{platform.enrol_starter(SCHOOL).id}")
    assert unknown.status_code == 404
    assert "person-not-here" in unknown.text


@pytest.mark.parametrize("kind", ["starter", "lead", "admin"])
def test_nobody_else_does(product: Product, kind: str) -> None:
    """The platform signs it for a student too, about anybody: as Moodle does."""
    platform = product.platform
    person, activity = platform.enrol_starter(SCHOOL), platform.activity_at(SCHOOL.slug)
    Visitor(product, person, activity)
    forger = platform.person(SCHOOL.slug, kind)
    page = review(product, forger.id, f"{activity.id}/{person.id}")
    assert page.status_code == 403
    assert "not-a-manager" in page.text
    assert person.name not in page.text


def test_the_platform_asks_about_its_own_course_alone(product: Product) -> None:
    platform = product.platform
    head = platform.person(SCHOOL.slug, "head")
    elsewhere = platform.activity_at("glenmere")
    for person, work in [
        (head.id, f"{elsewhere.id}/{head.id}"),
        (head.id, "11/nobody"),
        ("nobody", f"11/{head.id}"),
        (platform.person("glenmere", "head").id, f"11/{head.id}"),
    ]:
        reply = requests.post(
            f"{platform.issuer}/schools/{SCHOOL.slug}/reviews",
            data={"person": person, "work": work},
            timeout=30,
        )
        assert reply.status_code == 400
