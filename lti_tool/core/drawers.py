"""Files that belong to the installation and not to one machine: keys, and packs of evidence.

They lie in folders of ``instance/``. Where several machines serve one installation, each would
have its own, so with ``CLAUSEWAY_SECRET`` set they lie in the database instead, sealed with a key
that is derived from it (AES-256-GCM): whoever has the database alone can sign as nobody.
"""

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import LargeBinary, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.config import Config
from lti_tool.core.database import Database, Table, UtcDateTime, insert_missing
from lti_tool.core.secret import derived_secret, write_private

NONCE_BYTES: Final = 12
PURPOSE: Final = "drawers"
SHARED: Final = ("keys", "evidence-keys", "packs")


class SealedError(Exception):
    """What lies in the database was sealed with another secret, or was altered."""


class DrawerItem(Table):
    """One file, sealed."""

    __tablename__ = "drawer_item"

    drawer: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    put_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Drawer(Protocol):
    """Some files of one kind."""

    def names(self, ending: str) -> Sequence[str]:
        """The names that end so, in order."""

    def read(self, name: str) -> bytes | None:
        """A file; nothing where it is not there, or not any more."""

    def put(self, name: str, content: bytes) -> None:
        """Lay a new file in, whole. One that is there under the name stays."""

    def remove(self, name: str) -> None:
        """Take a file away, if it is there."""


@dataclass(frozen=True)
class Folder:
    """On this machine's disk, for the owner alone."""

    path: Path

    def names(self, ending: str) -> list[str]:
        return sorted(path.name for path in self.path.glob(f"*{ending}"))

    def read(self, name: str) -> bytes | None:
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, name: str, content: bytes) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Under another name first: nobody may read half a file.
        part = self.path / f"{name}.{secrets.token_hex(4)}.new"
        write_private(part, content)
        if (self.path / name).exists():
            part.unlink()
        else:
            os.replace(part, self.path / name)

    def remove(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)


@dataclass(frozen=True)
class Rows:
    """In the database that all machines share."""

    database: Database
    drawer: str
    key: bytes = field(repr=False)

    def names(self, ending: str) -> list[str]:
        asked = select(DrawerItem.name).where(
            DrawerItem.drawer == self.drawer, DrawerItem.name.endswith(ending, autoescape=True)
        )
        with self.database.reading() as session:
            return sorted(session.scalars(asked))

    def read(self, name: str) -> bytes | None:
        asked = select(DrawerItem.sealed).where(
            DrawerItem.drawer == self.drawer, DrawerItem.name == name
        )
        with self.database.reading() as session:
            sealed = session.scalar(asked)
        return None if sealed is None else self.unseal(name, sealed)

    def put(self, name: str, content: bytes) -> None:
        sealed = self.seal(name, content)
        row = {"drawer": self.drawer, "name": name, "sealed": sealed, "put_at": datetime.now(UTC)}
        with self.database.transaction() as session:
            session.execute(insert_missing(session, DrawerItem).values(row))

    def remove(self, name: str) -> None:
        with self.database.transaction() as session:
            session.execute(
                delete(DrawerItem).where(DrawerItem.drawer == self.drawer, DrawerItem.name == name)
            )

    def seal(self, name: str, content: bytes) -> bytes:
        """A file as it lies in the database."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self.key).encrypt(nonce, content, self._place(name))

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """A file as it was put in. Raises ``SealedError``."""
        nonce, content = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return AESGCM(self.key).decrypt(nonce, content, self._place(name))
        except InvalidTag as fault:
            raise SealedError(f"{self.drawer}/{name} cannot be opened") from fault

    def _place(self, name: str) -> bytes:
        """So that no file can be passed off as another."""
        return f"{self.drawer}/{name}".encode()


def open_drawer(config: Config, database: Database, name: str) -> Drawer:
    """Where the installation keeps files of this kind."""
    if config.secret:
        return Rows(database, name, derived_secret(config, PURPOSE))
    return Folder(config.instance / name)


def reseal(config: Config, database: Database, secret: str) -> int:
    """Seal all with another secret, or nothing; how many files. Raises ``SealedError``."""
    old = derived_secret(config, PURPOSE)
    new = derived_secret(replace(config, secret=secret), PURPOSE)
    with database.transaction() as session:
        items = session.scalars(select(DrawerItem).with_for_update()).all()
        for item in items:
            content = Rows(database, item.drawer, old).unseal(item.name, item.sealed)
            item.sealed = Rows(database, item.drawer, new).seal(item.name, content)
    return len(items)


def share(config: Config, database: Database, name: str) -> int:
    """Copy this machine's files of one kind to where all machines have them; how many."""
    here, there = Folder(config.instance / name), open_drawer(config, database, name)
    found = [one for one in here.names("") if (here.path / one).is_file()]
    for one in found:
        there.put(one, here.read(one) or b"")
    return len(found)
