"""``clauseway evidence``: show that nothing recorded was altered."""

import sys

import click
from flask import current_app
from flask.cli import AppGroup

from lti_tool.core import ledger
from lti_tool.core.database import Database

evidence = AppGroup("evidence", help="Show that nothing recorded was altered.")


@evidence.command()
@click.option("--school", default="", metavar="SLUG", help="One school only.")
def verify(school: str) -> None:
    """Walk each school's chain; exit code 1 where an entry is not what was written."""
    database: Database = current_app.extensions["database"]
    with database.reading() as session:
        known = list(ledger.schools(session))
        if school and school not in known:
            raise click.BadParameter(f"{school} has no records", param_hint="--school")
        broken = False
        for school_id in [school] if school else known:
            holding, fault = ledger.verify(session, school_id=school_id)
            if fault is None:
                click.echo(f"{school_id}: {holding} entries hold")
                continue
            broken = True
            at = f"entry {fault.sequence}" + (f" ({fault.record_id})" if fault.record_id else "")
            click.echo(f"{school_id}: {holding} entries hold; {at} is broken: {fault.reason}")
    if not known:
        click.echo("nothing has been recorded yet")
    if broken:
        sys.exit(1)
