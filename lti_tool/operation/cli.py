"""``clauseway doctor``."""

import json
from dataclasses import asdict

import click

from lti_tool.config import instance_folder
from lti_tool.operation.doctor import examine
from lti_tool.operation.finding import FAULT


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
