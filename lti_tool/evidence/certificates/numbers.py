"""The number of a certificate: eleven letters drawn by chance (54 bits) and one that checks them.

The alphabet is Crockford's without 0 (https://www.crockford.com/base32.html), so nothing in it
is read for something else, and its 31 letters are a prime: with a weight of its own for each
place, one wrong letter and two that changed places always show.
"""

import secrets
from typing import Final

ALPHABET: Final = "123456789ABCDEFGHJKMNPQRSTVWXYZ"
DRAWN: Final = 11
GROUP: Final = 4
_READ_AS: Final = str.maketrans("IL", "11")


def new_number() -> str:
    """A fresh one: twelve letters."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(DRAWN))
    return drawn + ALPHABET[-_sum(drawn) * pow(DRAWN + 1, -1, len(ALPHABET)) % len(ALPHABET)]


def read(text: str) -> str:
    """The number that somebody typed, whatever its case and dashes; empty where it is none."""
    found = "".join(one for one in text.upper() if one.isalnum()).translate(_READ_AS)
    is_one = len(found) == DRAWN + 1 and all(one in ALPHABET for one in found)
    return found if is_one and _sum(found) % len(ALPHABET) == 0 else ""


def shown(number: str) -> str:
    """``K7QM-4FXA-R9TD``."""
    return "-".join(number[at : at + GROUP] for at in range(0, len(number), GROUP))


def _sum(letters: str) -> int:
    return sum(at * ALPHABET.index(one) for at, one in enumerate(letters, 1))
