"""``clauseway invite``."""

import json

import click
from flask import current_app
from flask.cli import with_appcontext

from lti_tool.lti.connect.invitations import LIFE
from lti_tool.lti.connect.invitations import invite as make_invitation
from lti_tool.lti.platforms import Lti


@click.command()
@click.option(
    "--school", "schools", required=True, multiple=True, metavar="SLUG", help="May be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@with_appcontext
def invite(schools: tuple[str, ...], as_json: bool) -> None:
    """Make an address that connects one learning platform, once, within seven days.

    Paste it where the platform asks for a registration URL (in Moodle: Manage tools). The
    platform may then serve the schools named. The address is shown this once.
    """
    known = current_app.extensions["catalogue"].schools
    unknown = sorted(set(schools) - set(known))
    if unknown:
        raise click.ClickException(
            f"there is no school {', '.join(unknown)}. Known: {', '.join(sorted(known))}"
        )
    lti: Lti = current_app.extensions["lti"]
    now = lti.clock()
    with lti.database.transaction() as session:
        secret = make_invitation(session, schools=schools, now=now)
    url = f"{lti.config.url}/connect/register/{secret}"
    if as_json:
        said = {"url": url, "expires_at": (now + LIFE).isoformat(), "schools": sorted(set(schools))}
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    click.echo(url)
    click.echo(f"Works once, until {now + LIFE:%d %B %Y, %H:%M} UTC, for {', '.join(schools)}.")
    click.echo("In Moodle: Site administration, Plugins, External tool, Manage tools: paste it as")
    click.echo("Tool URL, press Add LTI Advantage, then Activate.")
