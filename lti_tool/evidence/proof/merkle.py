"""Merkle trees as RFC 6962 hashes them (section 2.1); proofs are checked as in RFC 9162.

A leaf is hashed with a zero byte before it, a node with a one, so that neither can be taken for
the other. Indices begin at nought; ranges are half open.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

EMPTY: Final = sha256(b"").digest()
"""The root of a tree without leaves."""

Subtree = Callable[[int, int], bytes]
"""The hash over the leaves ``[start, end)``, as ``MTH(D[start:end])`` of the RFC."""


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def split(size: int) -> int:
    """The largest power of two smaller than ``size``, which must be at least two."""
    return 1 << (size - 1).bit_length() - 1


def subtree_of(leaves: Sequence[bytes]) -> Subtree:
    """The hashes of a small tree, straight from the definition."""

    def subtree(start: int, end: int) -> bytes:
        if end - start == 1:
            return leaves[start]
        if end == start:
            return EMPTY
        middle = start + split(end - start)
        return node_hash(subtree(start, middle), subtree(middle, end))

    return subtree


def inclusion_path(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The hashes that lead from leaf ``index`` to the root over ``size`` leaves, lowest first."""
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start = middle
    return path[::-1]


def consistency_path(first: int, second: int, subtree: Subtree) -> list[bytes]:
    """What shows that the tree of ``second`` leaves began as that of ``first``, of one at least."""
    path, start, end, is_whole = [], 0, second, True
    while first != end:
        middle = start + split(end - start)
        if first <= middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start, is_whole = middle, False
    if not is_whole:
        path.append(subtree(start, end))
    return path[::-1]


def root_by(path: Sequence[bytes], *, leaf: bytes, index: int, size: int) -> bytes | None:
    """The root that a path leads to, or nothing where it cannot be one (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return None
    found, last = leaf, size - 1
    for other in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            found = node_hash(other, found)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            found = node_hash(found, other)
        index, last = index >> 1, last >> 1
    return found if last == 0 else None


def is_consistent(
    path: Sequence[bytes], *, first: int, first_root: bytes, second: int, second_root: bytes
) -> bool:
    """Whether a path shows that one tree grew into the other (RFC 9162, 2.1.4.2)."""
    if first == second:
        return not path and first_root == second_root
    if not 0 < first < second or not path:
        return False
    steps = list(path) if first & (first - 1) else [first_root, *path]
    index, last = first - 1, second - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    old = new = steps[0]
    for other in steps[1:]:
        if last == 0:
            return False
        if index & 1 or index == last:
            old, new = node_hash(other, old), node_hash(other, new)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            new = node_hash(new, other)
        index, last = index >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


class Growing:
    """A tree that takes leaves one by one and keeps no more than a hash a level."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        self.size = at = self.size + 1
        peaks = self._peaks
        while not at & 1:
            leaf = sha256(b"\1" + peaks.pop() + leaf).digest()
            at >>= 1
        peaks.append(leaf)

    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY
        found = self._peaks[-1]
        for peak in self._peaks[-2::-1]:
            found = node_hash(peak, found)
        return found
