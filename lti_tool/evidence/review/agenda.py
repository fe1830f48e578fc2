"""The agenda for a policy's next review: points, what first answers tell, what was decided."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.core.ledger import canonical
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.points import finding
from lti_tool.curriculum.questions import fill, in_language
from lti_tool.evidence.review.askings import Silence
from lti_tool.evidence.review.keeping import figures
from lti_tool.evidence.review.models import ReviewDecision
from lti_tool.evidence.review.statistics import FEWEST, Favoured, Figure
from lti_tool.evidence.review.words import HEADINGS, silence_words, unclear_words
from lti_tool.policies.policy import Clause, PolicyVersion, School
from lti_tool.policies.resolve import resolve
from lti_tool.ui.format import local

UNCLEAR: Final = "wording-unclear"
SILENT: Final = "silence-met"
LANGUAGE: Final = "en"


@dataclass(frozen=True)
class Point:
    """Something for those who decide on the policy, with the clauses to read and, of a silence,
    the ``cases`` people met. ``decision`` is the latest, if any."""

    key: str
    kind: str
    heading: str
    text: str
    clauses: tuple[Clause, ...] = ()
    topics: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    decision: ReviewDecision | None = None


@dataclass(frozen=True)
class Told:
    """A topic or a clause with its figure; ``name`` is a title or a place in the policy."""

    name: str
    figure: Figure
    favoured: str
    """The favoured wrong option, in words; empty where there is none."""


@dataclass(frozen=True)
class Agenda:
    """All there is for the review of one version."""

    version: PolicyVersion
    points: tuple[Point, ...]
    topics: tuple[Told, ...]
    clauses: tuple[Told, ...]

    @property
    def undecided(self) -> int:
        return sum(one.decision is None for one in self.points)


def agenda(
    session: Session,
    *,
    school: School,
    version: PolicyVersion,
    catalogue: Catalogue,
    now: datetime,
) -> Agenda:
    """The agenda as of now. It holds no name, and no figure of fewer than ten people."""
    told = figures(session, school=school, version=version, catalogue=catalogue)
    of = _Review(school, version, catalogue, told.topics)
    points = [
        *_to_check(of, now),
        *_unclear(of),
        *_silences(of, told.silences),
    ]
    decided = decisions(session, school_id=school.id, number=version.number)
    return Agenda(
        version,
        tuple(_with(one, decided) for one in points),
        tuple(sorted((_told(of, of.title(one), of.topics[one]) for one in of.topics), key=_rank)),
        tuple(
            _told(of, version.clauses[one].locator, told.clauses[one])
            for one in version.clauses
            if one in told.clauses
        ),
    )


def decisions(session: Session, *, school_id: str, number: str) -> dict[str, ReviewDecision]:
    """The latest decision on each point of a version, by the point's key."""
    rows = session.scalars(
        select(ReviewDecision)
        .where(ReviewDecision.school_id == school_id, ReviewDecision.policy_number == number)
        .order_by(ReviewDecision.decided_at, ReviewDecision.id)
    )
    return {one.point: one for one in rows}


@dataclass(frozen=True)
class _Review:
    school: School
    version: PolicyVersion
    catalogue: Catalogue
    topics: Mapping[str, Figure]

    def title(self, topic: str) -> str:
        known = self.catalogue.topics.get(topic)
        return in_language(known.title, LANGUAGE) if known else topic

    def stem(self, scenario: str) -> str:
        known = self.catalogue.scenarios.get(scenario)
        return fill(in_language(known.text, LANGUAGE), self.school, LANGUAGE) if known else ""

    def option(self, favoured: Favoured) -> str:
        """The option as it was shown; empty where the scenario is not any more what was asked."""
        name, digest = favoured.scenario
        known = self.catalogue.scenarios.get(name)
        if known is None or known.sha256 != digest:
            return ""
        texts = [one.text for one in known.options if one.id == favoured.choice]
        return fill(in_language(texts[0], LANGUAGE), self.school, LANGUAGE) if texts else ""

    def grounds(self, favoured: Favoured) -> set[str]:
        """The clauses that the favoured option stands against, for any role group."""
        known = self.catalogue.scenarios.get(favoured.scenario[0])
        if known is None or known.sha256 != favoured.scenario[1]:
            return set()
        return {
            clause
            for group in self.catalogue.role_groups
            for one in resolve(self.version, self.school, group, known.case).judgements
            if one.option_id == favoured.choice
            for why in one.reasons
            for clause in why.clauses
        }

    def clauses(self, names: set[str]) -> tuple[Clause, ...]:
        return tuple(one for name, one in self.version.clauses.items() if name in names)


def _to_check(of: _Review, now: datetime) -> Iterator[Point]:
    today = local(now).date()
    for one in finding.points_of(of.catalogue, of.school, of.version, today=today):
        yield Point(
            key=_key(one.kind.value, one.clauses, one.topics),
            kind=one.kind.value,
            heading=str(finding.HEADINGS[one.kind]),
            text=finding.words(of.catalogue, of.version, one, LANGUAGE),
            clauses=of.clauses(set(one.clauses)),
            topics=one.topics,
        )


def _unclear(of: _Review) -> Iterator[Point]:
    for topic in sorted(of.topics):
        found = of.topics[topic]
        if found.favoured is None or not found.is_unclear:
            continue
        clauses = of.clauses(of.grounds(found.favoured))
        yield Point(
            key=_key(UNCLEAR, (), (topic,)),
            kind=UNCLEAR,
            heading=str(HEADINGS[UNCLEAR]),
            text=unclear_words(of.title(topic), found, of.option(found.favoured)),
            clauses=clauses,
            topics=(topic,),
        )


def _silences(of: _Review, silences: Sequence[Silence]) -> Iterator[Point]:
    for one in silences:
        yield Point(
            key=_key(SILENT, (), (one.topic,)),
            kind=SILENT,
            heading=str(HEADINGS[SILENT]),
            text=silence_words(of.title(one.topic), one.people // FEWEST * FEWEST),
            topics=(one.topic,),
            cases=tuple(stem for name in one.scenarios if (stem := of.stem(name))),
        )


def _told(of: _Review, name: str, found: Figure) -> Told:
    return Told(name, found, of.option(found.favoured) if found.favoured else "")


def _rank(one: Told) -> tuple[int, str]:
    """What was least known comes first."""
    return one.figure.share, one.name


def _with(point: Point, decided: Mapping[str, ReviewDecision]) -> Point:
    return Point(**{**vars(point), "decision": decided.get(point.key)})


def _key(kind: str, clauses: Sequence[str], topics: Sequence[str]) -> str:
    """The same for the same point, however often it is found."""
    said = canonical({"kind": kind, "clauses": list(clauses), "topics": list(topics)})
    return hashlib.sha256(said).hexdigest()[:32]
