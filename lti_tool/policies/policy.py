"""A school and its policy versions, as frozen data. Read once from files, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from lti_tool.policies.conditions import ActPattern, Condition

Text = Mapping[str, str]
"""Language code to text; ``en`` is always there."""


class Force(StrEnum):
    """How strongly a clause binds; the clause's own words stand in ``Rule.wording``."""

    MUST = "must"
    SHOULD = "should"
    ADVISED = "advised"


class ClauseKind(StrEnum):
    CONDUCT = "conduct"
    CONSEQUENCE = "consequence"
    SCOPE = "scope"
    NOTICE = "notice"


class Mode(StrEnum):
    FORBIDS = "forbids"
    REQUIRES = "requires"
    PERMITS = "permits"


@dataclass(frozen=True)
class Clause:
    """One provision. ``locator`` says where it stands in the source (“Personal use, line 42”)."""

    id: str
    section: str
    locator: str
    text: Text
    kind: ClauseKind
    binds: frozenset[str]
    """Role groups (``teaching``, ``support``, ``governor``, ``volunteer``, ``supply``), and
    ``moderator`` and ``school``."""


@dataclass(frozen=True)
class Section:
    """A part of the policy that is read on one page."""

    id: str
    title: Text


@dataclass(frozen=True)
class Approval:
    """Whose permission lifts a prohibition: all or any of some roles, how and when given."""

    all_of: frozenset[str] = frozenset()
    any_of: frozenset[str] = frozenset()
    written: bool = False
    before: bool = True


@dataclass(frozen=True)
class Rule:
    """What a version lays down: it forbids, requires or permits acts of any of its patterns."""

    id: str
    topics: tuple[str, ...]
    clauses: tuple[str, ...]
    mode: Mode
    patterns: tuple[ActPattern, ...]
    force: Force
    wording: str
    """The clause's own words of force: “will not”, “strongly advised”."""
    stated: bool
    """False where the rule is inferred from the clause."""
    binds: frozenset[str]
    when: Condition | None = None
    unless: Condition | None = None
    if_doing: ActPattern | None = None
    """A duty only for an option that does this: a disclaimer when posting an opinion."""
    approval: Approval | None = None
    exception_permits: bool = False
    """A met exception or approval allows the act against other clauses too; else it only lifts
    this rule."""


@dataclass(frozen=True)
class Tension:
    """Clauses that an author found at odds for some facts; ``safer`` is what to do meanwhile."""

    topic: str
    clauses: tuple[str, ...]
    when: Condition | None
    safer: Text


@dataclass(frozen=True)
class Citation:
    """Guidance that a clause names, with the year of the edition it names."""

    name: str
    edition: int
    clause: str


@dataclass(frozen=True)
class PolicyVersion:
    """One dated edition of a school's policy."""

    school_id: str
    number: str
    """``2022-03``: unique within the school, part of the file name."""
    title: Text
    language: str
    approved_by: str
    approved_on: str
    """As precise as the source is: ``2022-03`` or ``2022-10-12``."""
    review_cycles: tuple[str, ...]
    next_review_on: date | None
    source_name: str
    source_sha256: str
    sections: tuple[Section, ...]
    clauses: Mapping[str, Clause]
    rules: tuple[Rule, ...]
    tensions: tuple[Tension, ...]
    cites: tuple[Citation, ...]
    body: bytes = field(repr=False)
    """The version file as canonical JSON (RFC 8785)."""
    sha256: str
    """Of ``body``."""
    path: str = ""
    """The file it was read from, as faults show it."""
    declaration_note: Text = field(default_factory=dict)
    """A sentence above the declaration's tick instead of the school's, or empty."""
    demonstration: bool = False
    """Written to show what a new version does, and not adopted by the school: never in use unless
    a manager opens it, and marked wherever it is shown."""

    def __hash__(self) -> int:
        # What is worked out from a version can be kept by it.
        return hash((self.school_id, self.number, self.sha256))

    @property
    def id(self) -> str:
        return f"{self.school_id}/{self.number}"


@dataclass(frozen=True)
class Role:
    """Somebody a rule or a page names: a title and, for those one reports to, a phone."""

    id: str
    title: Text
    phone: str = ""


@dataclass(frozen=True)
class School:
    """One school, or a federation with several sites; what its pages and rules need to know."""

    id: str
    name: str
    nation: str
    languages: tuple[str, ...]
    sites: tuple[str, ...]
    roles: Mapping[str, Role]
    also: Mapping[str, frozenset[str]]
    """Role to the roles its holder also is: at Hemswell the head is the designated person."""
    report_to: tuple[str, ...]
    """Roles to tell about a child, in order: the first, then the deputies."""
    ask: str
    """The role to ask where the policy does not say."""
    terms: Mapping[str, Text]
    """Statutory names that texts may use beside the roles: ``inspectorate``, ``regulator``."""
    is_example: bool
    declaration_note: Text
    """A sentence above the declaration's tick, or empty."""
    versions: tuple[PolicyVersion, ...]
    """Oldest first, demonstrations among them."""
    document: str
    """File name of the school's own document beside ``school.yaml``, or empty."""
    closed: tuple[str, ...] = ()
    """Faults in the school's own content; a closed school takes no launches and may have no
    versions."""
    trust: str = ""
    """The trust or federation it shares people with: the same word at each of its schools."""
    year_starts: tuple[int, int] = (9, 1)
    """Month and day on which a school year begins."""

    @property
    def policy(self) -> PolicyVersion:
        """The newest version that is no demonstration: in use until a manager opens another.

        Raises ``LookupError`` where there is none; such a school is closed.
        """
        for version in reversed(self.versions):
            if not version.demonstration:
                return version
        raise LookupError(f"{self.id} has no policy")

    def version(self, number: str) -> PolicyVersion | None:
        """The version of that number."""
        return next((one for one in self.versions if one.number == number), None)

    def role(self, name: str) -> Role | None:
        """The role, or the one whose holder is that role also."""
        if name in self.roles:
            return self.roles[name]
        holders = (one for one, roles in self.also.items() if name in roles)
        return next((self.roles[one] for one in holders if one in self.roles), None)
