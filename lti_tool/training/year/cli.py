"""``clauseway cycles``: what is open, what opening one would ask, and opening it."""

import json
from datetime import date, datetime
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import func, select

from lti_tool.core.database import Database
from lti_tool.core.errors import ToolError
from lti_tool.policies.policy import School
from lti_tool.training.cycles import opening, settling
from lti_tool.training.cycles.facts import read_cycles
from lti_tool.training.cycles.models import Obligation
from lti_tool.training.cycles.owing import Window
from lti_tool.training.year import previews

cycles = AppGroup("cycles", help="The annual refresh: what is open, and who owes what.")
school_option = click.option("--school", "slug", required=True, metavar="SLUG")
closes_option = click.option(
    "--closes", metavar="YYYY-MM-DD", type=click.DateTime(["%Y-%m-%d"]), help="Its last day."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@cycles.command("list")
@school_option
@json_option
def list_cycles(slug: str, as_json: bool) -> None:
    """The cycles of a school, and how many people owe, owed or did each."""
    school = _school(slug)
    with _database().reading() as session:
        counts = session.execute(
            select(Obligation.cycle, Obligation.outcome, func.count())
            .where(Obligation.school_id == school.id, Obligation.module == "annual-refresh")
            .group_by(Obligation.cycle, Obligation.outcome)
        ).all()
        rows = [
            {
                "cycle": one.name,
                "opens_on": one.opens_on.isoformat(),
                "closes_on": one.closes_on.isoformat(),
                "people": {
                    outcome or "open": number
                    for cycle, outcome, number in counts
                    if cycle == one.name
                },
            }
            for one in read_cycles(session, school_id=school.id)
        ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        people: Any = row["people"]
        said = ", ".join(f"{number} {outcome}" for outcome, number in sorted(people.items()))
        click.echo(f"{row['cycle']}  {row['opens_on']} to {row['closes_on']}  {said}")
    if not rows:
        click.echo(f"{school.id} has opened no cycle")


@cycles.command()
@school_option
@json_option
def preview(slug: str, as_json: bool) -> None:
    """Whom a cycle would ask if it were started now, and why it would not ask others."""
    school = _school(slug)
    try:
        with _database().reading() as session:
            window = opening.next_cycle(session, school=school, now=_now())
            found = previews.of_cycle(session, school=school, window=window, now=_now())
    except ToolError as error:
        raise click.ClickException(_why(error)) from error
    _say(window, found, as_json)


@cycles.command("open")
@school_option
@closes_option
def open_cycle(slug: str, closes: datetime | None) -> None:
    """Start the school's cycle now, unless this year's is open."""
    school = _school(slug)
    try:
        with _database().transaction() as session:
            now = _now()
            window = opening.next_cycle(session, school=school, now=now)
            closes_on: date = closes.date() if closes else window.closes_on
            made = opening.open_now(session, school=school, closes_on=closes_on, by=None, now=now)
    except ToolError as error:
        raise click.ClickException(_why(error)) from error
    click.echo(f"{window.name} is open until {closes_on}; {made.people} people owe it")


@cycles.command()
@click.option("--school", "slug", default="", metavar="SLUG", help="One school only.")
def settle(slug: str) -> None:
    """Bring what people owe up to what the facts ask. The worker does this by itself."""
    schools = [_school(slug)] if slug else _schools().values()
    for school in schools:
        if school.closed:
            continue
        with _database().transaction() as session:
            opened = opening.open_due(session, school=school, now=_now())
            changes = settling.settle(session, school=school, now=_now())
        said = ", ".join(f"{number} {what}" for what, number in sorted(changes.items()))
        first = f"{opened.cycle.name} opened, {opened.people} new; " if opened else ""
        click.echo(f"{school.id}: {first}{said or 'nothing else changed'}")


def _say(window: Window, found: previews.Preview, as_json: bool) -> None:
    facts: dict[str, Any] = {
        "cycle": window.name,
        "opens_on": window.opens_on.isoformat(),
        "closes_on": window.closes_on.isoformat(),
        "people": found.people,
        "clauses": found.clauses,
        "by_role_group": dict(found.by_role_group),
        "away": found.away,
        "lapsing": found.lapsing,
        "not_asked": dict(found.excused),
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(f"{window.name}, {window.opens_on} to {window.closes_on}:")
    click.echo(f"  {found.people} people, {found.clauses} changed clauses")
    for name, number in sorted(found.by_role_group.items()):
        click.echo(f"  {number} {name or 'not known yet'}")
    click.echo(f"  {found.away} of them away now; {found.lapsing} have not done the last one")
    for why, number in sorted(found.excused.items()):
        click.echo(f"  {number} not asked: {why}")


def _why(error: ToolError) -> str:
    return {
        "cycle-open-already": "this year's cycle is open already",
        "cycle-closes-too-early": "it must close after today, and within a year",
    }.get(error.code, error.code)


def _schools() -> dict[str, School]:
    schools: dict[str, School] = current_app.extensions["catalogue"].schools
    return schools


def _school(slug: str) -> School:
    known = _schools()
    if slug not in known:
        fault = f"there is no school {slug}. Known: {', '.join(sorted(known))}"
        raise click.BadParameter(fault, param_hint="--school")
    return known[slug]


def _database() -> Database:
    database: Database = current_app.extensions["database"]
    return database


def _now() -> datetime:
    now: datetime = current_app.extensions["clock"]()
    return now
