"""What the doctor finds on this machine: keys, and room on the disk."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from lti_tool.config import Config
from lti_tool.core.database import Database
from lti_tool.core.drawers import SealedError, open_drawer
from lti_tool.core.secret import NAME
from lti_tool.lti.keys import PEM
from lti_tool.operation.doctor.finding import Finding, fault, ok, warning

GIB: Final = 1024**3
LITTLE_ROOM, NO_ROOM = 2 * GIB, GIB // 4
ABOUT: Final = "Keys"
EVIDENCE: Final = "evidence-keys"
KEYS: Final = "keys"


def keys(config: Config, database: Database | None) -> Iterator[Finding]:
    """Whether the keys are there, and nobody else's to read."""
    if not config.instance.is_dir():
        yield warning(ABOUT, f"{config.instance} is not there yet", "The first start makes it.")
    elif config.secret and database is not None:
        yield from _shared(config, database)
    else:
        yield from _own(config.instance)


def _shared(config: Config, database: Database) -> Iterator[Finding]:
    """With a secret that all machines have, the keys are in the database."""
    try:
        drawer = open_drawer(config, database, KEYS)
        names = drawer.names(PEM)
        for name in names:
            drawer.read(name)
    except SealedError as error:
        does = "Set CLAUSEWAY_SECRET to what it was when they were made."
        yield fault(ABOUT, str(error), does)
        return
    if left := [*(config.instance / KEYS).glob(f"*{PEM}")]:
        does = "clauseway keys share brings them in, where that was not done; then remove them."
        yield warning(ABOUT, f"{len(left)} of this machine's own are not used", does)
    if names:
        yield ok(ABOUT, f"{len(names)} in the database, for all machines")
    else:
        yield warning(ABOUT, "none are made yet", "A start makes them.")


def _own(instance: Path) -> Iterator[Finding]:
    found = {
        NAME: sorted(instance.glob(NAME)),
        KEYS: sorted((instance / KEYS).glob(f"*{PEM}")),
        EVIDENCE: sorted((instance / EVIDENCE).glob(f"*{PEM}")),
    }
    # A key for checkpoints is made with the first of these.
    missing = [name for name, files in found.items() if not files and name != EVIDENCE]
    if missing:
        yield warning(
            ABOUT,
            f"not there yet: {', '.join(missing)}",
            "A start makes them. Where there were some, put them back from the backup before "
            "starting: platforms know us by them.",
        )
    files = [*(file for group in found.values() for file in group), instance / "clauseway.toml"]
    yield from _readable(ABOUT, [file for file in files if file.exists()], has_all=not missing)


def _readable(about: str, files: list[Path], *, has_all: bool) -> Iterator[Finding]:
    open_to_others = [file.name for file in files if file.stat().st_mode & 0o077]
    unreadable = [file.name for file in files if not _can_read(file)]
    if open_to_others:
        yield fault(
            about,
            f"others of this machine can read {', '.join(open_to_others)}",
            "chmod 600 them; where others are on the machine, clauseway keys rotate --at-once.",
        )
    if unreadable:
        yield fault(
            about,
            f"cannot be read: {', '.join(unreadable)}",
            "They must belong to the user that the tool runs as.",
        )
    if has_all and not open_to_others and not unreadable:
        yield ok(about, "there, and for their owner alone")


def _can_read(file: Path) -> bool:
    try:
        with file.open("rb"):
            return True
    except OSError:
        return False


def disk(config: Config) -> Iterator[Finding]:
    """Whether there is room where the tool writes."""
    places = {config.instance}
    url = make_url(config.database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        places.add(Path(url.database).parent)
    for place in sorted(places):
        there = next(one for one in (place, *place.resolve().parents) if one.exists())
        usage = shutil.disk_usage(there)
        says = f"{usage.free / GIB:.1f} GiB of {usage.total / GIB:.1f} free at {place}"
        if usage.free < NO_ROOM:
            yield fault("Disk", says, "Make room now: what cannot be written is refused.")
        elif usage.free < LITTLE_ROOM:
            yield warning("Disk", says, "Make room: a backup needs as much as the database.")
        else:
            yield ok("Disk", says)
