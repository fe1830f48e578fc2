"""``clauseway teams``."""

import json
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from lti_tool.core.database import Database
from lti_tool.core.errors import ToolError
from lti_tool.people.memberships import make_manager_code, managers
from lti_tool.teams import discovery, packages, tenants
from lti_tool.teams.models import Tenant
from lti_tool.teams.tenants import Teams

teams = AppGroup("teams", help="The organisations whose people come in through Microsoft Teams.")
json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@teams.command()
@click.option("--name", default="", help="What people call the organisation.")
@click.option("--tenant", "tenant_id", required=True, metavar="GUID", help="Entra: tenant ID.")
@click.option("--client-id", required=True, metavar="GUID", help="Entra: application (client) ID.")
@click.option(
    "--school", "schools", required=True, multiple=True, metavar="SLUG", help="May be repeated."
)
@click.option("--outlook", "in_outlook", is_flag=True, help="Also in Outlook and microsoft365.com.")
@click.option("--unchecked", is_flag=True, help="Do not ask Entra whether there is such a tenant.")
@json_option
def add(as_json: bool, unchecked: bool, **given: Any) -> None:
    """Let an organisation in, or bring it up to date.

    The same tenant is the same organisation; it serves the schools named from now on. Prints a
    manager code for each school that nobody manages yet.
    """
    known = current_app.extensions["catalogue"].schools
    unknown = sorted(set(given["schools"]) - set(known))
    if unknown:
        raise click.ClickException(
            f"there is no school {', '.join(unknown)}. Known: {', '.join(sorted(known))}"
        )
    given["name"] = given["name"] or known[given["schools"][0]].name
    now = _teams().clock()
    if not unchecked and (fault := discovery.fault_of(_teams(), given["tenant_id"])):
        raise click.ClickException(f"{fault} (--unchecked adds it all the same)")
    try:
        with _database().transaction() as session:
            row = tenants.add(session, now=now, **given)
            codes = {
                school_id: make_manager_code(session, school_id=school_id, now=now)
                for school_id in dict.fromkeys(given["schools"])
                if not managers(session, school_id=school_id)
            }
            said = _describe(session, row)
    except ToolError as fault:
        raise click.ClickException(str(fault.details.get("fault", fault.code))) from fault
    if as_json:
        click.echo(json.dumps(said | {"manager_codes": codes}, ensure_ascii=False))
        return
    click.echo(f"people of {said['name']} may come in for {', '.join(said['schools'])}")
    click.echo(f"  application ID URI: {said['resource']}")
    for school_id, code in codes.items():
        click.echo(f"  manager code for {school_id}, shown once, good for thirty days: {code}")
    click.echo("  next: clauseway teams package --tenant " + said["tenant"])


@teams.command("list")
@json_option
def list_tenants(as_json: bool) -> None:
    """All organisations."""
    with _database().reading() as session:
        rows = [_describe(session, row) for row in tenants.listed(session)]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        state = "disabled" if row["disabled_at"] else "enabled "
        click.echo(f"{row['tenant']}  {state}  {row['name']}  {', '.join(row['schools'])}")
    if not rows:
        click.echo("there is none")


@teams.command()
@click.argument("tenant")
def disable(tenant: str) -> None:
    """Let nobody of an organisation in from now on. ``add`` lets it in again."""
    with _database().transaction() as session:
        row = _find(session, tenant)
        tenants.disable(session, row, now=_teams().clock())
    click.echo(f"nobody of {row.name} may come in any more")


@teams.command()
@click.option("--tenant", default="", metavar="GUID", help="Needed where there are several.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=None)
def package(tenant: str, output: Path | None) -> None:
    """Write the app package that a Microsoft 365 administrator uploads to Teams."""
    with _database().reading() as session:
        row = _find(session, tenant)
        made = packages.package(_teams(), tenants.read(session, row))
    path = output or Path(packages.FILE_NAME)
    path.write_bytes(made)
    click.echo(f"{path}: Microsoft Teams admin center, Teams apps, Manage apps, Upload")


def _find(session: Session, given: str) -> Tenant:
    rows = [
        row
        for row in tenants.listed(session)
        if row.tenant_id == given.lower() or (not given and row.disabled_at is None)
    ]
    if len(rows) != 1:
        raise click.ClickException(
            "several organisations may come in: name one with --tenant"
            if rows
            else f"there is no organisation {given}".rstrip()
        )
    return rows[0]


def _describe(session: Session, row: Tenant) -> dict[str, Any]:
    found = tenants.read(session, row)
    return {
        "id": str(found.row_id),
        "name": found.name,
        "tenant": found.tenant_id,
        "client_id": found.client_id,
        "resource": _teams().resource(found.client_id),
        "app_id": _teams().app_id(found.client_id),
        "schools": list(found.schools),
        "outlook": found.in_outlook,
        "disabled_at": row.disabled_at.isoformat() if row.disabled_at else "",
    }


def _teams() -> Teams:
    found: Teams = current_app.extensions["teams"]
    return found


def _database() -> Database:
    found: Database = current_app.extensions["database"]
    return found
