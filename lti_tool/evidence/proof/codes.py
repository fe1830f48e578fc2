"""The record check code: a checkpoint in twenty letters that a clerk writes in the minutes.

Eighteen letters hold 81 bits of the SHA-256 of the signed checkpoint, so that nobody can make
another one to fit them. Two more are check letters of a Reed-Solomon code over the integers
modulo 23: any two letters that were mistyped, and any two that were swapped, are noticed, so that
a slip of the pen is not taken for a forgery.
"""

from hashlib import sha256
from typing import Final

from lti_tool.evidence.proof.words import MISTYPED

# No 0 O, 1 I L, 2 Z, 5 S, 6 G, 8 B, U V: but for these two, of each pair one or none.
LETTERS: Final = "3479ACDEFGHJKMNPQRTVWXY"
CARRIED: Final = 18
GROUP: Final = 4
_BASE: Final = len(LETTERS)
_ROOT: Final = 5  # 5 generates every number but nought modulo 23


class CodeMistyped(ValueError):
    """No code can read so; the words say why."""


def code_of(text: bytes, signature: bytes) -> str:
    """The code of a signed checkpoint, in groups of four letters."""
    number = int.from_bytes(sha256(b"clauseway code 1\n" + signature + text).digest())
    digits = []
    for _ in range(CARRIED):
        number, digit = divmod(number, _BASE)
        digits.append(digit)
    letters = "".join(LETTERS[digit] for digit in (*digits, *_check(digits)))
    return "-".join(letters[at : at + GROUP] for at in range(0, len(letters), GROUP))


def read_code(typed: str) -> str:
    """A code as it was typed, brought to its one form. Case, spaces and dashes do not matter.

    Raises ``CodeMistyped``.
    """
    letters = "".join(letter for letter in typed.upper() if letter not in " -–—\t\n")
    for letter in letters:
        if letter not in LETTERS:
            raise CodeMistyped(MISTYPED["letter"].format(letter=letter))
    if len(letters) != CARRIED + 2:
        raise CodeMistyped(MISTYPED["length"].format(found=len(letters)))
    digits = [LETTERS.index(letter) for letter in letters]
    if _syndromes(digits) != (0, 0):
        raise CodeMistyped(MISTYPED["check"])
    return "-".join(letters[at : at + GROUP] for at in range(0, len(letters), GROUP))


def _syndromes(digits: list[int]) -> tuple[int, int]:
    first = second = 0
    for digit in digits:
        first, second = (first + digit) % _BASE, (second * _ROOT + digit) % _BASE
    return first, second


def _check(digits: list[int]) -> tuple[int, int]:
    first, second = _syndromes([*digits, 0, 0])
    # a + b = -first and 5a + b = -second, modulo 23
    a = (first - second) * pow(_ROOT - 1, -1, _BASE) % _BASE
    return a, (-first - a) % _BASE
