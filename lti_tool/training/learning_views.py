"""Pages on which one begins, reads and finds out whom to tell. ``views`` gives their addresses."""

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec

from flask import (
    current_app,
    g,
    redirect,
    render_template,
    request,
    send_file,
    send_from_directory,
    url_for,
)
from flask_babel import lazy_gettext as _
from marshmallow import ValidationError
from werkzeug.wrappers import Response

from lti_tool.core.database import Database
from lti_tool.core.errors import ToolError
from lti_tool.curriculum.catalogue import Catalogue, Kept
from lti_tool.curriculum.reading import ROOT
from lti_tool.people import access, memberships
from lti_tool.people.memberships import set_role_group
from lti_tool.people.models import Membership, Visit
from lti_tool.policies.policy import Force, Role, School
from lti_tool.training import journeys
from lti_tool.training.course import Course, course_of, new_course
from lti_tool.training.cycles.settling import is_settled, settle
from lti_tool.training.cycles.turn import Turn, turn_of
from lti_tool.training.cycles.versions import in_use
from lti_tool.training.cycles.words import reason_words
from lti_tool.training.declarations import approved
from lti_tool.training.journeys import Progress
from lti_tool.training.models import Journey
from lti_tool.training.refresh import standing
from lti_tool.training.schemas import StartForm

Page = Response | str | tuple[str, int]
Parts = ParamSpec("Parts")

FIRST_MODULE: Final = "induction"
MOST_DRAWN: Final = 500
ROLE_WORDS: Final = {
    "teaching": (_("I teach or lead here"), _("Teacher, headteacher, senior leader")),
    "support": (
        _("I work here in another job"),
        _("Teaching assistant, office, site, kitchen, lunchtime, technician"),
    ),
    "governor": (_("I am a governor or trustee"), ""),
    "volunteer": (_("I volunteer"), _("Parent helper, reading volunteer, friend of the school")),
    "supply": (_("I am here for a while"), _("Supply, agency, student teacher, coach, visitor")),
}
FORCE_WORDS: Final = {
    Force.MUST: _("Must"),
    Force.SHOULD: _("Should"),
    Force.ADVISED: _("Advice"),
}
ABOUT_THE_HEAD: Final = ("chair-of-governors", "local-authority")


def on_journey(
    view: Callable[Concatenate[Course, Journey, Parts], Page],
) -> Callable[Parts, Page]:
    """Hands a view its course and journey; who has not begun is led to the start. A form's
    journey is locked, so that a second tab waits."""

    @wraps(view)
    def walk(*args: Parts.args, **parts: Parts.kwargs) -> Page:
        journey = turn_now().journey
        if journey is None:
            return redirect(url_for("training.home"), 303)
        if request.method == "POST":
            journey = journeys.locked(g.session, journey)
        return view(_course(journey), journey, *args, **parts)

    return walk


@access.visitor()
def home() -> Page:
    """What this is, how long it takes and who will see what; or straight to where one was. The
    same link leads to whatever is owed, and where nothing is to what was done.

    Managers land on their register and come here by a link of theirs.
    """
    member = g.member
    settle_now()
    if member is not None and not member.confirmed_at and not member.role_group:
        return _first_start_page(member)  # whoever has begun has said what they are here
    turn = turn_now()
    if turn.rests:
        return redirect(url_for("mine.page"), 303)
    if turn.journey is not None:
        return redirect(url_for("training.done" if turn.is_done else "training.tasks"), 303)
    return _first_start_page(member) if turn.obligation is None else _start_page({}, {})


@access.visitor()
def begin() -> Page:
    """Begin, with what the person is at this school where that is not known yet."""
    visit: Visit = g.visit
    member = g.member
    role_group = member.role_group if member else ""
    site = member.site if member else ""
    try:
        given = StartForm().load(request.form)
    except ValidationError as fault:
        return _start_page(request.form, fault.normalized_messages()), 400
    role_group = role_group or given["role_group"]
    turn = turn_now()
    if turn.journey is not None and not turn.is_done:
        return redirect(url_for("training.tasks"), 303)
    course = replace(_course(None), role_group=role_group)
    if given["site"] in course.school.sites:
        site = site or given["site"]
    missing = _missing(course, role_group, site)
    if missing and "asked" not in request.form:  # a button on another page
        return redirect(url_for("training.home"), 303)
    if missing:
        return _start_page(request.form, missing), 400
    if member and (member.role_group, member.site) != (role_group, site):
        set_role_group(g.session, member.id, role_group=role_group, site=site)
    journeys.begin(g.session, course=course, person_id=visit.person_id, now=g.now, cycle=turn.cycle)
    return redirect(url_for("training.tasks"), 303)


@access.visitor()
@on_journey
def tasks(course: Course, journey: Journey) -> Page:
    """The list of what there is to do, with what is done."""
    progress = journeys.progress(g.session, course=course, journey=journey)
    return render_template(
        "training/tasks.html",
        course=course,
        progress=progress,
        turn=turn_now(),
        manages=manages(),
    )


@access.visitor()
@on_journey
def section(course: Course, journey: Journey, section: str) -> Page:
    """One section of the policy: what binds the reader, and the rest folded away."""
    for number, reading in enumerate(course.readings, start=1):
        if reading.id == section:
            return render_template(
                "training/section.html",
                course=course,
                reading=reading,
                number=number,
                force_words=FORCE_WORDS,
            )
    raise ToolError("page-not-found")


@access.visitor()
@on_journey
def read_section(course: Course, journey: Journey, section: str) -> Page:
    """“I have read this section”: on to the next one that is not read yet."""
    journeys.read_section(g.session, course=course, journey=journey, section=section, now=g.now)
    progress = journeys.progress(g.session, course=course, journey=journey)
    for reading in course.readings:
        if reading.id not in progress.read:
            return redirect(url_for("training.section", section=reading.id), 303)
    return redirect(url_for("training.tasks"), 303)


@access.visitor()
def document() -> Page:
    """The whole policy: every clause with its place, and the school's own document if we have
    it."""
    course = _course(turn_now().journey)
    return render_template(
        "training/document.html",
        course=course,
        approved=approved(course.version),
        force_words=FORCE_WORDS,
    )


@access.visitor()
def original() -> Page:
    """The school's own document, as the school brought it."""
    school = _course(turn_now().journey).school
    kept: Kept | None = current_app.extensions["catalogue"].kept.get(school.id)
    if kept and school.document:
        return send_file(io.BytesIO(kept.files[school.document]), download_name=school.document)
    own = current_app.extensions["config"].content
    for base in (Path(own), ROOT) if own else (ROOT,):
        folder = base / "modules" / "schools" / school.id
        if school.document and (folder / school.document).is_file():
            return send_from_directory(folder.resolve(), school.document)
    raise ToolError("page-not-found")


@access.visitor()
def tell() -> Page:
    """Whom to tell: open to everybody who has arrived, at any moment."""
    journey = turn_now().journey
    course = _course(journey)
    return render_template(
        "training/tell.html",
        course=course,
        contacts=_roles(course.school, course.school.report_to),
        above_the_head=_roles(course.school, ABOUT_THE_HEAD),
        to_note=journey is not None and journey.told_at is None,
        has_begun=journey is not None,
    )


@access.visitor()
@on_journey
def told(course: Course, journey: Journey) -> Page:
    """“I know who to tell.”"""
    journeys.tell(g.session, journey=journey, now=g.now)
    if not course.is_short:
        return redirect(url_for("training.tasks"), 303)
    return onward(course, journeys.locked(g.session, journey))


def onward(course: Course, journey: Journey) -> Page:
    """To the next thing a short training asks for, past the list: it is to be done in minutes."""
    progress = journeys.progress(g.session, course=course, journey=journey)
    return redirect(next_page(progress), 303)


def next_page(progress: Progress) -> str:
    """The address of the next thing to do in a short training."""
    sitting, journey = progress.sitting, progress.journey
    if not progress.has_read:
        return url_for("refresh.changes")
    if not progress.has_been_told:
        return url_for("training.tell")
    if progress.to_read_again:
        return url_for("refresh.again")
    if sitting.open and not journey.learned_at:
        return url_for("training.question", position=sitting.open.position)
    return url_for("training.declare" if progress.is_ready else "training.tasks")


def _first_start_page(member: Membership | None) -> str:
    """The start page as nearly everybody sees it, drawn once for all who see the same."""
    visit: Visit = g.visit
    said = (member.role_group, member.site) if member else ("", "")
    school = school_now()
    # Another version may have been opened since; where there is one alone, nobody need ask.
    version = in_use(g.session, school).number if len(school.versions) > 1 else ""
    seen = (visit.school_id, version, visit.module, visit.door, visit.platform_name)
    key = (*seen, visit.may_ask_to_manage, said)
    drawn: dict[object, str] = current_app.extensions["drawn"]
    if key not in drawn:
        if len(drawn) >= MOST_DRAWN:
            drawn.clear()
        drawn[key] = _start_page({}, {})
    return drawn[key]


def _start_page(given: Mapping[str, Any], errors: Mapping[str, Any]) -> str:
    member = g.member
    return render_template(
        "training/start.html",
        course=_course(None),
        obligation=turn_now().obligation,
        reason_words=reason_words,
        asks_role=member is None or not member.role_group,
        asks_site=member is None or not member.site,
        role_words=ROLE_WORDS,
        given=given,
        errors=errors,
    )


def _roles(school: School, names: Iterable[str]) -> list[Role]:
    """Those the school has, each once: one person may be several."""
    found = {role.id: role for name in names if (role := school.role(name)) is not None}
    return list(found.values())


def _missing(course: Course, role_group: str, site: str) -> dict[str, list[object]]:
    missing: dict[str, list[object]] = {}
    if not role_group:
        missing["role_group"] = [_("Choose what you do at the school")]
    if course.school.sites and site not in course.school.sites:
        missing["site"] = [_("Choose where you work or help")]
    return missing


def _catalogue() -> Catalogue:
    catalogue: Catalogue = current_app.extensions["catalogue"]
    return catalogue


def settle_now() -> None:
    """Bring what this person owes up to date before they are told; nearly always it is. Who is not
    counted owes nothing."""
    if g.member is None or not g.member.confirmed_at:
        return
    database: Database = current_app.extensions["database"]
    who = {"school": school_now(), "now": g.now}
    with database.reading() as session:
        if is_settled(session, person_id=g.visit.person_id, **who):
            return
    with database.transaction() as session:
        settle(session, person_ids=[g.visit.person_id], **who)


def school_now() -> School:
    """The visit's school."""
    return _catalogue().schools[g.visit.school_id]


def turn_now() -> Turn:
    """Which training the visitor has before them; asked once a request."""
    if "turn" not in g:
        g.turn = turn_of(
            g.session,
            school=school_now(),
            person_id=g.visit.person_id,
            asked=g.visit.module or FIRST_MODULE,
            modules=_catalogue().modules,
            now=g.now,
        )
    turn: Turn = g.turn
    return turn


def _course(journey: Journey | None) -> Course:
    """The journey's course, or the one a beginner would have."""
    if journey is not None:
        return standing.compared(g.session, course_of(_catalogue(), journey), journey)
    member, school = g.member, school_now()
    return new_course(
        _catalogue(),
        school_id=school.id,
        module=turn_now().module,
        role_group=member.role_group if member else "",
        version=in_use(g.session, school) if school.versions else None,
    )


def manages() -> bool:
    """Whether the visitor looks after the training here."""
    return memberships.manages(g.session, g.visit)
