"""``clauseway content``: what administrators and authors ask of the content files."""

import sys
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from lti_tool.config import Config, instance_folder, read_config
from lti_tool.core.database import Database
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.check import served_as_kept, table
from lti_tool.curriculum.content import changed_since_use
from lti_tool.curriculum.kept import shelf
from lti_tool.curriculum.reading import ROOT, ContentFaults, read_catalogue


@click.group()
def content() -> None:
    """The policies and scenarios."""


root_option = click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=ROOT,
    help="Where modules/ and question_bank/ stand.",
)


@content.command()
@root_option
def check(root: Path) -> None:
    """Read every content file; say all faults and what each school's policy settles.

    A school at fault that the tool has kept as it was last good is named with that version's date.
    Needs no running tool, since bad content would not let it start.
    """
    config, catalogue = read_here(root)
    faults = list(catalogue.faults)
    database = Database(config.database_url)
    try:
        with database.reading() as session:
            faults += changed_since_use(session, catalogue)
    except SQLAlchemyError:
        click.echo("No migrated database: not compared with what records name.", err=True)
    finally:
        database.engine.dispose()
    for fault in faults:
        click.echo(fault)
    for line in served_as_kept(catalogue):
        click.echo(line)
    click.echo(table(catalogue))
    sys.exit(1 if faults else 0)


def read_here(root: Path) -> tuple[Config, Catalogue]:
    """This machine's settings and content. Says every fault of shared content, and exits 1."""
    config = read_config(instance_folder())
    try:
        extra = Path(config.content) if config.content else None
        return config, read_catalogue(root, extra, shelf=shelf(config.instance))
    except ContentFaults as found:
        for fault in found.faults:
            click.echo(fault)
        sys.exit(1)
