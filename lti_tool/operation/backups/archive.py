"""The file of a backup: written whole or not at all, read only when it is as it was written."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

WHAT: Final = "clauseway-backup"
FORMAT: Final = 1
MANIFEST: Final = "backup.json"
CHUNK: Final = 1024 * 1024


class BackupError(Exception):
    """Why there is no backup, or why nothing was restored, in a sentence."""


class Writer:
    """Takes files in, and notes the SHA-256 of each."""

    def __init__(self, whole: ZipFile) -> None:
        self._whole = whole
        self._files: dict[str, str] = {}

    @contextmanager
    def member(self, name: str) -> Iterator[Callable[[bytes], object]]:
        """What writes to one file."""
        digest = hashlib.sha256()
        with self._whole.open(name, "w", force_zip64=True) as sink:

            def write(part: bytes) -> None:
                digest.update(part)
                sink.write(part)

            yield write
        self._files[name] = digest.hexdigest()

    def add(self, name: str, path: Path) -> None:
        """A file as it lies on the disk."""
        with path.open("rb") as source, self.member(name) as write:
            while part := source.read(CHUNK):
                write(part)

    def finish(self, facts: Mapping[str, Any]) -> None:
        """Say what is in it."""
        said = {"what": WHAT, "format": FORMAT, **facts, "files": self._files}
        self._whole.writestr(MANIFEST, json.dumps(said, indent=1))


@contextmanager
def written(path: Path) -> Iterator[Writer]:
    """A new file that only its owner can read. Raises ``BackupError`` where there is one already.

    It has another name until all of it is on the disk.
    """
    part = path.with_name(path.name + ".part")
    if path.exists():
        raise BackupError(f"{path} is there already, and no backup is written over")
    try:
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as fault:
        raise BackupError(f"{part} is there: another backup is under way, or died") from fault
    except OSError as fault:
        raise BackupError(f"{path} cannot be written: {fault.strerror}") from fault
    try:
        with os.fdopen(handle, "w+b") as file:
            with ZipFile(file, "w", ZIP_DEFLATED) as whole:
                yield Writer(whole)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


class Backup:
    """A backup that was read and is as it was written."""

    def __init__(self, whole: ZipFile, said: Mapping[str, Any]) -> None:
        self._whole = whole
        self.kind: str = said["kind"]
        """sqlite or postgresql."""
        self.revision: str = said["revision"]
        self.made_at: str = said["made_at"]
        self.tables: list[dict[str, Any]] = said.get("tables", [])
        """Of PostgreSQL: name and columns of each, in the order in which they can be filled."""
        self.names: list[str] = list(said["files"])

    def open(self, name: str) -> IO[bytes]:
        """One file."""
        return self._whole.open(name)

    def extract(self, name: str, path: Path) -> None:
        """One file onto the disk, for its owner alone."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as sink, self.open(name) as source:
            shutil.copyfileobj(source, sink, CHUNK)
            sink.flush()
            os.fsync(sink.fileno())


@contextmanager
def opened(path: Path) -> Iterator[Backup]:
    """The backup in a file. Raises ``BackupError`` unless it is whole."""
    try:
        with ZipFile(path) as whole:
            said = json.loads(whole.read(MANIFEST))
            if said["what"] != WHAT or said["format"] != FORMAT:
                raise BackupError(f"{path} is of another kind, or of a newer Clauseway")
            for name, digest in said["files"].items():
                _must_hold(whole, name, digest)
            yield Backup(whole, said)
    except (BadZipFile, KeyError, ValueError, EOFError) as fault:
        raise BackupError(f"{path} is no backup, or was damaged") from fault


def _must_hold(whole: ZipFile, name: str, digest: str) -> None:
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts:
        raise BackupError(f"{name} would lie outside the installation")
    with whole.open(name) as source:
        if hashlib.file_digest(source, "sha256").hexdigest() != digest:  # type: ignore[arg-type]
            raise BackupError(f"{name} was damaged or altered")
