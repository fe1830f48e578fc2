"""What every page has in common: templates, filters and the page for a refusal."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Flask, current_app, g
from flask_babel import Babel, get_locale, get_translations
from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader
from markupsafe import Markup

from lti_tool.ui.assets import asset_url
from lti_tool.ui.errors import ERRORS
from lti_tool.ui.format import LOCAL, clock_time, day, day_and_time
from lti_tool.ui.refusals.general import UNKNOWN

MOST_KEPT: Final = 500
ui = Blueprint("ui", __name__, template_folder="templates")


def install(app: Flask, *, locale_selector: Callable[[], str | None] | None = None) -> None:
    """Give ``app`` its languages, the base templates, the component macros and the filters.

    ``locale_selector`` names the language of the request in hand (``en_GB``, ``cy``); None, or
    no answer from it, means British English.
    """
    Babel(
        app,
        default_locale="en_GB",
        default_timezone=str(LOCAL),
        default_translation_directories=str(Path(__file__).with_name("translations")),
        locale_selector=locale_selector,
    )
    app.register_blueprint(ui)
    components = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    app.jinja_env.loader = ChoiceLoader([app.create_global_jinja_loader(), components])
    app.jinja_env.globals.update(asset_url=asset_url, get_locale=get_locale)
    app.jinja_env.filters.update(day=day, clock_time=clock_time, day_and_time=day_and_time)
    _quicken(app.jinja_env)


def _quicken(env: Environment) -> None:
    """What every use of a component would spend on nothing that anybody sees.

    The components indent their HTML, line by line; Jinja compares all globals at each import of a
    macro, one by one unless they are a plain dictionary; and Flask-Babel finds out anew for each
    text which language the request has.
    """
    env.globals["once"] = _once()
    env.filters["indent"] = lambda text, *_, **__: text
    env.make_globals = lambda d: {**env.globals, **(d or {})}  # type: ignore[method-assign]
    env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda text: _translations().ugettext(text),
        ngettext=lambda one, many, n: _translations().ungettext(one, many, n),
        pgettext=lambda where, text: _translations().upgettext(where, text),
        npgettext=lambda where, one, many, n: _translations().unpgettext(where, one, many, n),
        newstyle=True,
    )


def _once() -> Callable[[Callable[[Any], Markup], object], Markup]:
    """Draws a component that looks the same for everybody, and keeps it: on a page of the training
    they cost most of the drawing. Not for what holds anything of a person's."""
    kept: dict[tuple[Any, str], Markup] = {}

    def once(component: Callable[[Any], Markup], params: object) -> Markup:
        key = component, repr(params)
        if (drawn := kept.get(key)) is None:
            if len(kept) >= MOST_KEPT:
                kept.clear()
            drawn = kept[key] = component(params)
        return drawn

    return once


def _translations() -> Any:
    if "translations" not in g:
        g.translations = get_translations()
    return g.translations


def render_error(
    code: str,
    *,
    reference: str = "",
    details: Mapping[str, object] | None = None,
    home: str = "",
) -> str:
    """The page for a refusal, by its code; a code without words gets those of a fault of ours.

    ``details`` fill the placeholders of its text; ``home`` is where the visit goes on, if any.
    Context processors are passed by, so that it can be drawn when there is no visit, or no
    database to find one in.
    """
    error = ERRORS.get(code, ERRORS[UNKNOWN])
    facts: defaultdict[str, object] = defaultdict(str, details or {})
    template = current_app.jinja_env.get_template("ui/error.html")
    return template.render(
        code=code,
        reference=reference,
        home=home,
        title=str(error.title) % facts,
        text=str(error.text) % facts,
        way_on=str(error.way_on) % facts,
    )
