"""Reads what was asked first, of whom the school counts, under one version of its policy."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.evidence.review.statistics import Asking
from lti_tool.people.models import Membership, Person
from lti_tool.policies.policy import PolicyVersion, School
from lti_tool.policies.resolve import State, Verdict, resolve
from lti_tool.training.models import Journey, Question

Clauses = Callable[[str, str, str], frozenset[str]]


@dataclass(frozen=True)
class Silence:
    """A topic on which people were asked what the policy does not say: how many, and in which
    scenarios."""

    topic: str
    people: int
    scenarios: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """All that was asked first and answered; silences in the order of their topics."""

    askings: Sequence[Asking]
    silences: Sequence[Silence]


def read(
    session: Session, *, school: School, version: PolicyVersion, catalogue: Catalogue
) -> Asked:
    """What people were asked first under a version. Persons who are one count once, by their
    earliest answer; people the school does not count as its own are not among them."""
    root = func.coalesce(Person.one_with, Person.id)
    rows = session.execute(
        select(
            root.label("person"),
            Question.topic,
            Question.scenario,
            Question.scenario_sha256,
            Question.state,
            Question.choice,
            Question.sureness,
            Question.verdict,
            Journey.role_group,
        )
        .join(Journey, Journey.id == Question.journey_id)
        .join(Person, Person.id == Journey.person_id)
        .join(Membership, (Membership.person_id == root) & (Membership.school_id == school.id))
        .where(
            Question.school_id == school.id,
            Journey.school_id == school.id,
            Journey.policy_number == version.number,
            Question.answered_at.is_not(None),
            Membership.confirmed_at.is_not(None),
        )
        .order_by(Question.answered_at, Question.position, Question.id)
    ).all()
    firsts: dict[tuple[UUID, str], Asking] = {}
    clauses = _clauses(school, version, catalogue)
    for row in rows:
        if row.state == State.SETTLED:
            firsts.setdefault((row.person, row.topic), _asking(row, clauses))
    return Asked(_with_rest(firsts.values()), _silences(rows))


def _asking(row: Any, clauses: Clauses) -> Asking:
    return Asking(
        person=row.person,
        topic=row.topic,
        scenario=(row.scenario, row.scenario_sha256),
        choice=row.choice,
        is_right=row.verdict == Verdict.RIGHT,
        is_sure=row.sureness == "sure",
        clauses=clauses(row.scenario, row.scenario_sha256, row.role_group),
    )


def _clauses(school: School, version: PolicyVersion, catalogue: Catalogue) -> Clauses:
    """Which clauses the answers to a scenario rest on, as a role group reads it; none where the
    scenario is not any more what was asked."""
    known: dict[tuple[str, str, str], frozenset[str]] = {}

    def clauses(scenario_id: str, digest: str, role_group: str) -> frozenset[str]:
        key = (scenario_id, digest, role_group)
        if key not in known:
            scenario = catalogue.scenarios.get(scenario_id)
            known[key] = frozenset()
            if scenario is not None and scenario.sha256 == digest:
                judged = resolve(version, school, role_group, scenario.case).judgements
                known[key] = frozenset(
                    clause for one in judged for why in one.reasons for clause in why.clauses
                )
        return known[key]

    return clauses


def _with_rest(askings: Iterable[Asking]) -> list[Asking]:
    every = list(askings)
    whose: dict[UUID, list[bool]] = defaultdict(list)
    for one in every:
        whose[one.person].append(one.is_right)
    return [
        replace(one, rest=(sum(rights) - one.is_right) / (len(rights) - 1))
        if len(rights := whose[one.person]) > 1
        else one
        for one in every
    ]


def _silences(rows: Iterable[Any]) -> list[Silence]:
    people: dict[str, set[UUID]] = defaultdict(set)
    scenarios: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.state == State.SILENT:
            people[row.topic].add(row.person)
            scenarios[row.topic].add(row.scenario)
    return [
        Silence(topic, len(people[topic]), tuple(sorted(scenarios[topic])))
        for topic in sorted(people)
    ]
