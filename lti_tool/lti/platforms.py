"""The platforms that may launch us: kept in rows, read into memory, and looked after here."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from itsdangerous import Signer, URLSafeSerializer
from pylti1p3.deployment import Deployment as KernelDeployment
from pylti1p3.registration import Registration as KernelRegistration
from pylti1p3.tool_config.abstract import ToolConfAbstract
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lti_tool.config import Config, is_loopback
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.drawers import open_drawer
from lti_tool.core.errors import ToolError
from lti_tool.core.keysets import KeySets
from lti_tool.core.outside import Outside
from lti_tool.core.secret import derived_secret
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.lti.claims import LONGEST_ID, origin
from lti_tool.lti.keys import open_tool_keys
from lti_tool.lti.models import Deployment, DeploymentSchool, Registration, ResourceLink
from lti_tool.people import memberships
from lti_tool.people.models import Membership, Visit

REFRESH_SECONDS: Final = 3
FIRST_TO_COME: Final = ""
"""As a deployment id: the platform named none when it registered us; its first launch does."""


@dataclass(frozen=True)
class Deployed:
    """A deployment as launches need it."""

    id: UUID
    schools: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Platform:
    """A registration that is not disabled, as launches need it."""

    id: UUID
    name: str
    issuer: str
    client_id: str
    auth_login_url: str
    auth_token_url: str
    auth_audience: str
    jwks_url: str
    frame_origins: tuple[str, ...]
    deployments: Mapping[str, Deployed]
    tool_conf: "ToolConf" = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tool_conf", ToolConf(self))


class ToolConf(ToolConfAbstract[Any]):
    """The kernel's view of one registration: built once, dropped when the registration changes."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._registration = (
            KernelRegistration().set_issuer(platform.issuer).set_client_id(platform.client_id)
        )

    def check_iss_has_one_client(self, iss: str) -> bool:
        return False

    def check_iss_has_many_clients(self, iss: str) -> bool:
        return True

    def find_registration_by_issuer(
        self, iss: str, *args: object, **kwargs: object
    ) -> KernelRegistration:
        raise NotImplementedError  # an issuer may have several clients

    def find_deployment(self, iss: str, deployment_id: str) -> KernelDeployment:
        raise NotImplementedError

    def find_registration_by_params(
        self, iss: str, client_id: str, *args: object, **kwargs: object
    ) -> KernelRegistration:
        if (iss, client_id) != (self._platform.issuer, self._platform.client_id):
            raise ToolError("launch-token-invalid", log="another platform's token")
        return self._registration

    def find_deployment_by_params(
        self, iss: str, deployment_id: str, client_id: str, *args: object, **kwargs: object
    ) -> KernelDeployment:
        known = self._platform.deployments
        if not isinstance(deployment_id, str) or not {deployment_id, FIRST_TO_COME} & known.keys():
            raise ToolError("deployment-unknown", log=f"registration {self._platform.id}")
        return KernelDeployment().set_deployment_id(deployment_id)


class Registry:
    """All platforms in memory, looked at again after three seconds.

    So a launch costs no query for them. A platform disabled elsewhere meanwhile is still
    stopped: the launch's own transaction looks once more (``launch.settle``).
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._versions: frozenset[tuple[UUID, int]] = frozenset()
        self._looked_at = float("-inf")
        self._platforms: dict[UUID, Platform] = {}

    def by_id(self, registration_id: UUID) -> Platform | None:
        """The platform of a registration, if it may launch."""
        return self._current().get(registration_id)

    def find(self, issuer: str, client_id: str) -> Platform:
        """The platform that begins a login; ``client_id`` may be empty if it is the only one.

        Raises ``ToolError``: platform-unknown, platform-ambiguous.
        """
        of_issuer = [item for item in self._current().values() if item.issuer == issuer]
        found = [item for item in of_issuer if client_id in ("", item.client_id)]
        if not found:
            raise ToolError("platform-unknown", log="no such issuer or client")
        if len(found) > 1:
            raise ToolError("platform-ambiguous", log=f"{len(found)} registrations, no client_id")
        return found[0]

    def forget(self) -> None:
        """Look again at the next question."""
        self._looked_at = float("-inf")

    def _current(self) -> dict[UUID, Platform]:
        if self._is_fresh():
            return self._platforms
        with self._lock:
            if not self._is_fresh():
                moment = time.monotonic()
                with self._database.reading() as session:
                    versions = _versions(session)
                    if versions != self._versions:
                        self._platforms = _read(session, self._platforms, self._versions)
                        self._versions = versions
                self._looked_at = moment
        return self._platforms

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._looked_at < REFRESH_SECONDS


def _versions(session: Session) -> frozenset[tuple[UUID, int]]:
    living = select(Registration.id, Registration.version).where(Registration.disabled_at.is_(None))
    return frozenset((row.id, row.version) for row in session.execute(living))


def _read(
    session: Session, kept: Mapping[UUID, Platform], versions: frozenset[tuple[UUID, int]]
) -> dict[UUID, Platform]:
    platforms = {}
    for row in session.scalars(select(Registration).where(Registration.disabled_at.is_(None))):
        is_same = row.id in kept and (row.id, row.version) in versions
        platforms[row.id] = kept[row.id] if is_same else read_platform(session, row)
    return platforms


def read_platform(session: Session, row: Registration) -> Platform:
    """A registration and its deployments, as frozen values."""
    found = session.execute(
        select(Deployment.id, Deployment.deployment_id, DeploymentSchool.school_id)
        .outerjoin(DeploymentSchool)
        .where(Deployment.registration_id == row.id)
        .order_by(Deployment.created_at, DeploymentSchool.school_id)
    ).all()
    schools: dict[tuple[UUID, str], list[str]] = {}
    for deployment in found:
        served = schools.setdefault((deployment.id, deployment.deployment_id), [])
        if deployment.school_id is not None:
            served.append(deployment.school_id)
    return Platform(
        id=row.id,
        name=row.name,
        issuer=row.issuer,
        client_id=row.client_id,
        auth_login_url=row.auth_login_url,
        auth_token_url=row.auth_token_url,
        auth_audience=row.auth_audience,
        jwks_url=row.jwks_url,
        frame_origins=tuple(row.frame_origins.split()),
        deployments={name: Deployed(id, tuple(of)) for (id, name), of in schools.items()},
    )


class Lti:
    """All that the room keeps between requests."""

    def __init__(self, config: Config, database: Database, clock: Clock) -> None:
        self.config, self.database, self.clock = config, database, clock
        self.launch_url: Final = f"{config.url}/lti/launch"
        """The one address that platforms may send a message to."""
        self.outside = Outside(config)
        self.http = self.outside.session()
        self.tool_keys = open_tool_keys(open_drawer(config, database, "keys"), clock)
        self.platform_keys = KeySets(
            self.outside, unknown="launch-token-invalid", away="platform-keys-unavailable"
        )
        self.registry = Registry(database)
        self.tokens: dict[tuple[UUID, str], tuple[str, datetime]] = {}
        """By platform and scopes, as the database keeps them too: each with its end."""
        self.token_locks: dict[tuple[UUID, str], threading.Lock] = {}
        self.wake: Callable[[str], object] = _nobody_to_wake
        self.wake_reader: Callable[[str], object] = _nobody_to_wake
        self.login_secret = derived_secret(config, "lti-login")
        self.login_states = Signer(self.login_secret, salt="lti-login-state")
        self.pickings = URLSafeSerializer(
            self.login_secret,
            salt="lti-picking",
            serializer_kwargs={"ensure_ascii": True},  # what a platform sends may be half a letter
        )


def _nobody_to_wake(row_id: str) -> None:
    """Until the queue has its tasks the sweeper finds what is owed."""


@dataclass(frozen=True)
class Details:
    """What an administrator says of a platform and one of its deployments."""

    name: str
    issuer: str
    client_id: str
    auth_login_url: str
    auth_token_url: str
    jwks_url: str
    deployment_id: str
    schools: tuple[str, ...]
    auth_audience: str = ""
    frame_origins: tuple[str, ...] = ()


def add_platform(session: Session, details: Details, *, now: datetime) -> Registration:
    """Register a platform, or bring what is registered up to date; either way it is enabled.

    The same issuer and client id is the same platform; a further deployment id is added to it,
    a known one from now on serves the schools named. Raises ``ToolError`` platform-details-wrong
    with ``fault``.
    """
    _check(details)
    row = session.scalar(
        select(Registration).where(
            Registration.issuer == details.issuer, Registration.client_id == details.client_id
        )
    )
    if row is None:
        row = Registration(
            issuer=details.issuer, client_id=details.client_id, version=0, created_at=now
        )
        session.add(row)
    row.name, row.disabled_at, row.version = details.name, None, row.version + 1
    row.auth_login_url, row.auth_token_url = details.auth_login_url, details.auth_token_url
    row.jwks_url, row.auth_audience = details.jwks_url, details.auth_audience
    row.frame_origins = " ".join(details.frame_origins)
    session.flush()
    deployment = session.scalar(
        select(Deployment).where(
            Deployment.registration_id == row.id,
            Deployment.deployment_id == details.deployment_id,
        )
    )
    if deployment is None:
        deployment = Deployment(
            registration_id=row.id, deployment_id=details.deployment_id, created_at=now
        )
        session.add(deployment)
        session.flush()
    session.execute(
        delete(DeploymentSchool).where(DeploymentSchool.deployment_row_id == deployment.id)
    )
    for school_id in sorted(set(details.schools)):
        session.add(DeploymentSchool(deployment_row_id=deployment.id, school_id=school_id))
    session.flush()
    return row


def disable_platform(session: Session, row: Registration, *, now: datetime) -> None:
    """Refuse this platform's launches and send it no more scores, until it is added again."""
    row.disabled_at, row.version = now, row.version + 1
    session.flush()


def platforms(session: Session) -> Sequence[Registration]:
    """All registrations, also disabled ones, by name."""
    return session.scalars(
        select(Registration).order_by(Registration.name, Registration.created_at)
    ).all()


def platform(session: Session, given: str) -> Registration:
    """The registration with this id or name.

    Raises ``ToolError``: platform-unknown, platform-ambiguous.
    """
    found = [row for row in platforms(session) if given in (str(row.id), row.name)]
    if not found:
        raise ToolError("platform-unknown")
    if len(found) > 1:
        raise ToolError("platform-ambiguous")
    return found[0]


def schools_offered(session: Session, visit: Visit) -> list[str]:
    """The schools among which this visit may choose what its activity is for.

    Raises ``ToolError``: visit-unconfirmed; school-not-set-up for somebody who may not choose.
    """
    if visit.confirmed_at is None:
        raise ToolError("visit-unconfirmed")
    if not (visit.may_ask_to_manage or visit.may_set_up):
        raise ToolError("school-not-set-up")
    served = (
        select(DeploymentSchool.school_id)
        .join(ResourceLink, ResourceLink.deployment_row_id == DeploymentSchool.deployment_row_id)
        .where(ResourceLink.id == visit.place_id)
        .order_by(DeploymentSchool.school_id)
    )
    return list(session.scalars(served))


def choose(
    session: Session,
    visit: Visit,
    *,
    school_id: str,
    module: str,
    catalogue: Catalogue,
    now: datetime,
) -> None:
    """Choose the school and the training of this visit.

    A manager of that school, or the platform's administrator, chooses for the activity: from now
    on everybody who comes from it. Any other instructor chooses for this visit alone, in which
    they can ask to manage. Raises as ``schools_offered`` does, and school-not-served,
    module-unknown.
    """
    if school_id not in schools_offered(session, visit):
        raise ToolError("school-not-served")
    if module not in catalogue.modules:
        raise ToolError("module-unknown")
    visit.school_id, visit.module = school_id, module
    if memberships.membership(session, school_id=school_id, person_id=visit.person_id) is None:
        session.add(Membership(school_id=school_id, person_id=visit.person_id, created_at=now))
    link = session.get_one(ResourceLink, visit.place_id)
    if visit.may_set_up or memberships.manages(session, visit, school_id=school_id):
        link.school_id, link.module = school_id, module
    session.flush()


def _check(details: Details) -> None:
    for name in ("name", "issuer", "client_id", "deployment_id"):
        value: str = getattr(details, name)
        if name == "deployment_id" and value == FIRST_TO_COME:
            continue
        if not value or len(value) > LONGEST_ID or not value.isprintable():
            _fault(f"{name} must have 1 to {LONGEST_ID} characters")
    for name in ("issuer", "auth_login_url", "auth_token_url", "jwks_url"):
        check_url(name, getattr(details, name))
    for given in details.frame_origins:
        if origin(given) != given:
            _fault(f"{given} is not an origin such as https://moodle.example.org")
    if not details.schools:
        _fault("name at least one school")


def check_url(name: str, url: str) -> None:
    """Raises ``ToolError`` platform-details-wrong with ``fault`` unless we may call ``url``."""
    if not origin(url) or not url.isprintable() or " " in url:
        _fault(f"{name} must be an address that begins with https://")
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        _fault(f"{name}: plain http is for this machine alone, use https")
    if parts.fragment or "@" in parts.netloc:
        _fault(f"{name} may hold no fragment, name or password")


def _fault(fault: str) -> None:
    raise ToolError("platform-details-wrong", fault=fault)
