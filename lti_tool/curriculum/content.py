"""Keeps every policy version and scenario that a record names, and sees them change."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from lti_tool.core.database import insert_missing
from lti_tool.curriculum.catalogue import Catalogue, Scenario
from lti_tool.curriculum.models import Content
from lti_tool.policies.documents import Fault, sha256
from lti_tool.policies.policy import PolicyVersion, School
from lti_tool.policies.reading import read_again

KNOWN: Final = select(Content.hash).where(Content.hash.in_(bindparam("hashes", expanding=True)))


def keep(session: Session, *, kind: str, ref: str, number: str, body: bytes, now: datetime) -> str:
    """Store content by its hash at first use; returns the hash."""
    digest = sha256(body)
    row = insert_missing(session, Content).values(
        hash=digest, kind=kind, ref=ref, number=number, body=body, first_used_at=now
    )
    session.execute(row)
    return digest


def keep_scenarios(session: Session, scenarios: Iterable[Scenario], *, now: datetime) -> None:
    """Store those that are not there yet, which hardly ever is any."""
    wanted = {one.sha256: one for one in scenarios}
    there = set(session.scalars(KNOWN, {"hashes": list(wanted)}))
    for digest, one in wanted.items():
        if digest not in there:
            number = str(one.version)
            keep(session, kind="scenario", ref=one.id, number=number, body=one.body, now=now)


def version_of(
    session: Session, catalogue: Catalogue, *, school: School, number: str, digest: str
) -> PolicyVersion | None:
    """A version that a record names, from its file or else as it was kept; None where neither
    can be read any more."""
    for version in school.versions:
        if version.sha256 == digest:
            return version
    kept = session.get(Content, digest)
    if kept is None:
        return None
    return read_again(
        kept.body,
        school_id=school.id,
        number=number,
        vocabulary=catalogue.vocabulary,
        topics=catalogue.topics,
    )


def changed_since_use(session: Session, catalogue: Catalogue) -> list[Fault]:
    """Versions and scenarios that a record names and whose files now say something else under
    the same number."""
    used: dict[tuple[str, str, str], set[str]] = {}
    for row in session.execute(select(Content.kind, Content.ref, Content.number, Content.hash)):
        used.setdefault((row.kind, row.ref, row.number), set()).add(row.hash)
    return sorted(_changed(used, _present(catalogue)))


def _present(catalogue: Catalogue) -> Iterator[tuple[tuple[str, str, str], str, str]]:
    for school in catalogue.schools.values():
        for version in school.versions:
            yield ("policy", version.id, version.number), version.sha256, version.path
    for one in catalogue.scenarios.values():
        yield ("scenario", one.id, str(one.version)), one.sha256, one.path


def _changed(
    used: dict[tuple[str, str, str], set[str]],
    present: Iterable[tuple[tuple[str, str, str], str, str]],
) -> Iterator[Fault]:
    for key, digest, path in present:
        if key in used and digest not in used[key]:
            advice = (
                "raise “version”" if key[0] == "scenario" else "write a new policy-<YYYY-MM>.yaml"
            )
            yield Fault(path, 1, f"a record names this {key[0]} as it was before: {advice}")
