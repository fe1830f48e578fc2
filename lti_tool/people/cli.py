"""``clauseway people``: who manages a school's register."""

import json
from datetime import datetime
from uuid import UUID

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from lti_tool.core.database import Database
from lti_tool.core.errors import ToolError
from lti_tool.people import memberships
from lti_tool.people.arrive import expect
from lti_tool.people.models import Person

people = AppGroup("people", help="Who manages a school's register.")


school_option = click.option(
    "--school", required=True, metavar="SLUG", help="The school's short name."
)
person_option = click.option("--person", type=click.UUID, help="Their number in this tool.")
realm_option = click.option("--realm", default="", help="The platform's registration number.")
subject_option = click.option("--subject", default="", help="Their number on that platform.")


@people.command()
@school_option
@person_option
@realm_option
@subject_option
def grant(school: str, person: UUID | None, realm: str, subject: str) -> None:
    """Make somebody a manager of a school, even before they have arrived."""
    _check_school(school)
    with _database().transaction() as session:
        now = _now()
        person_id = _find(session, person, realm, subject, now)
        memberships.grant(session, person_id=person_id, school_id=school, now=now)
    click.echo(f"{person_id} manages {school}")


@people.command()
@school_option
@person_option
@realm_option
@subject_option
def revoke(school: str, person: UUID | None, realm: str, subject: str) -> None:
    """Take a manager's leave back."""
    _check_school(school)
    try:
        with _database().transaction() as session:
            now = _now()
            person_id = _find(session, person, realm, subject, now)
            memberships.revoke(session, person_id=person_id, school_id=school, now=now)
    except ToolError as error:
        raise click.ClickException(f"this person does not manage {school}") from error
    click.echo(f"{person_id} no longer manages {school}")


@people.command("list")
@school_option
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
def list_managers(school: str, as_json: bool) -> None:
    """The managers of a school."""
    _check_school(school)
    with _database().reading() as session:
        rows = [
            {"person": str(row.id), "name": row.name, "since": row.granted_at.isoformat()}
            for row in memberships.managers(session, school_id=school)
        ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['person']}  {row['since'][:10]}  {row['name']}")
    if not rows:
        click.echo(f"{school} has no manager")


@people.command("invite-manager")
@school_option
def invite_manager(school: str) -> None:
    """Print a one-time code; the first instructor who enters it manages the school."""
    _check_school(school)
    with _database().transaction() as session:
        code = memberships.make_manager_code(session, school_id=school, now=_now())
    click.echo(code)


def _check_school(school_id: str) -> None:
    known = sorted(current_app.extensions["catalogue"].schools)
    if school_id not in known:
        fault = f"there is no school {school_id}. Known: {', '.join(known)}"
        raise click.BadParameter(fault, param_hint="--school")


def _find(
    session: Session, person_id: UUID | None, realm: str, subject: str, now: datetime
) -> UUID:
    if (person_id is None) == (not (realm and subject)):
        raise click.UsageError("Name somebody by --person, or by --realm and --subject.")
    if person_id is None:
        return expect(session, realm=realm, subject=subject, now=now)
    if session.get(Person, person_id) is None:
        raise click.ClickException(f"there is no person {person_id}")
    return person_id


def _database() -> Database:
    database: Database = current_app.extensions["database"]
    return database


def _now() -> datetime:
    now: datetime = current_app.extensions["clock"]()
    return now
