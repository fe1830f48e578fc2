"""What no single file can show: placeholders, languages, and answers at each school."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from lti_tool.curriculum.catalogue import Catalogue, Scenario, Topic, TrainingModule
from lti_tool.curriculum.questions import answer_key, can_be_scored, letters, named, placeholders
from lti_tool.policies.documents import Document, Fault
from lti_tool.policies.policy import School, Text
from lti_tool.policies.resolve import State
from lti_tool.policies.vocabulary import Vocabulary

Shared = Mapping[str, tuple[Text, ...]]
"""The texts of each shared file, by its path."""


def shared_texts(
    topics: Iterable[Topic], modules: Iterable[TrainingModule], scenarios: Iterable[Scenario]
) -> Shared:
    """Every text that all schools show."""
    return {
        "modules/topics.yaml": tuple(text for one in topics for text in (one.title, one.why)),
        **{f"modules/{one.id}/module.yaml": (one.title, one.about) for one in modules},
        **{one.path: tuple(_texts(one)) for one in scenarios},
    }


def _texts(scenario: Scenario) -> Iterator[Text]:
    yield scenario.text
    for option in scenario.options:
        yield from (option.text, option.why)


def placeholder_faults(vocabulary: Vocabulary, shared: Shared) -> Iterator[Fault]:
    """Placeholders that are neither a role nor a term."""
    for path, texts in shared.items():
        for name in sorted(placeholders(texts) - vocabulary.roles - vocabulary.terms):
            yield Fault(path, 1, f"the placeholder {{{name}}} is no role and no term")


def check_school(school: School, document: Document, shared: Shared) -> None:
    """Note in the school's document what shared texts need and the school lacks."""
    for name in sorted({name for texts in shared.values() for name in placeholders(texts)}):
        if named(school, name) is None:
            where = next(path for path, texts in shared.items() if name in placeholders(texts))
            document.fault(f"“{name}” is missing, which {where} names", "roles")
    own = [role.title for role in school.roles.values()]
    every = {**shared, "its own roles": tuple(own)}
    for language in school.languages:
        lacking = [
            path for path, texts in every.items() if any(language not in text for text in texts)
        ]
        if lacking:
            document.fault(
                f"requires “{language}”, which is missing in {', '.join(lacking)}", "languages"
            )


def answer_faults(
    school: School, role_groups: Iterable[str], scenarios: Iterable[Scenario]
) -> Iterator[Fault]:
    """Settled scenarios that cannot be asked at a school: nothing right, or too little wrong.

    Its newest policy is asked, and every demonstration, since a manager may open one.
    """
    versions = [one for one in school.versions if one.demonstration or one is school.policy]
    groups = tuple(role_groups)
    for scenario, version in product(scenarios, versions):
        wrong_at_least = 1 if scenario.one_wrong else 2
        weak = []
        for group in groups:
            resolution = answer_key(school, group, scenario, version=version)
            if resolution.state is State.SETTLED and not can_be_scored(
                resolution, wrong_at_least=wrong_at_least
            ):
                weak.append(f"{group} {letters(resolution)}")
        if weak:
            where = version.id if version.demonstration else school.id
            message = f"at {where} needs a right option and {wrong_at_least} not right: "
            yield Fault(scenario.path, 1, message + ", ".join(weak))


def table(catalogue: Catalogue, role_group: str = "teaching") -> str:
    """School × (scenarios settled, silent, conflict; topics covered), for one role group."""
    width = max(map(len, catalogue.schools), default=0)
    head = f"{'school':<{width}}  settled  silent  conflict  topics covered"
    lines = [head]
    for school in catalogue.schools.values():
        if school.closed:
            lines.append(f"{school.id:<{width}}  closed: {len(school.closed)} faults")
            continue
        keys = [(one, answer_key(school, role_group, one)) for one in catalogue.scenarios.values()]
        states = Counter(key.state for _one, key in keys)
        covered = {one.topic for one, key in keys if key.state is State.SETTLED}
        lines.append(
            f"{school.id:<{width}}  {states[State.SETTLED]:7}  {states[State.SILENT]:6}"
            f"  {states[State.CONFLICT]:8}  {len(covered):6} of {len(catalogue.topics)}"
            + ("  as kept" if school.id in catalogue.kept else "")
        )
    return "\n".join(lines)


def served_as_kept(catalogue: Catalogue) -> Iterator[str]:
    """A line for each school that is served as it was last good, though its files are not."""
    for slug, kept in catalogue.kept.items():
        yield (
            f"{slug}: its files are at fault, so the tool serves them as they were kept on"
            f" {kept.since:%Y-%m-%d at %H:%M} UTC"
        )
