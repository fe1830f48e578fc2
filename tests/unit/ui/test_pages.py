"""The base page and the error page, drawn without any other room."""

from types import SimpleNamespace

import pytest
from flask import Flask, render_template_string
from flask_babel import lazy_gettext
from markupsafe import Markup

from lti_tool.ui import pages
from lti_tool.ui.assets import manifest
from lti_tool.ui.errors import ERRORS
from lti_tool.ui.pages import install, render_error
from lti_tool.ui.refusals.text import ErrorText

PAGE = "{% extends 'ui/base.html' %}{% block content %}<h1>A page</h1>{% endblock %}"
HELP = SimpleNamespace(role="headteacher", phone="01632 960001")


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    install(app)
    app.add_url_rule("/tell", "training.tell", lambda: "")
    return app


def draw(app: Flask, source: str = PAGE, **context: object) -> str:
    with app.test_request_context():
        return render_template_string(source, **context)


def test_base_renders_with_nothing_known(app: Flask) -> None:
    page = draw(app)
    assert '<html lang="en-GB"' in page
    assert f"/static/{manifest()['clauseway.css']}" in page
    assert "<h1>A page</h1>" in page
    assert "Worried about a child now?" not in page
    assert "Finish on this computer" not in page


def test_base_says_whom_to_tell(app: Flask) -> None:
    page = draw(app, help_now=HELP)
    assert "Do not wait. Tell the headteacher, 01632 960001, today." in page
    assert "In danger: 999." in page
    assert '<a class="govuk-link" href="/tell">This is happening to me now</a>' in page


def test_school_may_word_the_rest_of_whom_to_tell(app: Flask) -> None:
    words = SimpleNamespace(**vars(HELP), text="If it is about the head: the federation.")
    page = draw(app, help_now=words)
    assert "the federation." in page
    assert "the local authority" not in page


def test_finish_is_a_guarded_form(app: Flask) -> None:
    page = draw(
        app,
        visit=SimpleNamespace(),
        finish_url="/finish",
        csrf_field=lambda: "a field",
        school=SimpleNamespace(name="Glenmere <Primary>", is_example=True),
    )
    assert '<form method="post" action="/finish">' in page
    assert "a field" in page
    assert "Glenmere &lt;Primary&gt;" in page
    assert "Example school" in page


def test_error_page_has_words_reference_and_code(app: Flask) -> None:
    with app.test_request_context():
        page = render_error("page-not-found", reference="9f3c21aa")
    assert "There is no page at this address." in page
    assert "9f3c21aa" in page
    assert "(page-not-found)" in page


def test_error_page_asks_no_context_processor(app: Flask) -> None:
    @app.context_processor
    def _needs_a_database() -> dict[str, object]:
        raise ConnectionError

    with app.test_request_context():
        assert "Sorry, something went wrong" in render_error("something-went-wrong")


def test_error_without_words_is_a_fault_of_ours(app: Flask) -> None:
    with app.test_request_context():
        assert "Sorry, something went wrong" in render_error("no-such-code")


def test_details_fill_the_placeholders_and_are_escaped(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = lazy_gettext("%(who)s gave %(share)s of 100 %%")
    monkeypatch.setitem(ERRORS, "with-facts", ErrorText(400, words, words, words))
    with app.test_request_context():
        page = render_error("with-facts", details={"who": "<b>Moodle</b>"})
    assert "&lt;b&gt;Moodle&lt;/b&gt; gave  of 100 %" in page


def test_shared_parts(app: Flask) -> None:
    page = draw(
        app,
        "{% from 'ui/parts.html' import clause, option, progress, two_clauses %}"
        "{{ progress(3, 10) }}{{ two_clauses(('One', '4.1'), ('Two', '5.2')) }}"
        "{% call option('Decline', 'right', 'Right', chosen=true) %}<p>Why</p>{% endcall %}",
    )
    assert "Question 3 of 10" in page
    assert page.count('<blockquote class="cw-clause">') == 2
    assert "cw-option--right cw-option--chosen" in page
    assert "Your answer" in page
    assert "<p>Why</p>" in page


def test_a_component_drawn_once_is_what_it_would_be(app: Flask) -> None:
    button = "{% from 'govuk_frontend_jinja/components/button/macro.html' import govukButton %}"
    many = (
        button
        + "{% for one in texts %}{{ govukButton({'text': one}) }}"
        + "{{ once(govukButton, {'text': one}) }}|{% endfor %}"
    )
    texts = ["Start", "Start", Markup("<b>Start</b>"), "<b>Start</b>", lazy_gettext("Continue")]
    drawn = draw(app, many, texts=texts).split("|")[:-1]
    for plain, once in ((one[: len(one) // 2], one[len(one) // 2 :]) for one in drawn):
        assert plain == once
    assert len(set(drawn)) == 4


def test_what_is_drawn_once_is_kept_for_so_many_alone(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST_KEPT", 2)
    times: list[object] = []

    def component(params: object) -> Markup:
        times.append(params)
        return Markup("drawn")

    for number in (1, 1, 2, 2, 3, 1):
        draw(app, "{{ once(component, number) }}", component=component, number=number)
    assert times == [1, 2, 3, 1]
