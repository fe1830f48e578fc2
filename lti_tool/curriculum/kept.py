"""Keeps each school as it was last good, for the day its files turn bad.

One file a school, ``<shelf>/<slug>.zip``, mode 600: what it holds can be unpacked into the
school's folder again, and every entry has a checksum. Its comment is when it was first read so.
"""

import io
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from zipfile import BadZipFile, ZipFile, ZipInfo

from lti_tool.curriculum.catalogue import Kept

log = logging.getLogger(__name__)


class KeptError(Exception):
    """A kept copy is there and cannot be read; says why."""


def shelf(instance: Path) -> Path:
    """Where an installation keeps its schools."""
    return instance / "kept"


def path_on(shelf: Path, slug: str) -> Path:
    """Where a school's copy stands."""
    return shelf / f"{slug}.zip"


def read_kept(shelf: Path, slug: str) -> Kept | None:
    """A school as it was last good; None where it never was. Raises ``KeptError``."""
    try:
        with ZipFile(io.BytesIO(path_on(shelf, slug).read_bytes())) as copy:
            files = {name: copy.read(name) for name in copy.namelist()}
            return Kept(datetime.fromisoformat(copy.comment.decode()), files)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RuntimeError, BadZipFile) as error:
        raise KeptError(f"cannot be read: {error}") from error


def keep_school(shelf: Path, slug: str, files: Mapping[str, bytes], *, now: datetime) -> None:
    """Keep these files as the last good ones, unless they are kept already.

    Whoever reads meanwhile finds the old copy or the new one, whole. A disk that takes nothing
    is told in the log and stops no start.
    """
    with suppress(KeptError):  # what cannot be read is written anew
        kept = read_kept(shelf, slug)
        if kept and kept.files == files:
            return
    try:
        _write(path_on(shelf, slug), files, now)
    except OSError:
        log.warning("a good school could not be kept", extra={"school": slug}, exc_info=True)


def _write(path: Path, files: Mapping[str, bytes], now: datetime) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, delete=False) as file:  # mode 600 by itself
        try:
            with ZipFile(file, "w") as copy:
                for name, body in sorted(files.items()):
                    copy.writestr(ZipInfo(name, now.timetuple()[:6]), body)
                copy.comment = now.isoformat().encode()
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
