"""The zip that a pack is: files stored as they are, and not a byte that could be something else.

Nothing is compressed, no name has two ways to be written and no moment is kept, so that the whole
file follows from the names and contents, and any other byte shows. A browser reads it with a few
lines and needs no library.
"""

import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, Final

LARGEST: Final = 2**32 - 1
MOST_UNPACKED: Final = 512 * 1024 * 1024
PIECE: Final = 1024 * 1024
_LOCAL: Final = struct.Struct("<4s5H3I2H")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_END: Final = struct.Struct("<4s4H2IH")
_DATE: Final = 0x21  # 1 January 1980, the first day a zip knows
_MODE: Final = 0o100644 << 16


class Unreadable(ValueError):
    """It is no zip, or one that was cut off."""


def write(sink: BinaryIO, paths: Sequence[Path]) -> None:
    """Lay the files into one zip, in this order. Raises ``ValueError`` where they are too large."""
    directory, offset = [], 0
    for path in paths:
        crc, size = _crc_of(path)
        name = path.name.encode("ascii")
        if offset + size > LARGEST:
            raise ValueError("a pack holds at most four gigabytes")
        head = _local(name, crc, size)
        directory.append(_central(name, crc, size, offset))
        sink.write(head)
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                sink.write(piece)
        offset += len(head) + size
    listed = b"".join(directory)
    sink.write(listed + _end(len(directory), len(listed), offset))


def read(data: bytes) -> tuple[list[tuple[str, bytes]], list[int]]:
    """The files in their order, and where the zip has bytes that none of ours has.

    Raises ``Unreadable``.
    """
    files, directory, expected, faults = [], [], 0, []
    for name, method, _crc, size, offset in _listed(data):
        if method != 0:
            raise Unreadable
        head = _LOCAL.size + len(name)
        content = data[offset + head : offset + head + size]
        if len(content) != size:
            raise Unreadable
        crc = zlib.crc32(content)
        if offset != expected or data[offset : offset + head] != _local(name, crc, size):
            faults.append(offset)
        directory.append(_central(name, crc, size, expected))
        expected += head + size
        files.append((name.decode("ascii", "replace"), content))
    listed = b"".join(directory)
    tail = listed + _end(len(directory), len(listed), expected)
    if data[expected:] != tail:
        faults.append(expected)
    return files, faults


def unpack(data: bytes) -> dict[str, bytes]:
    """The files of any plain zip, such as a workbook. Raises ``Unreadable``."""
    files, left = {}, MOST_UNPACKED
    for name, method, _crc, size, offset in _listed(data):
        try:
            lengths = _LOCAL.unpack_from(data, offset)[-2:]
        except struct.error as fault:
            raise Unreadable from fault
        start = offset + _LOCAL.size + sum(lengths)
        content = data[start : start + size]
        found = content if method == 0 else _inflated(content, left)
        files[name.decode("utf-8", "replace")] = found
        left -= len(found)
    return files


def _inflated(content: bytes, most: int) -> bytes:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        found = inflate.decompress(content, max(1, most))
    except zlib.error as fault:
        raise Unreadable from fault
    if not inflate.eof:
        raise Unreadable
    return found


def _listed(data: bytes) -> Iterable[tuple[bytes, int, int, int, int]]:
    """Name, method, CRC-32, packed size and offset of each file, as the directory has them.

    Files that would fill more than the zip itself lie over one another, and are a trap.
    """
    try:
        mark, _, _, _, number, size, offset, comment = _END.unpack_from(data, len(data) - _END.size)
        if mark != b"PK\5\6" or comment or offset + size + _END.size > len(data):
            raise Unreadable
        found, at = [], offset
        for _ in range(number):
            entry = _CENTRAL.unpack_from(data, at)
            start = at + _CENTRAL.size
            name_length, extra, comment = entry[10:13]
            if entry[0] != b"PK\1\2":
                raise Unreadable
            name = data[start : start + name_length]
            found.append((name, entry[4], entry[7], entry[8], entry[16]))
            at = start + name_length + extra + comment
        if sum(one[3] for one in found) > len(data):
            raise Unreadable
    except struct.error as fault:
        raise Unreadable from fault
    return found


def _crc_of(path: Path) -> tuple[int, int]:
    crc = size = 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            crc, size = zlib.crc32(piece, crc), size + len(piece)
    return crc, size


def _local(name: bytes, crc: int, size: int) -> bytes:
    return _LOCAL.pack(b"PK\3\4", 20, 0, 0, 0, _DATE, crc, size, size, len(name), 0) + name


def _central(name: bytes, crc: int, size: int, offset: int) -> bytes:
    made_by = 3 << 8 | 20
    return (
        _CENTRAL.pack(
            *(b"PK\1\2", made_by, 20, 0, 0, 0, _DATE, crc, size, size, len(name)),
            *(0, 0, 0, 0, _MODE, offset),
        )
        + name
    )


def _end(number: int, size: int, offset: int) -> bytes:
    return _END.pack(b"PK\5\6", 0, 0, number, number, size, offset, 0)
