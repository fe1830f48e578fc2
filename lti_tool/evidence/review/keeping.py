"""What first answers under a version come to: worked out anew while they are there, and kept as it
was from when a retention period takes the first of them. What is kept holds nobody's answers, but
counts of ten people or more, as they were shown all along."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.evidence.review.askings import Silence, read
from lti_tool.evidence.review.models import ReviewFigures
from lti_tool.evidence.review.statistics import (
    FEWEST,
    Favoured,
    Figure,
    by_clause,
    by_topic,
    figure,
)
from lti_tool.policies.policy import PolicyVersion, School
from lti_tool.training.cycles.versions import in_use


@dataclass(frozen=True)
class Figures:
    """By topic, by clause in the policy's order, and the silences that people met."""

    topics: Mapping[str, Figure]
    clauses: Mapping[str, Figure]
    silences: Sequence[Silence]


def figures(
    session: Session, *, school: School, version: PolicyVersion, catalogue: Catalogue
) -> Figures:
    """What is kept of a version; of one of which nothing was disposed of, what is there."""
    kept = session.get(ReviewFigures, (school.id, version.number))
    if kept is not None:
        return _read(kept.figures)
    asked = read(session, school=school, version=version, catalogue=catalogue)
    groups = by_topic(asked.askings)
    clauses = by_clause(asked.askings, version.clauses, groups)
    return Figures(
        {topic: figure(group) for topic, group in groups.items()},
        {clause: figure(group) for clause, group in clauses.items()},
        asked.silences,
    )


def keep(
    session: Session, *, school: School, number: str, catalogue: Catalogue, now: datetime
) -> None:
    """Keep a version's figures as they are, before the first of its answers go.

    Not of the version in use: more answers come, and its figures are of whoever is there.
    """
    version = school.version(number)
    if version is None or in_use(session, school).number == number:
        return
    if session.get(ReviewFigures, (school.id, number)) is not None:
        return
    found = figures(session, school=school, version=version, catalogue=catalogue)
    kept = asdict(found)
    for one in kept["silences"]:
        one["people"] = one["people"] // FEWEST * FEWEST
    session.add(ReviewFigures(school_id=school.id, policy_number=number, kept_at=now, figures=kept))
    session.flush()


def _read(kept: Mapping[str, Any]) -> Figures:
    return Figures(
        {topic: _figure(one) for topic, one in kept["topics"].items()},
        {clause: _figure(one) for clause, one in kept["clauses"].items()},
        [Silence(one["topic"], one["people"], tuple(one["scenarios"])) for one in kept["silences"]],
    )


def _figure(kept: Mapping[str, Any]) -> Figure:
    favoured = kept["favoured"]
    return Figure(
        **{
            **kept,
            "favoured": Favoured(tuple(favoured["scenario"]), favoured["choice"])
            if favoured
            else None,
        }
    )
