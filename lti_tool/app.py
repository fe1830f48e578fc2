"""The roof: wires the rooms, opens a session per request, commits or rolls back, words errors."""

import logging
import secrets
import time
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, request, url_for
from markupsafe import Markup
from sqlalchemy import update
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.middleware.proxy_fix import ProxyFix

from lti_tool.config import Config, instance_folder, read_config
from lti_tool.core import jobs, logs
from lti_tool.core.clock import Clock, utc_now
from lti_tool.core.database import Database, abandon
from lti_tool.core.drawers import open_drawer
from lti_tool.core.errors import ToolError
from lti_tool.core.limits import Tally
from lti_tool.core.secret import derived_secret
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.kept import shelf
from lti_tool.curriculum.reading import read_catalogue
from lti_tool.evidence import views as evidence_views
from lti_tool.evidence.acts import views as act_views
from lti_tool.evidence.certificates import views as certificate_views
from lti_tool.evidence.checkpoints.keys import EvidenceKeys
from lti_tool.evidence.dashboard import acting as acting_views
from lti_tool.evidence.dashboard import views as dashboard_views
from lti_tool.evidence.packs import models as _packs  # noqa: F401  (brings its table)
from lti_tool.evidence.packs import views as pack_views
from lti_tool.evidence.retention import views as retention_views
from lti_tool.evidence.review import views as review_views
from lti_tool.evidence.subjects import views as subject_views
from lti_tool.lti import views as lti_views
from lti_tool.lti.connect import views as connect_views
from lti_tool.lti.health import views as health_views
from lti_tool.lti.platforms import Lti
from lti_tool.lti.rosters import views as roster_views
from lti_tool.migrations.standing import can_serve
from lti_tool.operation import beating
from lti_tool.operation.metrics import counting
from lti_tool.operation.metrics import views as metrics_views
from lti_tool.people import access, tries, visits
from lti_tool.people import views as people_views
from lti_tool.people.acts import noting
from lti_tool.people.models import Visit
from lti_tool.policies.policy import School
from lti_tool.teams import views as teams_views
from lti_tool.teams.tenants import Teams
from lti_tool.training import views as training_views
from lti_tool.training.channels import views as channel_views
from lti_tool.training.mine import views as mine_views
from lti_tool.training.refresh import views as refresh_views
from lti_tool.training.reminders import views as reminder_views
from lti_tool.training.staff import import_views, join_views, manager_views
from lti_tool.training.staff import views as staff_views
from lti_tool.training.versions import views as version_views
from lti_tool.training.year import tasks as year_tasks
from lti_tool.training.year import views as year_views
from lti_tool.ui import assets, pages
from lti_tool.ui.errors import ERRORS
from lti_tool.ui.format import morning
from lti_tool.ui.headers import security_headers
from lti_tool.ui.refusals.general import UNKNOWN

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[1]
# Nobody outside can know them, so nobody can have their text replaced.
CSRF_MARK, REQUEST_MARK, DOOR_MARK = (secrets.token_hex(16).encode() for _ in range(3))
LARGEST_FORM = 256 * 1024
BLUEPRINTS = (
    people_views.blueprint,
    lti_views.blueprint,
    roster_views.blueprint,
    health_views.blueprint,
    connect_views.blueprint,
    teams_views.blueprint,
    training_views.blueprint,
    channel_views.blueprint,
    mine_views.blueprint,
    year_views.blueprint,
    reminder_views.blueprint,
    staff_views.blueprint,
    import_views.blueprint,
    join_views.blueprint,
    manager_views.blueprint,
    version_views.blueprint,
    refresh_views.blueprint,
    evidence_views.blueprint,
    dashboard_views.blueprint,
    acting_views.blueprint,
    pack_views.blueprint,
    review_views.blueprint,
    act_views.blueprint,
    certificate_views.blueprint,
    metrics_views.blueprint,
    retention_views.blueprint,
    subject_views.blueprint,
)
HTTP_ERRORS = {
    400: "form-incomplete",
    404: "page-not-found",
    405: "method-not-allowed",
    413: "too-large",
    429: "too-many-requests",
}


def create_app(
    config: Config | None = None, *, clock: Clock = utc_now, catalogue: Catalogue | None = None
) -> Flask:
    """The whole tool as a WSGI application.

    Raises ``ConfigError`` for a bad setting, ``ContentFaults`` for bad shared content,
    ``AssetsMissingError`` before the browser assets are built.
    """
    config = config or read_config(instance_folder())
    logs.set_up(config)
    app = Flask(__name__, instance_path=str(config.instance.resolve()), static_folder=None)
    # Every view and hook is a plain function; to ask each whether it is one costs 15 µs a request.
    app.ensure_sync = lambda func: func  # type: ignore[method-assign]
    app.redirect = _redirect  # type: ignore[method-assign]
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_FORM
    database = Database(config.database_url, config.database_connections)
    app.extensions |= {
        "config": config,
        "database": database,
        "clock": clock,
        "catalogue": catalogue or _read_content(config, clock),
        "queue": jobs.open_queue(config),
        "lti": Lti(config, database, clock),
        "teams": Teams(config, clock),
        "evidence_keys": EvidenceKeys(open_drawer(config, database, "evidence-keys")),
        "csrf_secret": derived_secret(config, "csrf"),
        "drawn": {},
        "tally": Tally(),
    }
    schools = app.extensions["catalogue"].schools.values()
    year_tasks.register_tasks(app.extensions["queue"], database, schools, clock)
    beating.register_tasks(app.extensions["queue"], database, clock)
    pages.install(app)
    app.jinja_env.globals["door_mark"] = DOOR_MARK.decode()
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.add_url_rule("/healthz", view_func=healthz)
    app.add_url_rule("/readyz", view_func=readyz)
    _require_marks(app)
    app.before_request(_enter)
    app.after_request(_leave)
    app.teardown_request(_close)
    app.context_processor(_page_context)
    app.register_error_handler(ToolError, _refuse)
    app.register_error_handler(Exception, _fault)
    app.wsgi_app = assets.wrap(app.wsgi_app)  # type: ignore[method-assign]
    if config.proxies:
        hops = config.proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    return app


def _read_content(config: Config, clock: Clock) -> Catalogue:
    extra = Path(config.content) if config.content else None
    catalogue = read_catalogue(ROOT, extra, shelf=shelf(config.instance), now=clock())
    for school in catalogue.schools.values():
        if kept := catalogue.kept.get(school.id):
            facts = {"school": school.id, "kept_since": kept.since, "faults": len(kept.faults)}
            log.warning("a school is served as it was last good", extra=facts)
        elif school.closed:
            facts = {"school": school.id, "faults": len(school.closed)}
            log.warning("a school is closed", extra=facts)
    return catalogue


@access.public(csrf=False)
def healthz() -> Response:
    """The process answers; and whether a proxy ends TLS that it is not told of, for the doctor."""
    config: Config = current_app.extensions["config"]
    is_plain = config.url.startswith("https:") and not request.is_secure
    return Response("ok, over plain http\n" if is_plain else "ok\n", mimetype="text/plain")


@access.public(csrf=False)
def readyz() -> Response:
    """The process can serve people: the database answers and is migrated."""
    database: Database = current_app.extensions["database"]
    try:
        ready = can_serve(database.engine)
    except SQLAlchemyError:
        return Response("the database does not answer\n", 503, mimetype="text/plain")
    if not ready:
        return Response("the database is not migrated\n", 503, mimetype="text/plain")
    return Response("ready\n", mimetype="text/plain")


def _require_marks(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if access.access_of(app.view_functions[rule.endpoint]) is None:
            raise RuntimeError(f"the view {rule.endpoint} does not say who may enter")


def _redirect(location: str, code: int = 302) -> Response:
    """Without the page that nobody sees: two of a launch's three answers are redirects."""
    return Response(status=code, headers={"Location": location})


def _itself(proxy: Any) -> Any:
    return proxy._get_current_object()


def _enter() -> None:
    # Each look through a proxy costs, and this is on every path.
    app, here, asked = map(_itself, (current_app, g, request))
    extensions, is_post = app.extensions, asked.method == "POST"
    view = app.view_functions[asked.endpoint] if asked.endpoint is not None else None
    mark = access.access_of(view) if view else None
    database: Database = extensions["database"]
    here.mark, here.concerns = mark, set()
    writes = here.writes = is_post or (mark is not None and mark.writes)
    here.started = time.perf_counter()
    here.request_id = secrets.token_hex(6)
    here.now = extensions["clock"]()
    here.visit = here.member = None
    here.session = database.writing() if writes else database.reading()
    logs.request_id.set(here.request_id)
    if is_post:
        if mark is not None and mark.largest:
            asked.max_content_length = mark.largest
        asked.get_data(parse_form_data=True)  # it may come slowly: before a transaction begins
    if mark is None:
        return
    # A launch brings its own proof, and takes no notice of an earlier visit.
    if (mark.csrf or mark.level != "public") and (token := access.visit_token(asked)):
        here.visit, here.member = visits.visit_by_token(here.session, token, now=here.now)
    _check_school(here.visit)
    access.check(here.session, mark, here.visit)
    tries.check(mark.limit)
    if is_post and mark.csrf:
        access.check_csrf(extensions["csrf_secret"], here.visit, asked)
    if here.visit is not None and visits.needs_touch(here.visit, now=here.now):
        _touch(database, here.visit, writes)


def _check_school(visit: Visit | None) -> None:
    """A visit can outlive its school's content; nothing is shown that cannot be right."""
    catalogue: Catalogue = current_app.extensions["catalogue"]
    if visit is not None and visit.school_id and visit.school_id not in catalogue.schools:
        raise ToolError("school-closed")


def _touch(database: Database, visit: Visit, writes: bool) -> None:
    """Note that the person is still here, apart from what the page itself does."""
    seen = update(Visit).where(Visit.id == visit.id).values(last_seen_at=g.now)
    if writes:
        g.session.execute(seen)
    else:
        with database.transaction() as session:
            session.execute(seen)


def _leave(response: Response) -> Response:
    app, here, asked = map(_itself, (current_app, g, request))  # as in _enter
    extensions, session = app.extensions, here.get("session")
    if session is not None:
        if response.status_code >= 400:
            abandon(session)
        else:
            noting.note(session, extensions["database"], response, morning)
            if here.writes:
                session.commit()
    _fill_in(response)
    said = set(response.headers.keys(lower=True))
    for name, value in security_headers(
        frame_ancestors=_frame_ancestors(),
        form_action=here.get("form_action", ()),
        is_https=extensions["config"].url.startswith("https:"),
    ):
        if name.lower() not in said:
            response.headers.add(name, value)
    if mark := here.get("mark"):
        tries.count(mark.limit, response.status_code)
    seconds = time.perf_counter() - here.started
    endpoint, status = asked.endpoint or "", response.status_code
    counting.count(endpoint, status, seconds)
    milliseconds = round(seconds * 1000, 1)
    logs.note_request(
        method=asked.method, endpoint=endpoint, status=status, milliseconds=milliseconds
    )
    return response


def _fill_in(response: Response) -> None:
    """Put this visit's form token and this request's number where the page has their marks, and
    what the page's door has to say of it.

    So whatever is drawn holds nothing that belongs to one visit, and may be kept.
    """
    is_page = response.status_code // 100 != 3 and response.mimetype == "text/html"
    if not is_page or response.is_streamed:
        return
    visit: Visit | None = g.get("visit")
    token = access.csrf_token(current_app.extensions["csrf_secret"], visit) if visit else ""
    body = response.get_data()
    response.set_data(
        body.replace(CSRF_MARK, token.encode())
        .replace(REQUEST_MARK, g.request_id.encode())
        .replace(DOOR_MARK, _door(visit).encode(), 1)
    )


def _door(visit: Visit | None) -> str:
    """Attributes of ``<html>``: in Teams its theme is followed, and pages speak to it."""
    theme = request.cookies.get(teams_views.THEME_COOKIE, "")
    said = f'data-theme="{theme}"' if theme in teams_views.THEMES else ""
    if (visit.door if visit else g.get("door")) != "teams":
        return said
    teams: Teams = current_app.extensions["teams"]
    return f'data-door="teams" data-hosts="{" ".join(teams.hosts)}" {said}'


def _frame_ancestors() -> tuple[str, ...]:
    if "frame_ancestors" in g:
        return tuple(g.frame_ancestors)
    return tuple(g.visit.frame_ancestors.split()) if g.get("visit") else ()


def _close(fault: BaseException | None) -> None:
    session = g.pop("session", None)
    if session is not None:
        abandon(session)
    logs.request_id.set("")


def _page_context() -> dict[str, object]:
    visit: Visit | None = g.get("visit")
    catalogue: Catalogue = current_app.extensions["catalogue"]
    school = catalogue.schools.get(visit.school_id) if visit else None

    return {
        "visit": visit,
        "school": school,
        "help_now": _help_now(school) if school else None,
        "finish_url": url_for("people.finish") if visit else None,
        "csrf_field": _csrf_field,
        "request_id": REQUEST_MARK.decode(),
    }


def _csrf_field() -> Markup:
    if g.get("visit") is None:
        return Markup("")
    field = Markup('<input type="hidden" name="csrf_token" value="{}">')
    return field.format(CSRF_MARK.decode())


def _help_now(school: School) -> dict[str, str] | None:
    first = school.role(school.report_to[0]) if school.report_to else None
    return {"role": first.title["en"], "phone": first.phone} if first else None


def _refuse(error: ToolError) -> tuple[str, int, dict[str, str]]:
    text = ERRORS.get(error.code, ERRORS[UNKNOWN])
    if g.get("mark"):
        error = tries.told(error, g.mark.limit, text.status)
        text = ERRORS.get(error.code, ERRORS[UNKNOWN])
    log.info("refused", extra={"code": error.code, "why": error.log})
    visit: Visit | None = g.get("visit")
    g.setdefault("frame_ancestors", _refused_before(visit))
    goes_on = text.status < 500 and visit and visit.confirmed_at and visit.school_id
    page = pages.render_error(
        error.code,
        reference=g.request_id,
        details=error.details,
        home=url_for("training.home") if goes_on else "",
    )
    seconds = error.details.get("retry_after")
    return page, text.status, {"Retry-After": str(seconds)} if seconds else {}


def _refused_before(visit: Visit | None) -> tuple[str, ...]:
    """Who may frame a refusal on a page that has not said so: whoever frames the visit. Where
    there is none, anybody: it holds no form and no data, and must be seen in a platform."""
    view = current_app.view_functions.get(request.endpoint or "")
    mark = access.access_of(view) if view else None
    if visit is None or mark is None or mark.level == "public":
        return ("*",)
    return tuple(visit.frame_ancestors.split())


def _fault(error: Exception) -> tuple[str, int] | Response:
    g.setdefault("frame_ancestors", ("*",))
    if isinstance(error, InternalServerError) and isinstance(error.original_exception, Exception):
        error = error.original_exception  # a commit that failed comes wrapped
    if isinstance(error, HTTPException):
        if error.code is None or error.code < 400:
            return current_app.make_response(error.get_response())  # a redirect of routing's
        code = HTTP_ERRORS.get(error.code, "form-incomplete" if error.code < 500 else UNKNOWN)
    else:
        is_outage = isinstance(error, OperationalError | InterfaceError | PoolTimeout)
        code = "database-unavailable" if is_outage else UNKNOWN
        log.exception("fault", extra={"code": code})
    page = pages.render_error(code, reference=g.get("request_id", ""))
    return page, ERRORS[code].status
