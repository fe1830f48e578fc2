"""The code for the minutes: 81 bits, and a slip of the pen is told from a forgery."""

from math import log2

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.evidence.proof.codes import CARRIED, LETTERS, CodeMistyped, code_of, read_code
from lti_tool.evidence.proof.statements import (
    Signed,
    fingerprint,
    read_fingerprint,
    shown_fingerprint,
)

CODE = code_of(b"text", b"signature")
LOOK_ALIKES = ("0OQD", "1IL", "2Z", "5S", "6G", "8B", "UV")


def test_it_holds_at_least_eighty_bits_in_letters_that_cannot_be_confused() -> None:
    assert CARRIED * log2(len(LETTERS)) > 80
    assert len(set(LETTERS)) == len(LETTERS)
    for alike in LOOK_ALIKES[1:]:
        assert len(set(alike) & set(LETTERS)) <= 1, alike
    assert not set("0OILSBZU12568") & set(LETTERS)


def test_it_is_of_this_text_and_this_signature() -> None:
    assert code_of(b"text", b"signature") == CODE
    assert len({CODE, code_of(b"texts", b"signature"), code_of(b"text", b"signaturf")}) == 3
    assert [len(group) for group in CODE.split("-")] == [4, 4, 4, 4, 4]


def test_it_is_read_however_it_is_written() -> None:
    assert read_code(CODE.lower()) == read_code(CODE.replace("-", " ")) == CODE
    assert read_code("  " + CODE.replace("-", "") + "\n") == CODE


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (CODE[:-1] + "O", "no code has the letter O"),
        (CODE[:-1], "a code has 20 letters, this one 19"),
        ("", "a code has 20 letters, this one 0"),
    ],
)
def test_what_cannot_be_a_code_is_told_why(typed: str, why: str) -> None:
    with pytest.raises(CodeMistyped, match=why):
        read_code(typed)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=8), st.data())
def test_any_two_wrong_letters_and_any_swap_are_noticed(text: bytes, data: st.DataObject) -> None:
    letters = list(code_of(text, b"").replace("-", ""))
    places = data.draw(st.lists(st.integers(0, 19), min_size=1, max_size=2, unique=True))
    wrong = letters.copy()
    for place in places:
        others = LETTERS.replace(letters[place], "")
        wrong[place] = data.draw(st.sampled_from(others))
    swapped = letters.copy()
    one, two = data.draw(st.permutations(range(20)))[:2]
    swapped[one], swapped[two] = swapped[two], swapped[one]
    for typed in (wrong, swapped):
        if typed != letters:
            with pytest.raises(CodeMistyped, match="a letter is wrong"):
                read_code("".join(typed))


def test_a_statement_names_the_key_that_signed_it() -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    text = b'{"key":"%s"}' % fingerprint(public).encode()
    assert Signed(text, key.sign(text), public).holds()
    assert not Signed(text + b" ", key.sign(text), public).holds()
    assert not Signed(text, key.sign(text), public[:-1]).holds()
    for other in (b'{"key":"%s"}' % (b"0" * 64), b"[]", b"{"):
        assert not Signed(other, key.sign(other), public).holds()


def test_a_fingerprint_is_read_however_it_is_written() -> None:
    found = fingerprint(b"key")
    assert read_fingerprint(shown_fingerprint(found).upper()) == found
    assert read_fingerprint(":".join(found[at : at + 2] for at in range(0, 64, 2))) == found
    for typed in ("", found[:-1], "g" + found[1:]):
        with pytest.raises(ValueError, match="64 digits"):
            read_fingerprint(typed)
