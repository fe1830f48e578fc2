"""The dashboard's pages: one school's figures, whom to chase, all schools of a manager."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from lti_tool.core.errors import ToolError
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.cycles import cycle_of
from lti_tool.evidence import export as exports
from lti_tool.evidence import register as registers
from lti_tool.evidence.dashboard import chasing, duties, figures, trusts
from lti_tool.evidence.dashboard.chasing import Chased, ChaseFilters
from lti_tool.evidence.dashboard.schemas import read_chase, read_query
from lti_tool.evidence.retention.disposing import not_set
from lti_tool.evidence.schemas import Filters, fitting
from lti_tool.evidence.words import cycle_words, page_words
from lti_tool.people import access, visits
from lti_tool.policies.policy import School
from lti_tool.training.cycles.owing import REFRESH
from lti_tool.ui.format import local

blueprint = Blueprint("dashboard", __name__, template_folder="templates")


@blueprint.context_processor
def _words() -> dict[str, object]:
    return page_words(_catalogue().modules) | {"when_words": figures.when_words}


@blueprint.get("/dashboard")
@access.manager()
def page() -> str:
    """How one training of one cycle stands at the school."""
    school, today = _school(), local(g.now).date()
    cycles = _cycles(school)
    given = read_query(
        request.args, "module", "cycle", "site", modules=_catalogue().modules, sites=school.sites
    )
    filters = fitting(Filters(**{"module": _usual(), "cycle": cycles[0]} | given), cycles)
    which = {"school_id": school.id, "module": filters.module, "site": filters.site}
    this = duties.read(g.session, **which, cycle=filters.cycle)
    return render_template(
        "dashboard/page.html",
        filters=filters,
        trainings=_trainings(),
        cycles=[(cycle, cycle_words(cycle)) for cycle in cycles],
        counts=duties.count(this, today),
        asked=duties.asked,
        share=duties.share,
        groups=figures.by_role_group(this, today),
        sites=figures.by_site(this, school.sites, today) if not filters.site else None,
        weeks=figures.over_time(this, filters.cycle, school.year_starts, today),
        years=_years(which, this, filters.cycle, school),
        periods_missing=len(not_set(g.session, school_id=school.id)),
        manages_others=len(trusts.managed(g.session, g.visit)) > 1,
    )


@blueprint.get("/chase")
@access.manager()
def chase() -> str:
    """Who is overdue or due soon."""
    school, today = _school(), local(g.now).date()
    filters, number, moved = _chase_query(school)
    lines, total = chasing.page(
        g.session, school_id=school.id, filters=filters, number=number, today=today
    )
    return render_template(
        "dashboard/chase.html",
        filters=filters,
        link={name: value for name, value in asdict(filters).items() if value},
        moved=moved,
        trainings=_trainings(),
        sites=school.sites,
        lines=lines,
        total=total,
        number=number,
        pages=-(-total // chasing.PAGE),
        soon=chasing.SOON.days,
    )


@blueprint.get("/chase.csv")
@access.manager(hands_out=True)
def chase_file() -> Response:
    """The same as a file; that it was taken is recorded.

    It writes, so another site may not set it off behind a manager's back.
    """
    if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        raise ToolError("form-expired")
    school, today = _school(), local(g.now).date()
    filters, _number, _moved = _chase_query(school)
    session = current_app.extensions["database"].reading()
    try:
        total, chunks = chasing.stream(session, school_id=school.id, filters=filters, today=today)
        exports.note(
            g.session,
            school_id=school.id,
            person_id=g.visit.person_id,
            what="chase.csv",
            filters=asdict(filters),
            rows=total,
            now=g.now,
        )
    except BaseException:
        session.close()
        raise
    response = Response(stream_with_context(_chase_rows(chunks)), mimetype="text/csv")
    response.call_on_close(session.close)
    name = f"chase-{school.id}-{today.isoformat()}.csv"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


@blueprint.get("/schools")
@access.manager()
def schools() -> str:
    """All schools for which the manager holds a grant, side by side: counts, no names."""
    known, today = _catalogue().schools, local(g.now).date()
    years = _cycles(_school())
    given = read_query(
        request.args, "module", "cycle", "order", modules=_catalogue().modules, sites=()
    )
    order = given.pop("order", "name")
    filters = fitting(Filters(**{"module": _usual(), "cycle": years[0]} | given), years)
    mine = trusts.managed(g.session, g.visit)
    found = trusts.beside(
        g.session,
        names={one: known[one].name for one in mine if one in known},
        module=filters.module,
        cycle=filters.cycle,
        today=today,
        order=order,
    )
    return render_template(
        "dashboard/schools.html",
        filters=filters,
        order=order,
        trainings=_trainings(),
        cycles=[(cycle, cycle_words(cycle)) for cycle in years],
        schools=found,
        whole=figures.all_schools(found),
        plot=figures.beside(found),
        home=g.visit.school_id,
    )


@blueprint.post("/schools/<school_id>")
@access.manager()
def enter(school_id: str) -> AnyResponse:
    """Go to another school that this manager looks after."""
    if school_id not in _catalogue().schools:
        raise ToolError("not-a-manager")
    g.visit = visits.mapped(g.session, g.visit)
    trusts.enter(g.session, g.visit, school_id=school_id)
    return redirect(url_for("evidence.register"), 303)


def _years(
    which: Mapping[str, Any], this: duties.Duties, cycle: str, school: School
) -> figures.YearsFigure | None:
    if not cycle[0].isdigit():
        return None  # a version of the policy has no year before it
    last = duties.read(g.session, **which, cycle=duties.cycle_before(cycle))
    found = duties.compare(
        this, last, cycle=cycle, starts=school.year_starts, today=local(g.now).date()
    )
    return figures.of_years(found) if found else None


def _chase_query(school: School) -> tuple[ChaseFilters, int, int | None]:
    return read_chase(request.args, modules=_catalogue().modules, sites=school.sites)


def _chase_rows(chunks: Iterable[Sequence[Chased]]) -> Iterator[bytes]:
    modules = _catalogue().modules
    head = [
        _("Name"), _("Reference"), _("E-mail"), _("Role group"), _("Site"), _("Training"),
        _("School year"), _("State"), _("Due on"), _("Days overdue"), _("Days left"),
        _("Why then"), _("Reminded on"),
    ]  # fmt: skip
    yield (exports.BYTE_ORDER_MARK + exports.csv_rows([head])).encode()
    for chunk in chunks:
        rows = (figures.chase_cells(line, modules) for line in chunk)
        yield exports.csv_rows(rows).encode(errors="replace")


def _cycles(school: School) -> list[str]:
    current = cycle_of(g.now, school.year_starts)
    return registers.cycles(g.session, school_id=school.id, current=current)


def _usual() -> str:
    """The training that a page means which names none."""
    modules = _catalogue().modules
    return REFRESH if REFRESH in modules else next(iter(modules))


def _trainings() -> list[tuple[str, str]]:
    return [(module.id, module.title["en"]) for module in _catalogue().modules.values()]


def _school() -> School:
    return _catalogue().schools[g.visit.school_id]


def _catalogue() -> Catalogue:
    catalogue: Catalogue = current_app.extensions["catalogue"]
    return catalogue
