"""The ``clauseway`` command: every room's own commands under one name."""

import sys

import click
from flask.cli import FlaskGroup

from lti_tool.app import create_app
from lti_tool.config import ConfigError, instance_folder, read_config
from lti_tool.core.database import Database
from lti_tool.core.jobs import open_queue
from lti_tool.curriculum.cli import content
from lti_tool.curriculum.points.cli import points
from lti_tool.curriculum.reading import ContentFaults
from lti_tool.evidence.cli import evidence
from lti_tool.evidence.retention.cli import retention
from lti_tool.lti.cli import keys, platforms, scores, worker
from lti_tool.lti.connect.cli import invite
from lti_tool.lti.rosters.cli import rosters
from lti_tool.migrations.run import upgrade
from lti_tool.operation.cli import backup, doctor, restore
from lti_tool.people.cli import people
from lti_tool.teams.cli import teams
from lti_tool.training.reminders.cli import mail_commands
from lti_tool.training.versions.cli import policies
from lti_tool.training.year.cli import cycles
from lti_tool.ui.assets import AssetsMissingError


@click.group(cls=FlaskGroup, create_app=create_app, add_default_commands=False)
def clauseway() -> None:
    """Clauseway: social media policy training from a school's own policy."""


@click.command()
def migrate() -> None:
    """Bring the database to the newest layout."""
    config = read_config(instance_folder())
    config.instance.mkdir(parents=True, exist_ok=True)
    upgrade(Database(config.database_url).engine)
    open_queue(config).storage.close()  # which makes its tables


content.add_command(points)
for command in (
    backup,
    content,
    cycles,
    doctor,
    evidence,
    invite,
    keys,
    mail_commands,
    migrate,
    people,
    platforms,
    policies,
    restore,
    retention,
    rosters,
    scores,
    teams,
    worker,
):
    clauseway.add_command(command)


def main() -> None:
    """Run the command; a bad setting or bad content is one clear message and exit code 1."""
    try:
        clauseway()
    except (ConfigError, ContentFaults, AssetsMissingError) as fault:
        sys.exit(f"clauseway: {fault}")
