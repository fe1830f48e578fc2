"""``clauseway evidence``: show that nothing recorded was altered."""

import json
import sys
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from lti_tool.core import erasure, ledger
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import ToolError
from lti_tool.evidence.checkpoints import checking, making
from lti_tool.evidence.checkpoints.keys import EvidenceKeys
from lti_tool.evidence.proof.report import said
from lti_tool.evidence.proof.statements import shown_fingerprint

evidence = AppGroup("evidence", help="Show that nothing recorded was altered.")
school_option = click.option("--school", default="", metavar="SLUG", help="One school only.")


@evidence.command(with_appcontext=False)
@click.argument(
    "pack", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--key", default="", metavar="FINGERPRINT", help="The fingerprint you know.")
@click.option("--code", default="", metavar="CODE", help="The code from the minutes.")
@school_option
def verify(pack: Path | None, key: str, code: str, school: str) -> None:
    """Check a pack, or without one everything that is recorded here.

    A PACK needs no database: exit code 0 where it is intact and its key or code is the one
    you typed in, 1 where it was altered, 3 where it is intact and its origin not shown. Without a
    pack each school's chain is walked; exit code 1 where an entry is not what was written.
    """
    if pack is None:
        with_appcontext(_verify_ledgers)(school)
        return
    try:
        lines, status = said(pack.read_bytes(), key=key, code=code)
    except ValueError as fault:
        raise click.BadParameter(str(fault), param_hint="--key") from fault
    click.echo("\n".join(lines))
    sys.exit(status)


def _verify_ledgers(school: str) -> None:
    broken = False
    with _database().reading() as session:
        known = _chosen(list(ledger.schools(session)), school)
        for school_id in known:
            holding, signed, fault = checking.verify(session, _keys(), school_id=school_id)
            words = f"{school_id}: {holding} entries hold"
            if gone := erasure.count(session, school_id=school_id):
                words += f", {gone} values erased under retention"
            if fault is None:
                click.echo(words + (f", {signed} checkpoints fit" if signed else ""))
                continue
            broken = True
            at = f"entry {fault.sequence}" + (f" ({fault.record_id})" if fault.record_id else "")
            click.echo(f"{words}; {at} is broken: {fault.reason}")
    if not known:
        click.echo("nothing has been recorded yet")
    if broken:
        sys.exit(1)


@evidence.command()
@school_option
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def checkpoint(school: str, as_json: bool) -> None:
    """Sign for everything recorded up to now, and print each school's code.

    The worker does so each day, and before every pack.
    """
    with _database().reading() as session:
        known = _chosen(list(ledger.schools(session)), school)
    for school_id in known:
        clock: Clock = current_app.extensions["clock"]
        try:
            made = making.make(_database(), _keys(), school_id=school_id, why="asked", now=clock())
        except ToolError as fault:
            raise click.ClickException(f"nothing was signed: {fault.log}") from fault
        if made is not None and as_json:
            signed = {"code": made.code, "text": made.text.decode()}
            click.echo(json.dumps(signed | {"signature": made.signature.hex()}))
        elif made is not None:
            click.echo(f"{school_id}: {made.size} entries, record check code {made.code}")
    if not known:
        click.echo("nothing has been recorded yet")


@evidence.command()
@click.option("--rotate", is_flag=True, help="Make a new key, which signs from now on.")
def key(rotate: bool) -> None:
    """The fingerprints of the keys that checkpoints and packs are signed with, newest first.

    Publish the first where people look who do not have to trust this tool: on the school's own
    site, in the minutes. Earlier ones stay: what was signed with them stays good.
    """
    if rotate:
        clock: Clock = current_app.extensions["clock"]
        _keys().rotate(clock())
    for one in _keys().listed():
        signs = "signs" if one.signs else "earlier"
        click.echo(f"{shown_fingerprint(one.fingerprint)}  {one.made_at:%Y-%m-%d}  {signs}")


def _chosen(known: list[str], school: str) -> list[str]:
    if school and school not in known:
        raise click.BadParameter(f"{school} has no records", param_hint="--school")
    return [school] if school else known


def _database() -> Database:
    database: Database = current_app.extensions["database"]
    return database


def _keys() -> EvidenceKeys:
    keys: EvidenceKeys = current_app.extensions["evidence_keys"]
    return keys
