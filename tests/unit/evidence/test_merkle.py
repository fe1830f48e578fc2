"""RFC 6962 trees: the vectors of Certificate Transparency's own tests, and a naive tree."""

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.evidence.proof.merkle import (
    EMPTY,
    Growing,
    consistency_path,
    inclusion_path,
    is_consistent,
    leaf_hash,
    root_by,
    subtree_of,
)

# The inputs, roots and paths of the tests of the certificate-transparency project.
INPUTS = [
    bytes.fromhex(one)
    for one in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"


def naive(leaves: list[bytes]) -> bytes:
    """``MTH`` as the RFC writes it, for leaves that are hashed already."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\1" + naive(leaves[:half]) + naive(leaves[half:])).digest()


def hashed(path: list[bytes]) -> list[str]:
    return [one.hex() for one in path]


def test_the_roots_of_known_trees() -> None:
    leaves = [leaf_hash(one) for one in INPUTS]
    assert Growing().root() == EMPTY == sha256().digest()
    tree = Growing()
    for size, root in enumerate(ROOTS, 1):
        tree.add(leaves[size - 1])
        assert tree.root().hex() == subtree_of(leaves)(0, size).hex() == root


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (0, 1, []),
        (0, 8, [A, B, C]),
        (5, 8, [D, E, ROOTS[3]]),
        (2, 3, [ROOTS[1]]),
        (1, 5, [ROOTS[0], B, D]),
    ],
)
def test_known_inclusion_paths(index: int, size: int, path: list[str]) -> None:
    leaves = [leaf_hash(one) for one in INPUTS]
    assert hashed(inclusion_path(index, size, subtree_of(leaves))) == path
    found = root_by(
        [bytes.fromhex(one) for one in path], leaf=leaves[index], index=index, size=size
    )
    assert found is not None
    assert found.hex() == ROOTS[size - 1]


@pytest.mark.parametrize(
    ("first", "second", "path"),
    [(1, 1, []), (1, 8, [A, B, C]), (6, 8, [F, E, ROOTS[3]]), (2, 5, [B, D])],
)
def test_known_consistency_paths(first: int, second: int, path: list[str]) -> None:
    leaves = [leaf_hash(one) for one in INPUTS]
    assert hashed(consistency_path(first, second, subtree_of(leaves))) == path
    assert is_consistent(
        [bytes.fromhex(one) for one in path],
        first=first,
        first_root=bytes.fromhex(ROOTS[first - 1]),
        second=second,
        second_root=bytes.fromhex(ROOTS[second - 1]),
    )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_paths_hold_for_their_own_tree_alone(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    subtree, root = subtree_of(leaves), naive(leaves)
    tree = Growing()
    for leaf in leaves:
        tree.add(leaf)
    assert tree.root() == subtree(0, size) == root

    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(index, size, subtree)
    assert root_by(path, leaf=leaves[index], index=index, size=size) == root
    assert root_by(path, leaf=leaf_hash(b"other"), index=index, size=size) != root
    other = data.draw(st.integers(-1, size + 1).filter(lambda one: one != index))
    assert root_by(path, leaf=leaves[index], index=other, size=size) != root
    assert root_by([*path, root], leaf=leaves[index], index=index, size=size) is None

    first = data.draw(st.integers(1, size))
    steps, before = consistency_path(first, size, subtree), naive(leaves[:first])
    given_: dict[str, Any] = {
        "first": first,
        "first_root": before,
        "second": size,
        "second_root": root,
    }
    assert is_consistent(steps, **given_)
    assert not is_consistent([*steps, root], **given_)
    assert not is_consistent(steps, **given_ | {"first_root": leaf_hash(b"other")})
    assert not is_consistent(steps, **given_ | {"second_root": leaf_hash(b"other")})
    if steps:
        assert not is_consistent(steps[:-1], **given_)
