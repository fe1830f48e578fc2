"""A school's tree as it is stored: tiles of 256 hashes, so that a proof reads a few rows.

The tree's leaves are the entries' own SHA-256 hashes, in order, so a leaf binds an entry's exact
bytes and the tree can be built from the hashes alone.
"""

from collections import OrderedDict
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.core.errors import ToolError
from lti_tool.core.ledger import LedgerEntry
from lti_tool.evidence.checkpoints.models import LedgerTile
from lti_tool.evidence.proof.merkle import leaf_hash, node_hash, split

WIDTH: Final = 256
BITS: Final = 8
KEPT: Final = 64
HASH: Final = 32


class Tree:
    """The hashes of one school's tree of ``size`` leaves, read as they are needed.

    Good for one moment and one session: it remembers what it has read. Raises ``ToolError``
    ledger-broken where what is stored cannot be a tree.
    """

    def __init__(self, session: Session, *, school_id: str, size: int) -> None:
        self._session, self._school_id, self.size = session, school_id, size
        self._tiles: OrderedDict[tuple[int, int], list[list[bytes]]] = OrderedDict()

    def root(self) -> bytes:
        """The hash over all its leaves, of which there must be one at least."""
        return self.subtree(0, self.size)

    def subtree(self, start: int, end: int) -> bytes:
        """The hash over the leaves ``[start, end)`` of a tree that splits there."""
        width = end - start
        if width & (width - 1) == 0 and start % width == 0:
            return self._whole(start, width)
        middle = start + split(width)
        return node_hash(self.subtree(start, middle), self.subtree(middle, end))

    def _whole(self, start: int, width: int) -> bytes:
        level, height = divmod(width.bit_length() - 1, BITS)
        unit = WIDTH**level
        number, place = divmod(start // unit, WIDTH)
        try:
            found: bytes = self._rows(level, number)[height][place >> height]
        except IndexError as fault:
            where = f"{self._school_id}: the stored tree lacks {level}/{number}"
            raise ToolError("ledger-broken", log=where) from fault
        return found

    def _rows(self, level: int, number: int) -> list[list[bytes]]:
        """A tile's hashes and every row above them, as far as they are complete."""
        known = self._tiles.get((level, number))
        if known is not None:
            self._tiles.move_to_end((level, number))
            return known
        rows = rows_over(self.hashes(level, number))
        self._tiles[level, number] = rows
        if len(self._tiles) > KEPT:
            self._tiles.popitem(last=False)
        return rows

    def hashes(self, level: int, number: int) -> list[bytes]:
        """The nodes of a tile: all of them, or as many as there are yet."""
        first = number * WIDTH
        try:
            if (first + WIDTH) * WIDTH**level <= self.size:
                return self._stored(level, number)
            return self._roots(level - 1, first) if level else self._leaves(first)
        except (TypeError, ValueError) as fault:
            where = f"{self._school_id}: the stored tree cannot be read at {level}/{number}"
            raise ToolError("ledger-broken", log=where) from fault

    def _stored(self, level: int, number: int) -> list[bytes]:
        hashes = (
            self._session.execute(
                select(LedgerTile.hashes).where(
                    LedgerTile.school_id == self._school_id,
                    LedgerTile.level == level,
                    LedgerTile.number == number,
                )
            ).scalar()
            or b""
        )
        return [hashes[at : at + HASH] for at in range(0, len(hashes), HASH)]

    def _roots(self, level: int, first: int) -> list[bytes]:
        found = select(LedgerTile.root).where(
            LedgerTile.school_id == self._school_id,
            LedgerTile.level == level,
            LedgerTile.number.between(first, first + WIDTH - 1),
        )
        return list(self._session.scalars(found.order_by(LedgerTile.number)))

    def _leaves(self, first: int) -> list[bytes]:
        found = select(LedgerEntry.hash).where(
            LedgerEntry.school_id == self._school_id,
            LedgerEntry.sequence.between(first + 1, min(first + WIDTH, self.size)),
        )
        hashes = self._session.scalars(found.order_by(LedgerEntry.sequence))
        return [leaf_hash(bytes.fromhex(one)) for one in hashes]


def rows_over(hashes: list[bytes]) -> list[list[bytes]]:
    """The hashes, and above them row by row what is complete."""
    rows = [hashes]
    while len(rows[-1]) > 1:
        below = rows[-1]
        rows.append([node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
    return rows
