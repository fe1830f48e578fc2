"""``clauseway retention``: how long a school keeps what, what would go, and disposing of it now."""

import json
from datetime import datetime, timedelta
from uuid import UUID

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select

from lti_tool.core.database import Database
from lti_tool.core.errors import ToolError
from lti_tool.evidence.retention import disposing, setting
from lti_tool.evidence.retention.kinds import KINDS, period_words
from lti_tool.people.models import Membership
from lti_tool.policies.policy import School
from lti_tool.ui.errors import ERRORS
from lti_tool.ui.format import local

retention = AppGroup("retention", help="How long a school keeps what, and what goes when.")
school_option = click.option("--school", "slug", required=True, metavar="SLUG")
json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@retention.command("list")
@school_option
@json_option
def listed(slug: str, as_json: bool) -> None:
    """What a school has set, of each kind; what it has not, and what schools commonly set."""
    school = _school(slug)
    with _database().reading() as session:
        found = disposing.periods(session, school_id=school.id)
    if as_json:
        click.echo(
            json.dumps({kind: found[kind].months if kind in found else None for kind in KINDS})
        )
        return
    for kind, one in KINDS.items():
        said = period_words(found[kind].months) if kind in found else "not set yet: nothing goes"
        click.echo(f"{kind}: {said}, from {one.starts}")
        if kind not in found:
            click.echo(f"    commonly {period_words(one.suggested)}: {one.why}")


@retention.command("set")
@school_option
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("period", metavar="NUMBER[m|y]|none")
def set_(slug: str, kind: str, period: str) -> None:
    """Keep a KIND so long: ``18m``, ``6y``; or ``none``, so that nothing of it goes."""
    unit = {"m": 1, "y": 12}.get(period[-1:], 0)
    if period != "none" and not (unit and period[:-1].isdecimal()):
        raise click.BadParameter("write 18m, 6y or none", param_hint="NUMBER[m|y]|none")
    months = None if period == "none" else int(period[:-1]) * unit
    school = _school(slug)
    try:
        with _database().transaction() as session:
            setting.set_period(
                session, school_id=school.id, kind=kind, months=months, by=None, now=_now()
            )
    except ToolError as error:
        raise click.ClickException(_why(error)) from error
    click.echo(f"{kind}: {'not set, nothing goes' if months is None else period_words(months)}")


@retention.command()
@school_option
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="The day.")
@json_option
def preview(slug: str, on: datetime | None, as_json: bool) -> None:
    """How much of each kind would go on a day (by default, in eight days: a new period first counts
    in seven)."""
    school = _school(slug)
    day = on.date() if on else local(_now()).date() + disposing.RESPITE + timedelta(days=1)
    with _database().reading() as session:
        found = disposing.preview(session, school_id=school.id, on=day)
    counts = {kind: len(ids) for kind, ids in found.due.items()}
    if as_json:
        click.echo(json.dumps({"on": day.isoformat(), "due": counts}))
        return
    for kind in KINDS:
        click.echo(f"{kind}: {counts.get(kind, 'not set yet')}")


@retention.command()
@school_option
def run(slug: str) -> None:
    """Dispose of what is due now. The worker does so each night."""
    school = _school(slug)
    gone = disposing.dispose(
        _database(), school=school, catalogue=current_app.extensions["catalogue"], now=_now()
    )
    for kind, number in gone.items():
        click.echo(f"{kind}: {number}")
    if not gone:
        click.echo("nothing was due")


@retention.command()
@school_option
@click.argument("membership", type=click.UUID)
@click.option("--reason", required=True)
@click.option("--lift", is_flag=True, help="Let what is due go again.")
def hold(slug: str, membership: UUID, reason: str, lift: bool) -> None:
    """Keep all that concerns one person until it is lifted. MEMBERSHIP is the number in the address
    of their record."""
    school = _school(slug)
    change = setting.lift_hold if lift else setting.place_hold
    try:
        with _database().transaction() as session:
            person_id = session.scalar(
                select(Membership.person_id).where(
                    Membership.id == membership, Membership.school_id == school.id
                )
            )
            if person_id is None:
                raise click.ClickException(f"{school.id} has no such person")
            change(
                session,
                school_id=school.id,
                person_id=person_id,
                reason=reason,
                by=None,
                now=_now(),
            )
    except ToolError as error:
        raise click.ClickException(_why(error)) from error
    click.echo("lifted" if lift else "held")


def _why(error: ToolError) -> str:
    return f"{ERRORS[error.code].text} {ERRORS[error.code].way_on}" % error.details


def _school(slug: str) -> School:
    schools = current_app.extensions["catalogue"].schools
    if slug not in schools:
        raise click.BadParameter(f"{slug} is no school here", param_hint="--school")
    found: School = schools[slug]
    return found


def _database() -> Database:
    database: Database = current_app.extensions["database"]
    return database


def _now() -> datetime:
    now: datetime = current_app.extensions["clock"]()
    return now
