"""The words of a PDF, as whoever copies or searches its text gets them."""

import io
import re
from typing import Any, Final

import pikepdf

_MAPPED: Final = re.compile(r"<([0-9a-fA-F]+)>\s*<([0-9a-fA-F]+)>")
_LETTERS: Final = re.compile(r"beginbfchar(.*?)endbfchar", re.DOTALL)
_RANGES: Final = re.compile(r"beginbfrange.*?endbfrange", re.DOTALL)


def text_of(pdf: bytes) -> str:
    """All that is set, in the order of the file and with one space between words. Glyphs are two
    bytes long and named by their font's ``ToUnicode`` map, as typst writes both."""
    with pikepdf.open(io.BytesIO(pdf)) as file:
        pieces = [piece for page in file.pages for piece in _pieces(page)]
    return " ".join("".join(pieces).split())


def _pieces(page: Any) -> list[str]:
    maps = {name: _letters(font) for name, font in page.Resources.Font.items()}
    found, letters = [], {}
    for one in pikepdf.parse_content_stream(page):
        operands, said = one.operands, str(one.operator)
        if said == "Tf":
            letters = maps[str(operands[0])]
        elif said in ("Tj", "TJ"):
            given = operands[0] if said == "TJ" else operands
            found += [
                _read(bytes(one), letters) for one in given if isinstance(one, pikepdf.String)
            ]
        elif said == "ET":
            found.append(" ")
    return found


def _letters(font: Any) -> dict[int, str]:
    """What each of a font's glyphs stands for."""
    said = font.ToUnicode.read_bytes().decode("ascii")
    assert not _RANGES.search(said)
    pairs = [pair for part in _LETTERS.findall(said) for pair in _MAPPED.findall(part)]
    return {int(glyph, 16): bytes.fromhex(text).decode("utf-16-be") for glyph, text in pairs}


def _read(glyphs: bytes, letters: dict[int, str]) -> str:
    numbers = (int.from_bytes(glyphs[at : at + 2]) for at in range(0, len(glyphs), 2))
    return "".join(letters[one] for one in numbers)
