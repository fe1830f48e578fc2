"""``clauseway doctor``: looks at all that the tool needs, and says of each thing how it is.

Needs nothing to be right: what cannot be looked at because something else is at fault is left
out. It changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from lti_tool.config import Config, ConfigError, is_loopback, read_config
from lti_tool.core.clock import Clock, utc_now
from lti_tool.curriculum.kept import shelf
from lti_tool.curriculum.reading import ROOT, ContentFaults, read_catalogue
from lti_tool.operation.doctor import databases, machine, outsiders
from lti_tool.operation.doctor.finding import Finding, fault, ok, warning
from lti_tool.ui.assets import AssetsMissingError, manifest


def examine(instance: Path, *, clock: Clock = utc_now) -> list[Finding]:
    """Everything, in the order in which it is best mended."""
    try:
        config = read_config(instance)
    except ConfigError as error:
        return [fault("Configuration", str(error), "Mend these settings, and look again.")]
    findings = [*_configuration(config), *_content(config), *_assets()]
    with databases.opened(config) as database:
        looks: tuple[tuple[str, Callable[[], Iterable[Finding]]], ...] = (
            ("Keys", lambda: machine.keys(config, database)),
            ("Database", lambda: databases.examine(config, database, clock)),
            ("Clock", lambda: outsiders.clock(config, database, clock)),
            ("Proxy", lambda: outsiders.front(config)),
            ("E-mail", lambda: outsiders.mail_server(config)),
            ("Disk", lambda: machine.disk(config)),
        )
        for about, look in looks:
            try:
                findings += look()
            except Exception as error:  # whatever it is, the other lines are still wanted
                says = f"could not be looked at: {type(error).__name__}"
                findings.append(fault(about, says, "Tell whoever keeps up Clauseway."))
    return findings


def _configuration(config: Config) -> Iterator[Finding]:
    about = "Configuration"
    yield ok(about, f"reached at {config.url}; settings and keys in {config.instance.resolve()}")
    if is_loopback(urlsplit(config.url).hostname or ""):
        yield warning(
            about,
            "the address is of this machine alone: only for trying out",
            "Set CLAUSEWAY_URL to the public address that platforms are told.",
        )
    if config.managers == "instructors":
        yield warning(
            about,
            "every instructor of a platform manages the school",
            "Only for an installation of one school that wants it so.",
        )


def _content(config: Config) -> Iterator[Finding]:
    about, again = "Content", "clauseway content check names file and line."
    try:
        extra = Path(config.content) if config.content else None
        catalogue = read_catalogue(ROOT, extra, shelf=shelf(config.instance))
    except ContentFaults as error:
        yield fault(about, f"cannot be used: {str(error).splitlines()[0]}", again)
        return
    schools = catalogue.schools.values()
    closed = sorted(one.id for one in schools if one.closed and one.id not in catalogue.kept)
    if closed:
        yield fault(about, f"closed for faults: {', '.join(closed)}", again)
    if catalogue.kept:
        yield warning(about, f"served as last good: {', '.join(sorted(catalogue.kept))}", again)
    if not closed and not catalogue.kept:
        count = len(catalogue.schools)
        yield ok(about, f"{count} schools, {len(catalogue.scenarios)} scenarios")


def _assets() -> Iterator[Finding]:
    try:
        yield ok("Browser assets", f"{len(manifest())} files are built")
    except AssetsMissingError:
        yield fault("Browser assets", "are not built, so nothing starts", "Run make assets.")
