"""A teacher adds activities to a course, and they lead where they say."""

import pytest
import requests
from bs4 import BeautifulSoup

from sandbox_lms.course.adding import AnswerRefused, read_answer
from sandbox_lms.platform import Platform
from sandbox_lms.schools import SCHOOLS, Activity
from sandbox_lms.visitor import read_form, sign_in
from tests.journeys.conftest import Product, Visitor

SCHOOL = SCHOOLS["wren-spinney"]


class Teacher:
    """Somebody who may edit a course, in a browser that sends the tool no cookies."""

    def __init__(self, platform: Platform, kind: str = "head") -> None:
        self.platform = platform
        self.http = requests.Session()
        sign_in(self.http, platform.person(SCHOOL.slug, kind))
        self.pick_page = self.follow(
            self.follow(self.http.get(f"{platform.issuer}/schools/{SCHOOL.slug}/pick", timeout=30))
        )

    def follow(
        self, page: requests.Response, fields: dict[str, str | list[str]] | None = None
    ) -> requests.Response:
        """Send the one form of a page, with these fields changed."""
        address, held = read_form(page)
        return self.http.post(address, data={**held, **(fields or {})}, timeout=30)

    def pick(self, *modules: str, answer: str = "add") -> requests.Response:
        """Pick; gives the platform's page about it."""
        fields: dict[str, str | list[str]] = {"module": list(modules), "answer": answer}
        return self.follow(self.follow(self.pick_page, fields))


def added(platform: Platform, before: set[str]) -> list[Activity]:
    return [one for id_, one in platform.added.items() if id_ not in before]


def test_one_activity_is_added_done_and_scored(product: Product) -> None:
    platform, before = product.platform, set(product.platform.added)
    teacher = Teacher(platform)
    assert "Add to your course" in teacher.pick_page.text
    filled = teacher.pick("before-you-start")
    assert "Before you start today" in filled.text
    teacher.follow(filled, {"title": "Read this first"})
    (activity,) = added(platform, before)
    assert activity.title == "Read this first"
    assert activity.custom == {"school": SCHOOL.slug, "module": "before-you-start"}
    (item_id,) = platform.items_of(activity)
    item = platform.gradebook.items[item_id]
    assert (item.label, item.score_maximum) == ("Read this first", 100)
    assert (item.resource_id, item.tag[:9]) == ("before-you-start", "policy-20")

    person = platform.enrol_starter(SCHOOL)
    visitor = Visitor(product, person, activity)
    assert "Before you start" in visitor.heading
    visitor.learn()
    product.deliver()
    grade = platform.gradebook.grade(item_id, person.id)
    assert grade is not None
    assert grade.score == 100


def test_several_activities_are_asked_about_and_created(product: Product) -> None:
    platform, before = product.platform, set(product.platform.added)
    teacher = Teacher(platform)
    page = teacher.pick("induction", "annual-refresh", "register")
    assert "Create 3 activities?" in page.text
    assert added(platform, before) == []
    teacher.follow(page)
    induction, refresh, register = added(platform, before)
    assert [one.module for one in (induction, refresh, register)] == [
        "induction",
        "annual-refresh",
        "register",
    ]
    assert [len(platform.items_of(one)) for one in (induction, refresh, register)] == [1, 1, 0]


def test_the_register_opens_for_managers_alone(product: Product) -> None:
    platform, before = product.platform, set(product.platform.added)
    teacher = Teacher(platform)
    teacher.follow(teacher.pick("register"))
    (register,) = added(platform, before)
    head = Visitor(product, platform.person(SCHOOL.slug, "head"), register)
    assert head.path == "/register"
    lead = Visitor(product, platform.person(SCHOOL.slug, "lead"), register)
    assert lead.path == "/ask-to-manage"
    learner = Visitor(product, platform.enrol_starter(SCHOOL), register)
    assert learner.path == "/"
    learner.get("/register", 403)
    learner.get("/")
    learner.begin("teaching")
    assert learner.path == "/training"


@pytest.mark.parametrize(("modules", "answer"), [((), "add"), (("induction",), "nothing")])
def test_nothing_is_picked(product: Product, modules: tuple[str, ...], answer: str) -> None:
    page = Teacher(product.platform).pick(*modules, answer=answer)
    assert "Nothing was picked" in page.text
    assert "Nothing was added." in page.text


def test_the_platform_asks_for_nobody_else(product: Product) -> None:
    platform = product.platform
    http = requests.Session()
    for kind in ("starter", "lead"):
        sign_in(http, platform.person(SCHOOL.slug, kind))
        reply = http.get(f"{platform.issuer}/schools/{SCHOOL.slug}/pick", timeout=30)
        assert reply.status_code == 403


def test_the_platform_takes_our_answer_for_its_own_course_alone(product: Product) -> None:
    platform = product.platform
    teacher = Teacher(platform)
    sent = teacher.follow(teacher.pick_page, {"module": ["induction"], "answer": "add"})
    address, fields = read_form(sent)
    assert read_answer(platform, SCHOOL, fields["JWT"])
    with pytest.raises(AnswerRefused, match="deployment_id"):
        read_answer(platform, SCHOOLS["glenmere"], fields["JWT"])
    for signed in ("", "x.y.z", fields["JWT"][:-8] + "AAAAAAAA"):
        with pytest.raises(AnswerRefused):
            read_answer(platform, SCHOOL, signed)
    refused = requests.post(address.replace("sesskey=", "sesskey=x"), data=fields, timeout=30)
    assert refused.status_code == 403
    assert (
        "refused"
        in BeautifulSoup(
            requests.post(address, data={"JWT": "x"}, timeout=30).text, "html.parser"
        ).get_text()
    )
