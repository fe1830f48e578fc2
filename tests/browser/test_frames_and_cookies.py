"""A launch in real Chromium across two sites, over https, with every kind of luck with cookies.

The platform is 127.0.0.1, the tool localhost: two sites to a browser. What Chromium keeps is set
as a person or a school sets it, in the profile; each test first shows that the setting works.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import BrowserContext, Frame, Playwright, Route
from sqlalchemy import select

from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.people.models import Visit
from tests.browser.conftest import (
    FLAGS,
    Learner,
    NewDatabase,
    Running,
    chromium_path,
    start_product,
)

pytestmark = pytest.mark.browser

SCHOOL = "hemswell-cliff"
NEW = "Launch as a new member of staff"
# A person has ten questions, so those who answer are not always the same.
TEACHER = "Launch as an existing teacher"
ASSISTANT = "Launch as a teaching assistant"
GOVERNOR = "Launch as a governor"
TRAINING = {"/", "/training"}
SETTINGS = ("allowed", "blocked", "none")


def write_certificate(file: Path) -> None:
    """A certificate of both sites' names, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Clauseway browser tests")])
    names: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@pytest.fixture(scope="module")
def secure(
    new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """The product over https."""
    folder = tmp_path_factory.mktemp("secure")
    certificate = folder / "certificate.pem"
    write_certificate(certificate)
    with (
        new_database(folder) as url,
        start_product(folder, url, certificate=str(certificate)) as running,
    ):
        yield running


@pytest.fixture
def profile(
    playwright: Playwright, tmp_path: Path
) -> Iterator[Callable[[Running, str], BrowserContext]]:
    """A Chromium of one's own whose person allows third-party cookies, blocks them, or wants none
    at all from the tool while it is inside the platform."""
    opened: list[BrowserContext] = []

    def open_one(product: Running, cookies: str) -> BrowserContext:
        wishes: dict[str, object] = {"cookie_controls_mode": int(cookies == "blocked")}
        if cookies == "none":
            rule = {f"{product.tool},{product.platform}": {"setting": 2}}
            wishes["content_settings"] = {"exceptions": {"cookies": rule}}
        preferences = tmp_path / "profile" / "Default" / "Preferences"
        preferences.parent.mkdir(parents=True)
        preferences.write_text(json.dumps({"profile": wishes}))
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=chromium_path(),
            args=FLAGS,
            locale="en-GB",
            ignore_https_errors=True,
        )
        context.set_default_timeout(15_000)
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()


@pytest.fixture
def learner_in(
    catalogue: Catalogue, profile: Callable[[Running, str], BrowserContext]
) -> Callable[..., Learner]:
    """Somebody at a school whose browser treats cookies so: ``learner_in(product, "blocked")``."""

    def at(product: Running, cookies: str) -> Learner:
        return Learner(product, catalogue, SCHOOL, profile(product, cookies).new_page())

    return at


def cookies_kept(tool: Frame) -> list[str]:
    """Which kinds of cookie this frame of the tool is let keep."""
    kept = tool.evaluate(
        """() => {
          document.cookie = "plain=1; Path=/; Secure; SameSite=None"
          document.cookie = "apart=1; Path=/; Secure; SameSite=None; Partitioned"
          return document.cookie
        }"""
    )
    return sorted(one.partition("=")[0] for one in str(kept).split("; ") if one)


def go_to_a_question(learner: Learner) -> None:
    for _ in range(30):
        if learner.tool.locator("input[name=choice]").count():
            return
        learner.step("")
    raise AssertionError(f"no question after 30 pages: {learner.path}")


def save_an_answer(learner: Learner) -> None:
    """On from where they are to the next question, and answer it."""
    go_to_a_question(learner)
    learner.answer()
    learner.tool.get_by_text("Your answer").first.wait_for()


def open_new_window(learner: Learner) -> None:
    """From the page in the frame, where no cookie of the visit came back."""
    assert learner.heading == "Open the training in a new window"
    with learner.page.context.expect_page() as opened:
        learner.tool.get_by_role("button", name="Open in a new window").click()
    learner.tool = opened.value.main_frame
    learner.tool.wait_for_selector("h1")


def say_yes(learner: Learner) -> None:
    assert learner.heading == "Is this you?"
    assert re.search(r"You are \w+ \w+ at Hemswell Cliff", learner.tool.inner_text("main"))
    learner.press("Yes, that is me")


def lose_the_logins_cookie(learner: Learner) -> None:
    """As where a browser sends none after several redirects: it is gone when the launch comes."""
    context = learner.page.context

    def lose(route: Route) -> None:
        context.clear_cookies(name=re.compile("clauseway-login"))
        route.continue_()

    context.route(f"{learner.product.platform}/auth?*", lose)


def is_bound(product: Running) -> bool:
    """Whether the last launch was tied to the browser that began it."""
    database = product.database()
    with database.reading() as session:
        last = session.scalars(select(Visit).order_by(Visit.id.desc()).limit(1)).one()
    database.engine.dispose()
    return last.confirmed_at is not None


@pytest.mark.parametrize("in_window", [False, True], ids=["frame", "window"])
@pytest.mark.parametrize("cookies", SETTINGS)
def test_a_launch_arrives_and_an_answer_is_saved(
    secure: Running, learner_in: Callable[..., Learner], cookies: str, in_window: bool
) -> None:
    learner = learner_in(secure, cookies)
    learner.launch(NEW, in_window=in_window)
    kept = {"allowed": ["apart", "plain"], "blocked": ["apart"], "none": []}
    assert cookies_kept(learner.tool) == (kept["allowed"] if in_window else kept[cookies])
    if cookies == "none" and not in_window:
        open_new_window(learner)
        say_yes(learner)
    assert learner.path in TRAINING  # nobody else was asked who they are
    save_an_answer(learner)
    assert learner.faults == []
    assert learner.foreign == []


def test_over_plain_http_on_this_machine(
    product: Running, learner_in: Callable[..., Learner]
) -> None:
    learner = learner_in(product, "none")
    learner.launch(NEW)
    open_new_window(learner)
    say_yes(learner)
    save_an_answer(learner)


def test_a_new_window_that_is_somebody_elses_saves_nothing(
    secure: Running, learner_in: Callable[..., Learner]
) -> None:
    learner = learner_in(secure, "none")
    learner.launch(NEW)
    open_new_window(learner)
    learner.press("No, that is not me")
    learner.tool.goto(secure.tool + "/training")
    assert learner.heading == "Your visit has ended"


@pytest.mark.parametrize("cookies", ["allowed", "blocked"])
def test_two_launches_at_once_in_two_tabs(
    secure: Running, learner_in: Callable[..., Learner], catalogue: Catalogue, cookies: str
) -> None:
    """The first waits on its way while the second goes all the way; then both go on."""
    first = learner_in(secure, cookies)
    held: list[Route] = []
    first.page.route(secure.tool + "/lti/launch", lambda route: held.append(route))
    with first.page.expect_request(secure.tool + "/lti/launch"):
        first.begin_launch(TEACHER, in_window=False, storage="none")
    second = Learner(secure, catalogue, SCHOOL, first.page.context.new_page())
    second.launch(TEACHER)
    go_to_a_question(second)
    held.pop().continue_()
    first.tool.wait_for_url(secure.tool + "/**")
    first.tool.wait_for_selector("h1")
    assert first.path in TRAINING
    second.answer()  # on a page that was drawn before the first tab arrived
    first.page.bring_to_front()
    save_an_answer(first)
    assert first.faults == []
    assert second.faults == []


STORAGE_WORKS = [("page", False), ("frame", False), ("named", False), ("page", True)]


@pytest.mark.parametrize(("storage", "in_window"), STORAGE_WORKS)
def test_ps_1_and_ps_2_platform_storage_stands_in_for_the_cookie(
    secure: Running, learner_in: Callable[..., Learner], storage: str, in_window: bool
) -> None:
    learner = learner_in(secure, "blocked")
    lose_the_logins_cookie(learner)
    learner.launch(ASSISTANT, in_window=in_window, storage=storage)
    assert learner.path in TRAINING  # nobody was asked who they are
    assert is_bound(secure)
    save_an_answer(learner)
    assert learner.faults == []


def test_ps_1_platform_storage_where_no_cookie_of_ours_is_kept(
    secure: Running, learner_in: Callable[..., Learner]
) -> None:
    learner = learner_in(secure, "none")
    learner.launch(NEW, storage="page")
    assert is_bound(secure)
    open_new_window(learner)
    say_yes(learner)  # a code can be handed on, so the new window asks all the same
    save_an_answer(learner)


@pytest.mark.parametrize("fault", ["no-reply", "error", "wrong-number", "wrong-origin"])
def test_ps_1_without_the_storages_word_the_person_is_asked(
    secure: Running, learner_in: Callable[..., Learner], fault: str
) -> None:
    learner = learner_in(secure, "blocked")
    lose_the_logins_cookie(learner)
    learner.launch(GOVERNOR, storage=fault)
    assert not any(frame.url.startswith("chrome-error") for frame in learner.page.frames)
    assert not is_bound(secure)
    say_yes(learner)
    save_an_answer(learner)


def test_sec_4_storage_that_holds_something_else_is_refused(
    secure: Running, learner_in: Callable[..., Learner]
) -> None:
    learner = learner_in(secure, "blocked")
    lose_the_logins_cookie(learner)
    learner.begin_launch(NEW, in_window=False, storage="another-value")
    learner.tool.get_by_text("launch-other-browser").wait_for()
    assert learner.tool.locator("form").count() == 0


def test_ps_1_by_hand_where_the_script_does_not_load(
    secure: Running, learner_in: Callable[..., Learner]
) -> None:
    learner = learner_in(secure, "blocked")
    learner.page.context.route("**/storage.*.js", lambda route: route.abort())
    lose_the_logins_cookie(learner)
    learner.begin_launch(NEW, in_window=False, storage="named")
    learner.tool.wait_for_url("**/lti/login")
    learner.look()
    learner.tool.get_by_role("button", name="Continue").click()
    learner.tool.wait_for_url("**/lti/launch")
    assert urlsplit(learner.tool.url).query == ""
    learner.look()
    learner.press("Continue")
    assert not is_bound(secure)
    say_yes(learner)
    assert learner.path in TRAINING
