"""``clauseway policies``: the versions of a school's policy, what differs, and opening one."""

import json
from datetime import datetime

import click
from flask import current_app
from flask.cli import AppGroup

from lti_tool.core.database import Database
from lti_tool.core.errors import ToolError
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.policies.diff import Weight, compare
from lti_tool.policies.policy import PolicyVersion, School
from lti_tool.training.cycles.versions import in_use
from lti_tool.training.versions import words
from lti_tool.training.versions.opening import open_version
from lti_tool.training.versions.preview import difference, preview
from lti_tool.ui.errors import ERRORS
from lti_tool.ui.refusals.general import UNKNOWN

policies = AppGroup("policies", help="The versions of schools' policies.")
school_option = click.option("--school", required=True, metavar="SLUG", help="Whose policy.")
json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
MARK = "a demonstration, not adopted by this school"


@policies.command()
@school_option
@json_option
def versions(school: str, as_json: bool) -> None:
    """A school's versions, oldest first, and which is in use."""
    found = _school(school)
    with _database().reading() as session:
        current = in_use(session, found).number
    rows = [
        {
            "number": one.number,
            "approved": "" if one.demonstration else one.approved_on,
            "in_use": one.number == current,
            "demonstration": one.demonstration,
            "sha256": one.sha256,
        }
        for one in found.versions
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        said = [MARK] * bool(row["demonstration"]) + ["in use"] * bool(row["in_use"])
        click.echo("  ".join([str(row["number"]), ", ".join(said)]).rstrip())


@policies.command()
@school_option
@click.argument("old")
@click.argument("new")
def diff(school: str, old: str, new: str) -> None:
    """What version NEW says otherwise than version OLD, clause by clause."""
    found = compare(_version(_school(school), old), _version(_school(school), new))
    for version in (found.before, found.after):
        if version.demonstration:
            click.echo(f"{version.number}: {MARK}")
    click.echo(f"proposed weight: {found.weight.value}. {words.because(found)}")
    for detail in found.details:
        shown = (words.detail(detail.name, side) for side in (detail.before, detail.after))
        click.echo(f"{words.DETAIL_WORDS[detail.name]}: {' → '.join(shown)}")
    for one in found.clauses:
        click.echo(f"\n{words.KIND_WORDS[one.kind]}: {one.clause.locator} ({one.clause.id})")
        click.echo(f"  for {words.groups(one.concerns)}")
        for sign, clause in (("-", one.before), ("+", one.after)):
            if clause and (one.has_other_words or one.before is None or one.after is None):
                click.echo(f"  {sign} {clause.text['en']}")
        for said in words.parts_words(found, one):
            click.echo(f"  {said}")


@policies.command("open")
@school_option
@click.argument("number")
@click.option("--weight", type=click.Choice(list(Weight)), help="Else as the comparison proposes.")
@click.option("--reason", default="", help="Needed for another weight than proposed.")
@click.option("--due", type=click.DateTime(["%Y-%m-%d"]), help="By when a major one is learned.")
@click.option("--demonstration", is_flag=True, help="Needed for one that was not adopted.")
@click.option("--preview", "is_preview", is_flag=True, help="Say what it would do; do nothing.")
def open_(
    school: str,
    number: str,
    weight: str | None,
    reason: str,
    due: datetime | None,
    demonstration: bool,
    is_preview: bool,
) -> None:
    """Bring version NUMBER into use. Exit code 1 where it cannot be."""
    found, now = _school(school), current_app.extensions["clock"]()
    if _version(found, number).demonstration and not (demonstration or is_preview):
        raise click.ClickException(
            f"{number} is {MARK}: add --demonstration to open it all the same"
        )
    with _database().transaction() as session:
        try:
            differs = difference(session, school=found, number=number)
            chosen = Weight(weight) if weight else differs.weight
            shown = preview(
                session,
                school=found,
                diff=differs,
                weight=chosen,
                now=now,
                due_on=due.date() if due else None,
            )
            click.echo(
                f"{chosen.value}: {shown.people} of {shown.everybody} people, "
                f"{len(shown.clauses)} clauses"
            )
            for group in shown.groups:
                why = "; ".join(f"{n}: {words.EXCUSE_WORDS[x]}" for x, n in group.excused.items())
                click.echo(f"  {words.GROUP_WORDS[group.role_group]}: {group.people}. {why}")
            if is_preview:
                return
            open_version(
                session,
                school=found,
                number=number,
                before=differs.before.number,
                weight=chosen,
                reason=reason,
                due_on=shown.due_on,
                by=None,
                now=now,
            )
        except ToolError as error:
            text = ERRORS.get(error.code, ERRORS[UNKNOWN])
            raise click.ClickException(str(text.text) % error.details) from error
    click.echo(f"{number} is in use at {school}")


def _school(slug: str) -> School:
    catalogue: Catalogue = current_app.extensions["catalogue"]
    school = catalogue.schools.get(slug)
    if school is None or school.closed:
        raise click.ClickException(f"there is no open school “{slug}”")
    return school


def _version(school: School, number: str) -> PolicyVersion:
    version = school.version(number)
    if version is None:
        raise click.ClickException(f"{school.id} has no version {number}")
    return version


def _database() -> Database:
    database: Database = current_app.extensions["database"]
    return database
