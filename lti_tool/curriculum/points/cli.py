"""``clauseway content points``: what to check in a policy, from the command line."""

from pathlib import Path

import click

from lti_tool.core.clock import utc_now
from lti_tool.curriculum.cli import read_here, root_option
from lti_tool.curriculum.points.finding import HEADINGS, points_of, words
from lti_tool.ui.format import local


@click.command()
@click.option("--school", required=True, metavar="SLUG", help="Whose policy.")
@click.option("--version", "number", default="", metavar="NUMBER", help="Else the newest adopted.")
@root_option
def points(school: str, number: str, root: Path) -> None:
    """Points to check in a school's policy, each with its clauses.

    They are for whoever owns the policy; that there are any is no fault. Needs no running tool.
    """
    _config, catalogue = read_here(root)
    found = catalogue.schools.get(school)
    if found is None or found.closed:
        raise click.ClickException(f"there is no open school “{school}”")
    version = found.version(number) if number else found.policy
    if version is None:
        raise click.ClickException(f"{school} has no version {number}")
    every = points_of(catalogue, found, version, today=local(utc_now()).date())
    mark = " (a demonstration, not adopted)" if version.demonstration else ""
    click.echo(f"{found.name}, version {version.number}{mark}: {len(every)} points to check")
    for point in every:
        click.echo(f"\n{HEADINGS[point.kind]}. {words(catalogue, version, point, 'en')}")
        for clause in map(version.clauses.__getitem__, point.clauses):
            click.echo(f"  {clause.locator}: “{clause.text['en']}”")
