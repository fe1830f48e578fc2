"""``clauseway doctor``, ``backup`` and ``restore``."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from lti_tool.config import instance_folder, read_config
from lti_tool.core.clock import utc_now
from lti_tool.operation.backups.archive import BackupError
from lti_tool.operation.backups.making import back_up
from lti_tool.operation.backups.restoring import restore as put_back
from lti_tool.operation.doctor.examining import examine
from lti_tool.operation.doctor.finding import FAULT


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def doctor(as_json: bool) -> None:
    """Look at all that the tool needs: settings, content, keys, database, worker, clock, e-mail
    and disk. Exit code 1 where something is at fault."""
    findings = examine(instance_folder())
    if as_json:
        click.echo(json.dumps([asdict(one) for one in findings], ensure_ascii=False))
    else:
        for one in findings:
            click.echo(f"{one.state.upper():8} {one.about}: {one.says}")
            if one.does:
                click.echo(f"{'':8} {one.does}")
    if any(one.state == FAULT for one in findings):
        raise SystemExit(1)


file_argument = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command()
@file_argument
def backup(file: Path) -> None:
    """Write the database, the keys and what else belongs to the installation to a new FILE.

    Nothing has to be stopped. The file holds every record and name and the keys we sign with:
    keep it as you keep those.
    """
    try:
        size = back_up(read_config(instance_folder()), file, now=utc_now())
    except BackupError as fault:
        raise click.ClickException(str(fault)) from fault
    click.echo(f"{file}: {size / 1024**2:.1f} MiB, readable by you alone. It is secret: whoever")
    click.echo("has it has every record and name, and can sign as this installation.")


@click.command()
@file_argument
@click.option("--replace", is_flag=True, help="Put what is there aside, and restore all the same.")
def restore(file: Path, replace: bool) -> None:
    """Put back what a backup FILE holds. Stop the web server and the worker first.

    All or nothing: exit code 1 where nothing was restored, or where a ledger in the backup does
    not hold.
    """
    config = read_config(instance_folder())
    try:
        restored = put_back(config, file, replace=replace, now=utc_now())
    except BackupError as fault:
        raise click.ClickException(f"nothing was restored: {fault}") from fault
    click.echo(f"restored as it was at {restored.made_at}")
    for name in restored.aside:
        click.echo(f"what was there before is kept: {name}")
    for school_id, count in restored.entries.items():
        broken = restored.broken.get(school_id, "")
        click.echo(f"{school_id}: {count} entries hold" + (f", but not {broken}" if broken else ""))
    if restored.broken:
        raise SystemExit(1)
