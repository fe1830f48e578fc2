"""Reads a school's folder: ``school.yaml`` and a ``policy-<YYYY-MM>.yaml`` for each version."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lti_tool.policies.documents import Document, Fault, parse_document, read_bytes, sha256
from lti_tool.policies.policy import (
    Approval,
    Citation,
    Clause,
    Mode,
    PolicyVersion,
    Role,
    Rule,
    School,
    Section,
    Tension,
)
from lti_tool.policies.schemas import PolicySchema, SchoolSchema
from lti_tool.policies.vocabulary import Typed, Vocabulary

VERSION_FILE = re.compile(r"policy-(\d{4}-\d{2}(?:-\d{2})?)\.yaml")


@dataclass(frozen=True)
class SchoolFiles:
    """A school's files, read before they are judged, so that what was found good can be kept."""

    slug: str
    at: str
    """The folder, as faults show it."""
    texts: Mapping[str, bytes | OSError]
    """Every YAML file by its name, or why it cannot be read."""
    names: frozenset[str]
    """Every file there is."""


def read_folder(folder: Path, root: Path) -> SchoolFiles:
    """The files of a school's folder; faults are told from ``root``."""
    found = sorted(folder.iterdir())
    return SchoolFiles(
        slug=folder.name,
        at=folder.relative_to(root).as_posix(),
        texts={path.name: read_bytes(path) for path in found if path.suffix == ".yaml"},
        names=frozenset(path.name for path in found if path.is_file()),
    )


def read_school(
    files: SchoolFiles, vocabulary: Vocabulary, topics: Collection[str]
) -> tuple[School, Document]:
    """A school with every version that could be read, and its ``school.yaml`` with the faults of
    all its files. ``topics`` are the known topic ids.
    """
    missing = FileNotFoundError("it is missing")
    document = parse_document(files.texts.get("school.yaml", missing), f"{files.at}/school.yaml")
    typed = Typed(document, vocabulary)
    data = document.load(SchoolSchema())
    if data:
        _check_school(typed, data)
    versions = []
    for name in sorted(files.texts):
        if not name.startswith("policy-"):
            continue
        version, faults = _read_version(files, name, vocabulary, topics)
        document.faults.extend(faults)
        if version:
            versions.append(version)
    if all(version.demonstration for version in versions) and not document.faults:
        document.fault("has no policy: a policy-<YYYY-MM>.yaml beside it that is no demonstration")
    if data and data["document"] and data["document"] not in files.names:
        document.fault(f"the document “{data['document']}” is missing", "document")
    return _school(files.slug, data, tuple(versions)), document


def _check_school(typed: Typed, data: Mapping[str, Any]) -> None:
    known = typed.vocabulary.roles
    held = set(data["roles"]).union(*data["also"].values())
    typed.among("role", data["roles"], known, "roles")
    for role, others in data["also"].items():
        typed.among("role", [role], data["roles"], "also", role)
        typed.among("role", others, known, "also", role)
    typed.among("role of this school", data["report_to"], held, "report_to")
    typed.among("role of this school", [data["ask"]], held, "ask")
    typed.among("term", data["terms"], typed.vocabulary.terms, "terms")


def _school(
    slug: str, data: Mapping[str, Any] | None, versions: tuple[PolicyVersion, ...]
) -> School:
    found = data or {}
    return School(
        id=slug,
        name=found.get("name", slug),
        nation=found.get("nation", "england"),
        languages=tuple(found.get("languages", ["en"])),
        sites=tuple(found.get("sites", [])),
        roles={
            name: Role(name, one["title"], one["phone"])
            for name, one in found.get("roles", {}).items()
        },
        also={name: frozenset(roles) for name, roles in found.get("also", {}).items()},
        report_to=tuple(found.get("report_to", [])),
        ask=found.get("ask", ""),
        terms=found.get("terms", {}),
        is_example=found.get("example", False),
        declaration_note=found.get("declaration_note", {}),
        versions=versions,
        document=found.get("document", ""),
        trust=found.get("trust", ""),
        year_starts=_month_and_day(found.get("year_starts", "09-01")),
    )


def _month_and_day(written: str) -> tuple[int, int]:
    month, day = written.split("-")
    return int(month), int(day)


def _read_version(
    files: SchoolFiles, name: str, vocabulary: Vocabulary, topics: Collection[str]
) -> tuple[PolicyVersion | None, list[Fault]]:
    document = parse_document(files.texts[name], f"{files.at}/{name}")
    named = VERSION_FILE.fullmatch(name)
    if not named:
        document.fault("the file must be named policy-<YYYY-MM>.yaml")
        return None, document.faults
    return _version(document, files.slug, named[1], vocabulary, topics), document.faults


def read_again(
    body: bytes, *, school_id: str, number: str, vocabulary: Vocabulary, topics: Collection[str]
) -> PolicyVersion | None:
    """A version from its canonical body, as it was kept. None where its words are no longer in
    the vocabulary. Sections and clauses come in the order of their ids, as the body has them."""
    return _version(Document(number, json.loads(body)), school_id, number, vocabulary, topics)


def _version(
    document: Document, slug: str, number: str, vocabulary: Vocabulary, topics: Collection[str]
) -> PolicyVersion | None:
    data = document.load(PolicySchema())
    if data is None:
        return None
    typed = Typed(document, vocabulary)
    clauses = _clauses(typed, data)
    rules = tuple(_rule(typed, rule, one, clauses) for rule, one in data["rules"].items())
    for rule, one in data["rules"].items():
        typed.among("topic", one["topics"], topics, "rules", rule, "topics")
    tensions = tuple(
        _tension(typed, one, place, clauses, topics) for place, one in enumerate(data["tensions"])
    )
    for place, one in enumerate(data["cites"]):
        typed.among("clause", [one["clause"]], clauses, "cites", place)
    if document.faults:
        return None
    body = document.canonical()
    return PolicyVersion(
        school_id=slug,
        number=number,
        title=data["title"],
        language=data["language"],
        approved_by=data["approved"]["by"],
        approved_on=data["approved"]["on"],
        review_cycles=tuple(data["review"]["cycles"]),
        next_review_on=data["review"]["next"],
        source_name=data["source"]["name"],
        source_sha256=data["source"]["sha256"],
        sections=tuple(Section(key, one["title"]) for key, one in data["sections"].items()),
        clauses=clauses,
        rules=rules,
        tensions=tensions,
        cites=tuple(Citation(**one) for one in data["cites"]),
        body=body,
        sha256=sha256(body),
        path=document.path,
        declaration_note=data["declaration_note"],
        demonstration=data["demonstration"],
    )


def _clauses(typed: Typed, data: Mapping[str, Any]) -> dict[str, Clause]:
    found: dict[str, Clause] = {}
    groups = typed.vocabulary.groups
    typed.among("role group", data["binds"], groups, "binds")
    for section, inner in data["sections"].items():
        for name, one in inner["clauses"].items():
            keys = ("sections", section, "clauses", name)
            if name in found:
                typed.document.fault(f"the clause “{name}” stands here twice", *keys)
            typed.among("role group", one["binds"], groups, *keys, "binds")
            binds = frozenset(one["binds"] or data["binds"])
            found[name] = Clause(name, section, one["at"], one["text"], one["kind"], binds)
    return found


def _rule(typed: Typed, name: str, data: Mapping[str, Any], clauses: Mapping[str, Clause]) -> Rule:
    keys = ("rules", name)
    mode = next(mode for mode in Mode if mode in data)
    typed.among("clause", data["clauses"], clauses, *keys, "clauses")
    typed.among("role group", data["binds"], typed.vocabulary.groups, *keys, "binds")
    known = [clauses[one] for one in data["clauses"] if one in clauses]
    approval = data["approval"]
    if approval:
        named = (*approval["all_of"], *approval["any_of"])
        typed.among("role", named, typed.vocabulary.roles, *keys, "approval")
    if_doing = data["if_doing"]
    return Rule(
        id=name,
        topics=tuple(data["topics"]),
        clauses=tuple(data["clauses"]),
        mode=mode,
        patterns=typed.patterns(data[mode], *keys, mode.value),
        force=data["force"],
        wording=data["wording"],
        stated=data["basis"] == "stated",
        binds=frozenset(data["binds"]).union(*(() if data["binds"] else (c.binds for c in known))),
        when=typed.condition(data["when"], *keys, "when") if data["when"] is not None else None,
        unless=typed.condition(data["unless"], *keys, "unless")
        if data["unless"] is not None
        else None,
        if_doing=typed.pattern(if_doing, *keys, "if_doing") if if_doing is not None else None,
        approval=_approval(approval) if approval else None,
        exception_permits=data["exception"] == "permits",
    )


def _approval(data: Mapping[str, Any]) -> Approval:
    return Approval(
        all_of=frozenset(data["all_of"]),
        any_of=frozenset(data["any_of"]),
        written=data["written"],
        before=data["before"],
    )


def _tension(
    typed: Typed,
    data: Mapping[str, Any],
    place: int,
    clauses: Mapping[str, Clause],
    topics: Collection[str],
) -> Tension:
    keys = ("tensions", place)
    typed.among("topic", [data["topic"]], topics, *keys, "topic")
    typed.among("clause", data["clauses"], clauses, *keys, "clauses")
    when = typed.condition(data["when"], *keys, "when") if data["when"] is not None else None
    return Tension(data["topic"], tuple(data["clauses"]), when, data["safer"])
