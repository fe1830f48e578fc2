"""RSA keys for tools and platforms to start with: to make one takes longer than most tests."""

import secrets
from collections.abc import Iterator
from functools import cache
from itertools import cycle
from pathlib import Path

from lti_tool.core.secret import write_private
from sandbox_lms.tokens import Key

STOCK = 8
"""More than any test makes, so that no two of those it makes are the same."""
_generate = Key.generate
"""As it is when no stock stands before it."""


def stock() -> Iterator[Key]:
    """The same few keys over and over, under names of their own."""
    made = [_generate().private for _ in range(STOCK)]
    return (Key(secrets.token_hex(10), private) for private in cycle(made))


@cache
def one_key() -> Key:
    """The same one in every test, and not of the stock."""
    return _generate()


@cache
def strangers_key() -> Key:
    """For who forges: a platform that outlives a test may hold any key of the stock."""
    return _generate()


def give_key(instance: Path) -> None:
    """Let the tool of this instance find a key of its own, as if it had run before."""
    folder = instance / "keys"
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        write_private(folder / "20260101T000000000000-00000000.pem", one_key().to_pem().encode())
