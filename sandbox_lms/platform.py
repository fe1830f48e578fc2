"""All the sandbox knows and remembers, apart from HTTP."""

import hashlib
import json
import os
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox_lms import claims
from sandbox_lms.faults import Faults
from sandbox_lms.gradebook import Grade, Gradebook, LineItem
from sandbox_lms.schools import (
    KINDS,
    SCHOOLS,
    Activity,
    Person,
    School,
    another_starter,
    first_people,
)
from sandbox_lms.tokens import Key, TokenRefused, check_assertion, sign_jwt
from sandbox_lms.tools.registered import Tools

CLIENT_ID: Final = "clauseway-sandbox"
OMIT: Final = object()
"""As the value of a change: this claim is left out."""
TOKEN_SECONDS: Final = 3600
_STATE_FILE = "sandbox.json"

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def describe(issuer: str) -> dict[str, Any]:
    """What a tool needs to register this platform, and who is in charge at each school."""
    everybody = first_people().values()
    return {
        "name": "Sandbox learning platform",
        "issuer": issuer,
        "client_id": CLIENT_ID,
        "auth_login_url": f"{issuer}/auth",
        "auth_token_url": f"{issuer}/token",
        "jwks_url": f"{issuer}/jwks",
        "deployments": [
            {
                "deployment_id": slug,
                "school": slug,
                "headteacher": {"sub": head.id, "name": head.name, "email": head.email},
            }
            for slug in SCHOOLS
            for head in everybody
            if head.school == slug and head.kind == "head"
        ],
    }


@dataclass(frozen=True)
class Seen:
    """One request the platform got; `path` includes the query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Launch:
    """A launch under way. Without an activity it asks for some to be picked for the school's
    course; `for_user` is whose work somebody wants to see."""

    person_id: str
    school: School
    activity: Activity | None
    target: claims.Target = "iframe"
    for_user: str = ""
    client_id: str = CLIENT_ID


class Platform:
    """The state of one platform. Hold `lock` while reading and changing in one step.

    With `state`, a folder, the keys, the gradebook, the people and the access tokens are kept in
    one file there (mode 600), so that a restart forgets nothing but launches under way.
    """

    def __init__(
        self, *, tool_url: str, issuer: str, state: Path | None = None, clock: Clock = utc_now
    ) -> None:
        self.tool_url = tool_url
        self.issuer = issuer
        self.clock = clock
        self.lock = threading.RLock()
        self.faults = Faults()
        self.requests_seen: deque[Seen] = deque(maxlen=2000)
        self.people = first_people()
        self.gradebook = Gradebook({item.id: item for item in _coupled_items()})
        self.keys: list[Key] = []
        self.session_key = secrets.token_hex(5)
        self.scopes = set(claims.SCOPES)
        """What a tool may have leave for; launches promise all of it all the same."""
        self.added: dict[str, Activity] = {}
        self.tools = Tools()
        self._tokens: dict[str, dict[str, Any]] = {}
        self._launches: dict[str, Launch] = {}
        self._tool_keys: dict[str, jwt.PyJWK] = {}
        self._file = state / _STATE_FILE if state else None
        self._load()
        if not self.keys:
            self.rotate_key()

    @property
    def redirect_uri(self) -> str:
        """The one registered redirect URI, the target of every activity too."""
        return f"{self.tool_url}/lti/launch"

    # People

    def person(self, school: str | None, kind: str) -> Person:
        """The first person of that kind at that school, by slug. Raises LookupError."""
        for person in self.people.values():
            if person.kind == kind and person.school in (school, None):
                return person
        raise LookupError(f"nobody at {school} is {kind}")

    def people_at(self, school: School) -> list[Person]:
        """Who can be launched as at a school: everybody enrolled, and the site administrator."""
        order = list(KINDS)
        here = [one for one in self.people.values() if one.school in (school.slug, None)]
        return sorted(here, key=lambda one: (order.index(one.kind), int(one.id)))

    def enrol_starter(self, school: School) -> Person:
        with self.lock:
            later = sum(1 for identifier in self.people if int(identifier) >= 9000)
            person = another_starter(school, later)
            self.people[person.id] = person
            self.save()
        return person

    def set_sharing(self, person: Person, *, name: bool, email: bool) -> Person:
        """Choose what launches and rosters tell of a person. Gives the changed person."""
        with self.lock:
            changed = replace(person, share_name=name, share_email=email)
            self.people[person.id] = changed
            self.save()
        return changed

    def is_gradable(self, course_id: str, user_id: str) -> bool:
        """Whether Moodle would take a score: only those with a student's role in the course."""
        person = self.people.get(user_id)
        return (
            person is not None
            and person.school is not None
            and person.role == "student"
            and SCHOOLS[person.school].course_id == course_id
        )

    # Launches

    def activity(self, activity_id: str) -> Activity:
        if activity_id in self.added:
            return self.added[activity_id]
        for school in SCHOOLS.values():
            for activity in school.activities:
                if activity.id == activity_id:
                    return activity
        raise LookupError(f"no activity {activity_id}")

    def activity_at(self, school: str, module: str = "induction") -> Activity:
        return next(one for one in SCHOOLS[school].activities if one.module == module)

    def activities_at(self, school: School) -> list[Activity]:
        """What the course held from the first day, and what was added since."""
        return [
            *school.activities,
            *(one for one in self.added.values() if one.school == school.slug),
        ]

    def login_parameters(
        self,
        person: Person,
        activity: Activity,
        target: claims.Target = "iframe",
        client_id: str = CLIENT_ID,
    ) -> dict[str, str]:
        """Begin a launch: the parameters of the login initiation, with a fresh launch id."""
        school = SCHOOLS[activity.school]
        return self.begin(Launch(person.id, school, activity, target, client_id=client_id))

    def begin(self, launch: Launch) -> dict[str, str]:
        """Begin any kind of launch, as above."""
        number = launch.activity.id if launch.activity else "_ContentItemSelectionRequest"
        launch_id = f"ltilaunch{number}_{secrets.randbelow(10**9)}"
        hint: dict[str, object] = {"launchid": launch_id}
        if launch.activity:
            hint = {"cmid": 1000 + int(number), **hint}
        with self.lock:
            self._launches[launch_id] = launch
        return {
            "iss": self.issuer,
            "target_link_uri": self._target(launch.activity),
            "login_hint": launch.person_id,
            "lti_message_hint": json.dumps(hint, separators=(",", ":")),
            "client_id": launch.client_id,
            "lti_deployment_id": self.deployment_id(launch),
        }

    def deployment_id(self, launch: Launch) -> str:
        """The tool set up by hand has a deployment for each school, a registered one its own."""
        tool = self.tools.get(launch.client_id)
        return tool.deployment_id if tool else launch.school.slug

    def is_client(self, client_id: str | None) -> bool:
        """Whether a tool may be launched and may call."""
        return client_id == CLIENT_ID or self.tools.is_active(client_id or "")

    def _target(self, activity: Activity | None) -> str:
        return (activity and activity.url) or self.redirect_uri

    def take_launch(self, message_hint: str) -> Launch | None:
        """The launch a message hint names, once: the second time there is none."""
        try:
            launch_id = json.loads(message_hint)["launchid"]
        except (ValueError, TypeError, KeyError):
            return None
        with self.lock:
            return self._launches.pop(str(launch_id), None)

    def id_token_claims(
        self, person: Person, activity: Activity, nonce: str, /, **changes: object
    ) -> dict[str, object]:
        """The claims of a launch now. `changes` replace claims by name; `OMIT` leaves one out."""
        presentation = claims.launch_presentation(
            self.issuer, activity, person, "iframe", self.session_key
        )
        said = claims.resource_link_claims(
            issuer=self.issuer,
            client_id=CLIENT_ID,
            target_link_uri=self._target(activity),
            person=person,
            activity=activity,
            item_ids=self.items_of(activity),
            presentation=presentation,
        )
        return self._now(nonce, {**said, **changes})

    def picking_claims(
        self, person: Person, school: School, nonce: str, /, **changes: object
    ) -> dict[str, object]:
        """The claims of a request to pick activities for a school's course."""
        query = f"course={school.course_id}&id={school.number}&sesskey={self.session_key}"
        said = claims.picking_claims(
            issuer=self.issuer,
            client_id=CLIENT_ID,
            target_link_uri=self.redirect_uri,
            person=person,
            school=school,
            return_url=f"{self.issuer}/schools/{school.slug}/picked?{query}",
        )
        return self._now(nonce, {**said, **changes})

    def _now(self, nonce: str, said: Mapping[str, object]) -> dict[str, object]:
        now = int(self.clock().timestamp())
        said = {"nonce": nonce, "iat": now, "exp": now + 60, **said}
        return {name: value for name, value in said.items() if value is not OMIT}

    def items_of(self, activity: Activity) -> list[int]:
        """The ids of the line items bound to an activity."""
        with self.lock:
            items = list(self.gradebook.items.values())
        return [item.id for item in items if item.resource_link_id == activity.id]

    # Keys and tokens

    def sign(
        self,
        payload: object,
        *,
        kid: str | None = "current",
        key: rsa.RSAPrivateKey | bytes | None = None,
        alg: str = "RS256",
    ) -> str:
        """Any payload as a JWT. `kid` None leaves it out of the header; `key` is another private
        key or, for HS256, a secret; `alg` may be `none`."""
        current = self.keys[-1]
        header: dict[str, object] = {"typ": "JWT", "alg": alg}
        if kid is not None:
            header["kid"] = current.kid if kid == "current" else kid
        return sign_jwt(header, payload, current.private if key is None else key)

    def rotate_key(self, *, keep_old: bool = True) -> Key:
        """Sign with a new key from now on; the old ones stay published or vanish at once."""
        key = Key.generate()
        with self.lock:
            self.keys = [*(self.keys if keep_old else []), key]
            self.save()
        return key

    def grant_token(self, assertion: str, scope: str) -> dict[str, Any]:
        """A token reply for a client assertion, as Moodle 4.5 gives it. Raises TokenRefused."""
        said = check_assertion(
            assertion, is_client=self.is_client, look_up=self.tool_key, now=self.clock()
        )
        tool = self.tools.get(said["sub"])
        granted = self.scopes.intersection(tool.scopes) if tool else self.scopes
        allowed = [one for one in scope.split(" ") if one in granted]
        if not allowed:
            raise TokenRefused("invalid_scope")
        token = self.issue_token(allowed)
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": " ".join(allowed),
        }

    def issue_token(self, scopes: list[str]) -> str:
        token = secrets.token_hex(32)
        now = self.clock().timestamp()
        with self.lock:
            self._tokens = {k: v for k, v in self._tokens.items() if v["expires"] > now}
            self._tokens[_digest(token)] = {"scopes": scopes, "expires": now + TOKEN_SECONDS}
            self.save()
        return token

    def revoke_tokens(self) -> None:
        """Every access token stops working at once."""
        with self.lock:
            self._tokens = {}
            self.save()

    def token_allows(self, token: str, scopes: tuple[str, ...]) -> bool:
        """Whether a token is known, unexpired and holds at least one of the scopes."""
        with self.lock:
            held = self._tokens.get(_digest(token))
        if held is None or held["expires"] <= self.clock().timestamp():
            return False
        return not set(scopes).isdisjoint(held["scopes"])

    def tool_key(self, kid: str, afresh: bool) -> jwt.PyJWK | None:
        """A key of the tool. Kept once seen: a key the tool withdraws goes on working, as in
        Moodle, until something fails and the set is fetched again (`afresh`)."""
        if not afresh:
            return self._tool_keys.get(kid)
        try:
            reply = requests.get(f"{self.tool_url}/lti/jwks", timeout=5)
            reply.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(reply.json()).keys
        except (requests.RequestException, ValueError, jwt.PyJWTError):
            raise TokenRefused("Failed to fetch the tool's keyset") from None
        self._tool_keys = {key.key_id: key for key in keys if key.key_id}
        if kid not in self._tool_keys:
            raise TokenRefused('"kid" invalid, unable to lookup correct key')
        return self._tool_keys[kid]

    # Keeping

    def save(self) -> None:
        """Write everything to the state file in one move, when there is one."""
        if self._file is None:
            return
        with self.lock:
            kept = {
                "keys": [[key.kid, key.to_pem()] for key in self.keys],
                "people": [asdict(person) for person in self.people.values()],
                "items": [asdict(item) for item in self.gradebook.items.values()],
                "grades": [[*at, asdict(grade)] for at, grade in self.gradebook.grades.items()],
                "added": [asdict(activity) for activity in self.added.values()],
                "tokens": self._tokens,
                **self.tools.to_keep(),
            }
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft = self._file.with_suffix(".new")
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")
            os.replace(draft, self._file)

    def _load(self) -> None:
        if self._file is None or not self._file.exists():
            return
        kept = json.loads(self._file.read_text(encoding="utf-8"))
        self.keys = [Key.from_pem(kid, pem) for kid, pem in kept["keys"]]
        self.people = {person["id"]: Person(**person) for person in kept["people"]}
        items = {item["id"]: LineItem(**item) for item in kept["items"]}
        grades = {(item, user): Grade(**grade) for item, user, grade in kept["grades"]}
        self.gradebook = Gradebook(items, grades)
        self.added = {one["id"]: Activity(**one) for one in kept.get("added", [])}
        self._tokens = kept["tokens"]
        self.tools.load(kept)


def _coupled_items() -> list[LineItem]:
    """The line item each activity has of its own."""
    return [
        LineItem(one.line_item_id, one.course_id, one.title, 100, resource_link_id=one.id)
        for school in SCHOOLS.values()
        for one in school.activities
    ]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
