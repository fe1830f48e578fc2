"""Identifiers: UUID version 7 (RFC 9562), so that rows sort by the time they were made."""

from typing import Any
from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return UUID(int=uuid_utils.uuid7().int)


def written(raw: Any) -> str:
    """An id as people read it, ``8-4-4-4-12``, from how the database's driver has it."""
    if isinstance(raw, UUID):
        return str(raw)
    text: str = raw
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
