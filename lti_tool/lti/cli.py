"""``clauseway platforms``, ``keys``, ``scores`` and ``worker``."""

import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.orm import Session

from lti_tool.config import SHORTEST_TOKEN
from lti_tool.core.drawers import SHARED, SealedError, reseal
from lti_tool.core.drawers import share as copy_in
from lti_tool.core.errors import ToolError
from lti_tool.core.jobs import after_commit
from lti_tool.lti import platforms as verbs
from lti_tool.lti.health import report as health
from lti_tool.lti.models import Registration, ScoreOutbox
from lti_tool.lti.platforms import Details, Lti
from lti_tool.lti.services import outbox
from lti_tool.lti.services import scores as owed
from lti_tool.lti.services.reconciling import reconcile
from lti_tool.people.memberships import make_manager_code, managers

platforms = AppGroup("platforms", help="The learning platforms that may launch us.")
keys = AppGroup("keys", help="The keys we sign with.")
scores = AppGroup("scores", help="The scores platforms are owed.")
SHOWN = (
    "name",
    "issuer",
    "client_id",
    "auth_login_url",
    "auth_token_url",
    "auth_audience",
    "jwks_url",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@platforms.command()
@click.option("--name", required=True, help="What people call the platform.")
@click.option("--issuer", required=True, metavar="URL", help="Its issuer or platform id.")
@click.option("--client-id", required=True, help="What it calls us.")
@click.option("--auth-login-url", required=True, metavar="URL", help="Its authentication request.")
@click.option("--auth-token-url", required=True, metavar="URL", help="Its access tokens.")
@click.option("--jwks-url", required=True, metavar="URL", help="Its public key set.")
@click.option(
    "--deployment-id",
    required=True,
    help="Where on it we are installed; empty: where its first launch comes from.",
)
@click.option(
    "--school", "schools", required=True, multiple=True, metavar="SLUG", help="May be repeated."
)
@click.option("--auth-audience", default="", help="Whom tokens are asked of, where it says so.")
@click.option(
    "--frame-origin",
    "frame_origins",
    multiple=True,
    metavar="ORIGIN",
    help="A further origin that may show us in a frame. May be repeated.",
)
@json_option
def add(as_json: bool, **given: Any) -> None:
    """Register a platform, or bring it up to date.

    The same issuer and client id is the same platform: a new deployment id is added to it, a
    known one serves the schools named from now on. Prints a manager code for each school that
    nobody manages yet.
    """
    details = Details(**given)
    known = current_app.extensions["catalogue"].schools
    unknown = sorted(set(details.schools) - set(known))
    if unknown:
        raise click.ClickException(
            f"there is no school {', '.join(unknown)}. Known: {', '.join(sorted(known))}"
        )
    lti = _lti()
    now = lti.clock()
    try:
        with lti.database.transaction() as session:
            row = verbs.add_platform(session, details, now=now)
            codes = {
                school_id: make_manager_code(session, school_id=school_id, now=now)
                for school_id in dict.fromkeys(details.schools)
                if not managers(session, school_id=school_id)
            }
            after_commit(session, lti.registry.forget)
            said = _describe(session, row)
    except ToolError as fault:
        raise click.ClickException(str(fault.details.get("fault", fault.code))) from fault
    if as_json:
        click.echo(json.dumps(said | {"manager_codes": codes}, ensure_ascii=False))
        return
    click.echo(f"{said['name']} is registered as {said['id']}")
    for name, url in _addresses().items():
        click.echo(f"  {name}: {url}")
    for school_id, code in codes.items():
        click.echo(f"  manager code for {school_id}, shown once, good for thirty days: {code}")


@platforms.command("list")
@json_option
def list_platforms(as_json: bool) -> None:
    """All platforms."""
    with _lti().database.reading() as session:
        rows = [_describe(session, row) for row in verbs.platforms(session)]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        state = "disabled" if row["disabled_at"] else "enabled "
        click.echo(f"{row['id']}  {state}  {row['name']}  {row['issuer']}")
    if not rows:
        click.echo("no platform is registered")


@platforms.command()
@click.argument("platform")
@json_option
def show(platform: str, as_json: bool) -> None:
    """One platform, by its number or its name."""
    with _lti().database.reading() as session:
        said = _describe(session, _find(session, platform))
    if as_json:
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    deployments = said.pop("deployments")
    for name, value in said.items():
        click.echo(f"{name}: {value}")
    for deployment_id, schools in deployments.items():
        click.echo(f"deployment {deployment_id}: {', '.join(schools)}")
    for name, url in _addresses().items():
        click.echo(f"our {name}: {url}")


@platforms.command()
@click.argument("platform")
def disable(platform: str) -> None:
    """Refuse a platform's launches from now on. ``add`` enables it again."""
    lti = _lti()
    with lti.database.transaction() as session:
        row = _find(session, platform)
        verbs.disable_platform(session, row, now=lti.clock())
        after_commit(session, lti.registry.forget)
    click.echo(f"{row.name} may no longer launch")


@platforms.command()
@click.argument("platform")
@json_option
def check(platform: str, as_json: bool) -> None:
    """Ask a platform whether it is well connected, and say what to do where it is not.

    Takes at most five seconds, and keeps nothing. Exit code 1 where something does not work.
    """
    lti = _lti()
    with lti.database.reading() as session:
        (report,) = health.check(
            lti,
            session,
            [_find(session, platform)],
            catalogue=current_app.extensions["catalogue"],
            now=lti.clock(),
        )
    if as_json:
        said = asdict(report) | {"checked_at": report.checked_at.isoformat()}
        click.echo(json.dumps(said, ensure_ascii=False))
    else:
        for line in report.lines:
            click.echo(f"{line.state:9}  {line.title}: {line.says}")
            if line.does:
                click.echo(f"{'':9}  {line.does}")
    if not report.is_well:
        raise SystemExit(1)


@keys.command("list")
def list_keys() -> None:
    """Our keys, the newest last, and which one signs."""
    tool_keys = _lti().tool_keys
    signing, _key = tool_keys.signing()
    for kid in tool_keys.kids():
        click.echo(f"{kid}  signs" if kid == signing else kid)


@keys.command()
@click.option("--at-once", is_flag=True, help="Sign with it now, and withdraw all earlier keys.")
def rotate(at_once: bool) -> None:
    """Make a new key. It is published now and signs in an hour, so that platforms know it by
    then; the earlier ones stay published for at least thirty days.

    --at-once is for a key that has fallen into wrong hands: a platform that still keeps our old
    key set may then refuse us until it looks again.
    """
    click.echo(_lti().tool_keys.rotate(at_once=at_once))


@keys.command()
def share() -> None:
    """Bring this machine's keys and packs to where all machines have them.

    Once, where CLAUSEWAY_SECRET is set for an installation that had one machine until now. What
    is in the folders stays there; remove it when doctor says that all is well.
    """
    lti = _lti()
    if not lti.config.secret:
        raise click.ClickException("CLAUSEWAY_SECRET is not set: this machine keeps its own")
    for name in SHARED:
        click.echo(f"{name}: {copy_in(lti.config, lti.database, name)}")


@keys.command("reseal")
@click.password_option("--new-secret", prompt="The new CLAUSEWAY_SECRET", help="Better typed in.")
def reseal_keys(new_secret: str) -> None:
    """Seal what all machines share with another CLAUSEWAY_SECRET. Stop every machine first, and
    set the new one on each of them afterwards."""
    lti = _lti()
    if not lti.config.secret or len(new_secret) < SHORTEST_TOKEN:
        raise click.ClickException(f"both secrets are needed, of {SHORTEST_TOKEN} letters or more")
    try:
        click.echo(f"{reseal(lti.config, lti.database, new_secret)} files are sealed with it")
    except SealedError as fault:
        raise click.ClickException(f"nothing was changed: {fault}") from fault


@scores.command("list")
@click.option("--state", type=click.Choice(owed.STATES), default=None)
@json_option
def list_scores(state: str | None, as_json: bool) -> None:
    """What is owed, and what was sent."""
    with _lti().database.reading() as session:
        rows = [_owed(row, name) for row, name in owed.listed(session, state=state or "")]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        click.echo(
            f"{row['id']}  {row['state']:10}  {row['reason']:15}  {row['owed_at'][:19]}  "
            f"{row['school']}  {row['platform']}"
        )
    if not rows:
        click.echo("there is none")


@scores.command()
def send() -> None:
    """Try everything that waits, now."""
    click.echo(f"{outbox.send_due(_lti(), hurry=True)} sent")


@scores.command()
@click.argument("score", type=click.UUID)
@click.option("--replace", is_flag=True, help="Also over a mark changed in the platform by hand.")
def resend(score: UUID, replace: bool) -> None:
    """Send a score once more, with a timestamp of now."""
    lti = _lti()
    try:
        with lti.database.transaction() as session:
            row = session.get(ScoreOutbox, score)
            if row is None:
                raise click.ClickException(f"there is no score {score}")
            owed.resend(session, row, now=lti.clock(), replaces=replace)
    except ToolError as fault:
        raise click.ClickException(f"not sent again: {fault.code}") from fault
    outcome = outbox.deliver(lti, score)
    click.echo(outcome.state if outcome else "waiting")


@scores.command("reconcile")
@json_option
def reconcile_scores(as_json: bool) -> None:
    """Compare what was sent in twelve months with what the platforms hold, now.

    What is lost is sent again; what was changed there by hand is left as it is. The worker does
    this each night.
    """
    counts = reconcile(_lti(), at_once=True)
    if as_json:
        click.echo(json.dumps(counts))
        return
    for outcome, number in counts.items():
        click.echo(f"{outcome}: {number}")


@click.command()
@click.option("--workers", default=2, show_default=True, help="How many at once.")
@with_appcontext
def worker(workers: int) -> None:
    """Send scores as they fall due, until stopped."""
    outbox.sweep(_lti())
    current_app.extensions["queue"].create_consumer(workers=workers, periodic=True).run()


def _lti() -> Lti:
    lti: Lti = current_app.extensions["lti"]
    return lti


def _find(session: Session, given: str) -> Registration:
    try:
        return verbs.platform(session, given)
    except ToolError as fault:
        several = fault.code == "platform-ambiguous"
        raise click.ClickException(
            f"several platforms are called {given}: use the number"
            if several
            else f"there is no platform {given}"
        ) from fault


def _describe(session: Session, row: Registration) -> dict[str, Any]:
    found = verbs.read_platform(session, row)
    return {
        "id": str(found.id),
        **{name: getattr(found, name) for name in SHOWN},
        "frame_origins": " ".join(found.frame_origins),
        "disabled_at": row.disabled_at.isoformat() if row.disabled_at else "",
        "deployments": {name: list(of.schools) for name, of in found.deployments.items()},
    }


def _addresses() -> dict[str, str]:
    """What the platform must be told of us."""
    url = _lti().config.url
    return {
        "login initiation": f"{url}/lti/login",
        "redirect and target link": f"{url}/lti/launch",
        "public key set": f"{url}/lti/jwks",
    }


def _owed(row: ScoreOutbox, platform_name: str) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "school": row.school_id,
        "completion": str(row.completion_id),
        "platform": platform_name,
        "state": row.state,
        "reason": row.reason,
        "status": row.last_status,
        "attempts": row.attempts,
        "owed_at": row.owed_at.isoformat(),
        "sent_at": row.sent_at.isoformat() if row.sent_at else "",
    }
