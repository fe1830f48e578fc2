"""``clauseway rosters``: the linked courses, and reading one without waiting for the night."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import click
from flask import current_app
from flask.cli import AppGroup

from lti_tool.lti.platforms import Lti
from lti_tool.lti.rosters import courses, reading
from lti_tool.lti.rosters.models import FAILED, Roster

rosters = AppGroup("rosters", help="The courses that are schools' staff lists.")
json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@rosters.command("list")
@click.option("--school", default="", metavar="SLUG", help="One school only.")
@json_option
def list_rosters(school: str, as_json: bool) -> None:
    """The linked courses, and how their latest reading went."""
    _say(_described(school), as_json)


@rosters.command()
@click.argument("roster", type=click.UUID)
@json_option
def read(roster: UUID, as_json: bool) -> None:
    """Read a linked course now, by its number. Exit code 1 where that fails."""
    if not any(row["id"] == str(roster) for row in _described()):
        raise click.ClickException(f"no course is linked as {roster}")
    state = reading.read(_lti(), roster)
    if not state:
        raise click.ClickException("it is being read already")
    _say([row for row in _described() if row["id"] == str(roster)], as_json)
    if state == FAILED:
        raise SystemExit(1)


def _described(school_id: str = "") -> list[dict[str, Any]]:
    with _lti().database.reading() as session:
        return [_describe(*found) for found in courses.linked(session, school_id=school_id)]


def _describe(row: Roster, platform_name: str) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "school": row.school_id,
        "platform": platform_name,
        "course": row.title or row.context_id,
        "state": row.state,
        "reason": row.reason,
        "read_at": _moment(row.read_at),
        "next_at": _moment(row.next_at),
        "people": row.found,
        "joined": row.joined,
        "left": row.left,
        "inactive": row.inactive,
        "skipped": row.skipped,
    }


def _say(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        click.echo(
            f"{row['id']}  {row['school']}  {row['platform']}: {row['course']}  "
            f"{' '.join(filter(None, (row['state'], row['reason'])))}  "
            f"read {row['read_at'][:19] or 'never'}: {row['people']} people, "
            f"{row['joined']} joined, {row['left']} left"
        )
    if not rows:
        click.echo("no course is linked")


def _moment(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def _lti() -> Lti:
    lti: Lti = current_app.extensions["lti"]
    return lti
