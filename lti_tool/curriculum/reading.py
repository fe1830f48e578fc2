"""Reads all content once: vocabulary, topics, modules, scenarios and every school."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from lti_tool.curriculum.catalogue import (
    Catalogue,
    Scenario,
    ScenarioOption,
    Topic,
    TrainingModule,
)
from lti_tool.curriculum.check import answer_faults, placeholder_faults, shared_texts
from lti_tool.curriculum.schemas import ModuleSchema, ScenarioSchema, TopicsSchema
from lti_tool.curriculum.schools import keep_good, read_one, read_schools
from lti_tool.policies.case import Agreement, Case, Option
from lti_tool.policies.documents import Fault, read_document, sha256
from lti_tool.policies.vocabulary import Typed, Vocabulary, read_vocabulary

ROOT = Path(__file__).resolve().parents[2]
"""Where the shared ``modules/`` and ``question_bank/`` stand."""


class ContentFaults(Exception):
    """Shared content cannot be used. ``faults`` holds every one, the schools' own among them."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))


def read_catalogue(
    root: Path,
    extra: Path | None = None,
    *,
    shelf: Path | None = None,
    now: datetime | None = None,
) -> Catalogue:
    """All content under ``root``, with the schools under ``extra`` beside or instead of them.

    Raises ``ContentFaults`` for shared content. A school's own fault concerns that school alone:
    it is read as it was last good from ``shelf`` (``Catalogue.kept``), or closed
    (``School.closed`` says why). Given ``now`` as well, every good school is kept there.
    """
    shared: list[Fault] = []
    vocabulary_file = read_document(root / "modules/vocabulary.yaml", root)
    vocabulary = read_vocabulary(vocabulary_file)
    shared += vocabulary_file.faults
    if vocabulary_file.faults:
        raise ContentFaults(shared)  # every word elsewhere would be a fault too
    topics = _read_topics(root, shared)
    modules = _read_modules(root, shared)
    scenarios = _read_scenarios(root, vocabulary, topics, shared)
    texts = shared_texts(topics.values(), modules.values(), scenarios.values())
    shared += placeholder_faults(vocabulary, texts)
    reader = partial(read_one, vocabulary=vocabulary, topics=topics, texts=texts)
    found = read_schools(root, extra, shelf, reader)
    for one in found.good:
        if one.base == root:
            shared += answer_faults(one.school, vocabulary.role_groups, scenarios.values())
    if shared:
        raise ContentFaults([*shared, *found.faults])
    if shelf and now:
        keep_good(shelf, found.good, now=now)
    return Catalogue(
        topics=topics,
        modules=modules,
        schools=found.schools,
        scenarios=scenarios,
        faults=tuple(found.faults),
        role_groups=vocabulary.role_groups,
        kept=found.kept,
        vocabulary=vocabulary,
    )


def _read_topics(root: Path, faults: list[Fault]) -> dict[str, Topic]:
    document = read_document(root / "modules/topics.yaml", root)
    data = document.load(TopicsSchema())
    faults += document.faults
    return {name: Topic(id=name, **one) for name, one in (data or {"topics": {}})["topics"].items()}


def _read_modules(root: Path, faults: list[Fault]) -> dict[str, TrainingModule]:
    found = {}
    for path in sorted((root / "modules").glob("*/module.yaml")):
        document = read_document(path, root)
        data = document.load(ModuleSchema())
        faults += document.faults
        if data:
            found[path.parent.name] = TrainingModule(id=path.parent.name, **data)
    return found


def _read_scenarios(
    root: Path, vocabulary: Vocabulary, topics: Mapping[str, Topic], faults: list[Fault]
) -> dict[str, Scenario]:
    found: dict[str, Scenario] = {}
    for path in sorted((root / "question_bank").rglob("*.yaml")):
        document = read_document(path, root)
        if path.stem in found:
            document.fault(f"{found[path.stem].path} has the same name")
        data = document.load(ScenarioSchema())
        if data:
            scenario = _scenario(path.stem, Typed(document, vocabulary), data, topics)
            found[path.stem] = scenario
        faults += document.faults
    return found


def _scenario(
    name: str, typed: Typed, data: Mapping[str, Any], topics: Mapping[str, Topic]
) -> Scenario:
    typed.among("topic", [data["topic"]], topics, "topic")
    agreements = tuple(Agreement(**one) for one in data["agreements"])
    typed.among("role", [one.role for one in agreements], typed.vocabulary.roles, "agreements")
    options = tuple(
        Option(key, tuple(act for act in _acts(typed, key, one["acts"]) if act))
        for key, one in data["options"].items()
    )
    body = typed.document.canonical()
    return Scenario(
        id=name,
        version=data["version"],
        family=data.get("family", name),
        text=data["text"],
        options=tuple(
            ScenarioOption(key, one["text"], one["why"]) for key, one in data["options"].items()
        ),
        case=Case(data["topic"], typed.facts(data["facts"], "facts"), options, agreements),
        body=body,
        sha256=sha256(body),
        one_wrong=data["one_wrong"],
        path=typed.document.path,
    )


def _acts(typed: Typed, option: str, data: Iterable[Mapping[str, Any]]) -> Iterator[Any]:
    for place, one in enumerate(data):
        yield typed.act(one, "options", option, "acts", place)
