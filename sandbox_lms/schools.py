"""The invented world of the sandbox: five schools, a course each, and people who do not exist."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Role = Literal["student", "teacher", "non_editing_teacher", "admin"]

MODULES: Final = {
    "induction": ("Social media policy: induction", "For people who have just started."),
    "annual-refresh": ("Social media policy: annual refresh", "Once a year, for everybody."),
    "before-you-start": (
        "Social media policy: before you start",
        "Short: visitors and supply.",
    ),
}


@dataclass(frozen=True)
class Kind:
    """What somebody is at the school, and the role the course gives them for it."""

    label: str
    role: Role
    note: str


KINDS: Final = {
    "starter": Kind("a new member of staff", "student", "started this term"),
    "head": Kind("headteacher", "teacher", "runs the course and cannot be scored in it"),
    "teacher": Kind("an existing teacher", "student", "has been here for years"),
    "assistant": Kind("a teaching assistant", "student", "works with one class"),
    "governor": Kind("a governor", "student", "comes to meetings"),
    "volunteer": Kind("a volunteer", "student", "hears readers on Fridays"),
    "supply": Kind("a supply teacher", "student", "here for a week"),
    "lead": Kind("a training lead", "non_editing_teacher", "helps to run the course"),
    "admin": Kind("a site administrator", "admin", "not enrolled in any course"),
}


@dataclass(frozen=True)
class Person:
    """Somebody with an account. `id` is the `sub` of their launches: digits, as in Moodle.

    `school` is None for the site administrator. `share_name` and `share_email` say whether the
    platform tells the tool (in Moodle a setting of the whole tool; here of each person).
    """

    id: str
    school: str | None
    kind: str
    given_name: str
    family_name: str
    email: str
    sourced_id: str = ""
    locale: str = "en"
    share_name: bool = True
    share_email: bool = True

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"

    @property
    def username(self) -> str:
        return self.email.partition("@")[0]

    @property
    def role(self) -> Role:
        return KINDS[self.kind].role


@dataclass(frozen=True)
class Activity:
    """An external tool placed in a course: the resource link, graded by one coupled line item.

    `custom` are its parameters where a teacher added it by deep linking, and `url` its target.
    """

    id: str
    school: str
    course_id: str
    module: str
    title: str
    description: str
    custom: Mapping[str, str] | None = None
    url: str = ""

    @property
    def line_item_id(self) -> int:
        return 100 + int(self.id)


@dataclass(frozen=True)
class School:
    """A school: its slug is the deployment id; `number` is Moodle's `type_id` in service URLs."""

    number: int
    slug: str
    name: str
    short_name: str

    @property
    def course_id(self) -> str:
        return str(self.number + 1)

    @property
    def activities(self) -> tuple[Activity, ...]:
        return tuple(
            Activity(f"{self.number}{place}", self.slug, self.course_id, module, title, text)
            for place, (module, (title, text)) in enumerate(MODULES.items(), start=1)
        )


SCHOOLS: Final = {
    school.slug: school
    for school in (
        School(1, "hemswell-cliff", "Hemswell Cliff Primary", "Hemswell Cliff"),
        School(
            2,
            "langley-fitzurse-and-stanton-st-quintin",
            "Langley Fitzurse and Stanton St Quintin Primaries",
            "Langley Fitzurse and Stanton St Quintin",
        ),
        School(3, "wren-spinney", "Wren Spinney School", "Wren Spinney"),
        School(4, "glenmere", "Glenmere Community Primary", "Glenmere"),
        School(5, "llanidloes", "Llanidloes Schools Federation", "Llanidloes"),
    )
}

_ENROLLED_KINDS = tuple(kind for kind in KINDS if kind != "admin")
_NAMES = {
    "hemswell-cliff": (
        "Marnie Oakhurst, Tobias Fenhale, Priti Sandhar, Graham Lodestone, "
        "Ines Callowick, Kofi Brantham, Saoirse Millbeck, Rowena Thistledale"
    ),
    "langley-fitzurse-and-stanton-st-quintin": (
        "Jonah Applewick, Beatrix Stonecrop, Delroy Marchbank, Wilhelmina Ashpole, "
        "Zoë Łukasik-Vane, Harpreet Dunmarsh, Callum Netherway, Imogen Larkrise"
    ),
    "wren-spinney": (
        "Nia Copperfold, Edmund Quillfeather, Amara Holmestead, Lionel Birdsedge, "
        "Mei 王, Stefan Oxenbold, Lucinda Farrowmere, Magnus Hollinback"
    ),
    "glenmere": (
        "Aoife Brindlecombe, Percival Underhay, Yasmin Calderstone, Barnaby Wickstead, "
        "Fleur D'Arcy-Penhale, Tunde Marlpool, Constance Greyling, Isadora Merrowfield"
    ),
    "llanidloes": (
        "Siân Tyfawr, Gethin Brynmoel, Lowri Cwmdulas, Ieuan Pantycelyn-Rhos, "
        "Mabli Nantglas, Osian Trehelyg, Cerys Llwyncelyn, Rhiannon Maesgwyn"
    ),
}
_STARTER_GIVEN = ("Bryn", "Clemency", "Dilip", "Esther", "Florian", "Greta", "Hamza", "Isla")
_STARTER_FAMILY = ("Ashgrove", "Bellwether", "Corncroft", "Dewhollow", "Elderbank", "Foxstead")


def first_people() -> dict[str, Person]:
    """Everybody who has an account on the first day, by id, the site administrator first."""
    everybody = [Person("2", None, "admin", "Site", "Keeper", "site.keeper@sandbox.example")]
    for school in SCHOOLS.values():
        for place, name in enumerate(_NAMES[school.slug].split(", ")):
            given, family = name.split(" ")
            number = 1000 * school.number + place
            kind = _ENROLLED_KINDS[place]
            everybody.append(
                Person(
                    str(number),
                    school.slug,
                    kind,
                    given,
                    family,
                    f"{kind}{number}@{school.slug}.example",
                    "" if kind == "volunteer" else f"EMP-{number}",
                    "cy" if school.slug == "llanidloes" and kind == "volunteer" else "en",
                )
            )
    return {person.id: person for person in everybody}


def another_starter(school: School, number: int) -> Person:
    """The `number`-th person enrolled later, counted over all schools from 0."""
    given = _STARTER_GIVEN[number % len(_STARTER_GIVEN)]
    family = _STARTER_FAMILY[number % len(_STARTER_FAMILY)]
    if number >= len(_STARTER_GIVEN) * len(_STARTER_FAMILY) // 2:
        family = f"{family} {number}"
    identifier = str(9000 + number)
    email = f"starter{identifier}@{school.slug}.example"
    return Person(identifier, school.slug, "starter", given, family, email, f"EMP-{identifier}")
