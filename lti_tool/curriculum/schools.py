"""Reads every school: as its files are, else as it was last good, else closed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from lti_tool.curriculum.catalogue import Kept, Topic
from lti_tool.curriculum.check import Shared, check_school
from lti_tool.curriculum.kept import KeptError, keep_school, read_kept
from lti_tool.policies.documents import Fault, read_bytes
from lti_tool.policies.policy import School
from lti_tool.policies.reading import SchoolFiles, read_folder, read_school
from lti_tool.policies.vocabulary import Vocabulary

Reader = Callable[[SchoolFiles], tuple[School, list[Fault]]]


@dataclass(frozen=True)
class Good:
    """A school whose files have no fault, with the root they were found under."""

    school: School
    files: SchoolFiles
    folder: Path
    base: Path


@dataclass
class Schools:
    """What was found in the schools' folders."""

    schools: dict[str, School] = field(default_factory=dict)
    kept: dict[str, Kept] = field(default_factory=dict)
    good: list[Good] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_schools(root: Path, extra: Path | None, shelf: Path | None, read: Reader) -> Schools:
    """The schools under ``root``, with those under ``extra`` beside or instead of them; one at
    fault as it was kept on ``shelf``, if it was."""
    found = Schools()
    for folder, base in _folders(root, extra):
        files = read_folder(folder, base)
        school, faults = read(files)
        if not faults:
            found.good.append(Good(school, files, folder, base))
        elif shelf:
            school, faults, kept = _last_good(shelf, school, faults, read)
            found.kept |= kept
        found.schools[school.id] = school
        found.faults += faults
    return found


def read_one(
    files: SchoolFiles, *, vocabulary: Vocabulary, topics: Mapping[str, Topic], texts: Shared
) -> tuple[School, list[Fault]]:
    """One school from its files, closed where they have faults, and these."""
    school, document = read_school(files, vocabulary, topics)
    if school.roles:  # else school.yaml could not be read, and says so
        check_school(school, document, texts)
    faults = sorted(document.faults)
    return _closed(school, faults), faults


def keep_good(shelf: Path, good: Iterable[Good], *, now: datetime) -> None:
    """Keep every good school, with its own document."""
    for one in good:
        files = {name: body for name, body in one.files.texts.items() if isinstance(body, bytes)}
        if one.school.document:
            document = read_bytes(one.folder / one.school.document)
            if isinstance(document, OSError):
                continue  # gone since it was looked for: good no more
            files[one.school.document] = document
        keep_school(shelf, one.school.id, files, now=now)


def _last_good(
    shelf: Path, school: School, faults: list[Fault], read: Reader
) -> tuple[School, list[Fault], dict[str, Kept]]:
    """The school from its kept copy, by the same readers, so that a copy which no longer fits the
    shared content or the program closes it and says why.

    The questions are today's: one that the kept policy cannot score is not asked at that school.
    """
    at = f"{shelf.name}/{school.id}.zip"
    try:
        copy = read_kept(shelf, school.id)
    except KeptError as error:
        faults = [*faults, Fault(at, 1, str(error))]
        return _closed(school, faults), faults, {}
    if copy is None:
        return school, faults, {}
    files = SchoolFiles(school.id, at, copy.files, frozenset(copy.files))
    again, old_faults = read(files)
    if old_faults:
        faults = [*faults, *old_faults]
        return _closed(school, faults), faults, {}
    return again, faults, {school.id: replace(copy, faults=school.closed)}


def _closed(school: School, faults: Iterable[Fault]) -> School:
    return replace(school, closed=tuple(str(fault) for fault in faults))


def _folders(root: Path, extra: Path | None) -> Iterator[tuple[Path, Path]]:
    """Each school's folder with the root its faults are told from; ``extra`` wins.

    A folder with a policy alone is a school at fault, not no school.
    """
    found = {
        path.parent.name: (path.parent, base)
        for base in (root, extra)
        if base
        for path in sorted((base / "modules/schools").glob("*/*.yaml"))
    }
    yield from (found[name] for name in sorted(found))
