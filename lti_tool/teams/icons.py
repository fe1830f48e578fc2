"""The app's two icons: our mark, drawn into PNG files without any library of pictures.

The mark is the one of the page's header: a sheet's edge, and three lines on it.
"""

import math
import struct
import zlib
from collections.abc import Callable
from functools import cache
from typing import Final

BOX: Final = 32  # the units that the mark is drawn in
HALF: Final = 1.5  # half the thickness of a stroke
GROUND, GOLD, WHITE = (0x17, 0x50, 0x5C), (0xF2, 0xB8, 0x4B), (255, 255, 255)
Colour = tuple[int, int, int]
Distance = Callable[[float, float], float]


@cache
def colour_icon() -> bytes:
    """192 by 192, in full colour on our own ground."""
    return _png(192, GROUND, ((_edge, GOLD), (_lines, WHITE)), scale=0.8)


@cache
def outline_icon() -> bytes:
    """32 by 32, white on nothing, as Teams asks."""
    return _png(32, None, ((_edge, WHITE), (_lines, WHITE)))


def _edge(x: float, y: float) -> float:
    """How far a point is from the sheet's upper and right edge, round at its corner."""
    if x > 19 and y < 11:
        return abs(math.hypot(x - 19, y - 11) - 4)
    return min(_segment(x, y, 9, 7, 19, 7), _segment(x, y, 23, 11, 23, 25))


def _lines(x: float, y: float) -> float:
    ends = ((13, 18), (19, 18), (25, 14))
    return min(_segment(x, y, 9, height, end, height) for height, end in ends)


def _segment(x: float, y: float, x1: float, y1: float, x2: float, y2: float) -> float:
    """How far a point is from a line that runs across or down."""
    return math.hypot(x - min(max(x, x1), x2), y - min(max(y, y1), y2))


def _png(
    size: int,
    ground: Colour | None,
    strokes: tuple[tuple[Distance, Colour], ...],
    *,
    scale: float = 1.0,
) -> bytes:
    """Strokes on a ground, or on nothing: 8 bits a channel, with alpha (ISO/IEC 15948)."""
    unit = size / BOX * scale
    rows = bytearray()
    for row in range(size):
        rows.append(0)  # no filter
        y = BOX / 2 + (row + 0.5 - size / 2) / unit
        for column in range(size):
            x = BOX / 2 + (column + 0.5 - size / 2) / unit
            rows += _pixel(x, y, unit, ground, strokes)
    head = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _pixel(
    x: float,
    y: float,
    unit: float,
    ground: Colour | None,
    strokes: tuple[tuple[Distance, Colour], ...],
) -> bytes:
    red, green, blue = map(float, ground or WHITE)
    alpha = 1.0 if ground else 0.0
    for distance, colour in strokes:
        cover = min(1.0, max(0.0, (HALF - distance(x, y)) * unit + 0.5))
        red, green, blue = (
            old + (new - old) * cover for old, new in zip((red, green, blue), colour, strict=True)
        )
        alpha = max(alpha, cover)
    return bytes(round(part) for part in (red, green, blue, alpha * 255))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
