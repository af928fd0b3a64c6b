"""A zip archive of stored members, taken apart by the letter: nothing in it is believed that the bytes do not bear out.

The only layout that is accepted is the plainest one: the members without gap or overlap from the first byte on, each
behind a header that says what the directory says; then the directory; then its end record, with a comment of a given
length that ends the file. Whatever a zip file may have besides (compression, encryption, several disks, text before
it, comments and extra fields of members) is refused, and so is what `zipfile` would read in one way and another
program in another. Sizes and offsets beyond four bytes are read from zip64 fields.

Source: PKWARE, "APPNOTE.TXT - .ZIP file format specification", sections 4.3 to 4.5.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

LOCAL = struct.Struct("<4sHHHLLLLHH")  # before each member
CENTRAL = struct.Struct("<4sHHHHLLLLHHHHHLL")  # in the directory
END = struct.Struct("<4sHHHHLLH")
END64 = struct.Struct("<4sQHHLLQQQQ")
LOCATOR = struct.Struct("<4sLQL")
WIDE = 0xFFFFFFFF  # stands for a number that is in a zip64 field
ZIP64 = 1  # the kind of that field

MOST_MEMBERS = 0xFFFF
MOST_DIRECTORY = 1 << 23  # bytes: room for that many members of over a hundred bytes each


class LayoutError(ValueError):
    """The archive is not laid out as it must be."""


@dataclass(frozen=True)
class Member:
    """Where the bytes of a member are."""

    name: str
    offset: int
    size: int
    crc: int


def members(file: IO[bytes], size: int, comment: int) -> dict[str, Member]:
    """The members of an archive of so many bytes, by name and in their order. Raises LayoutError.

    Reads the end, the directory and the members' headers. Takes no more memory than the directory's largest size.
    """
    count, start, length = _end(file, size, comment)
    if length > MOST_DIRECTORY:
        raise LayoutError(f"a directory of {length} bytes")
    found: dict[str, Member] = {}
    position = 0
    for entry in _entries(_at(file, start, length), count):
        if entry.name in found:
            raise LayoutError(f"two members of one name, {entry.name!r}")
        if entry.offset != position:
            raise LayoutError(f"{entry.name!r} does not begin where the member before it ends")
        begin = _begin(file, entry)
        found[entry.name] = Member(entry.name, begin, entry.size, entry.crc)
        position = begin + entry.size
    if position != start:
        raise LayoutError("the directory does not begin where the last member ends")
    return found


def _at(file: IO[bytes], offset: int, length: int) -> bytes:
    if offset < 0:
        raise LayoutError("it is too short")
    file.seek(offset)
    data = file.read(length)
    if len(data) != length:
        raise LayoutError("it ends too early")
    return data


def _end(file: IO[bytes], size: int, comment: int) -> tuple[int, int, int]:
    """How many members there are, and the offset and length of the directory."""
    place = size - comment - END.size
    mark, *disks, here, count, length, start, ending = END.unpack(_at(file, place, END.size))
    if mark != b"PK\5\6" or any(disks) or here != count or ending != comment:
        raise LayoutError("no end record where it should be")
    if start + length != place:  # then what is between them is the zip64 record
        wide = place - LOCATOR.size - END64.size
        mark, _, _, _, *disks, here, count, length, start = END64.unpack(_at(file, wide, END64.size))
        if mark != b"PK\6\6" or any(disks) or here != count or start + length != wide:
            raise LayoutError("no zip64 record where it should be")
        if LOCATOR.unpack(_at(file, place - LOCATOR.size, LOCATOR.size)) != (b"PK\6\7", 0, wide, 1):
            raise LayoutError("no zip64 locator where it should be")
    return count, start, length


def _entries(directory: bytes, count: int) -> Iterator[Member]:
    """What the directory says of each member; `offset` is that of its header."""
    if count > MOST_MEMBERS:
        raise LayoutError(f"{count} members")
    place = 0
    for _ in range(count):
        if place + CENTRAL.size > len(directory):
            raise LayoutError("the directory is too short")
        mark, _, _, flags, method, _, crc, stored, size, names, extras, comments, disk, _, _, offset = (
            CENTRAL.unpack_from(directory, place)
        )
        end = place + CENTRAL.size + names + extras
        name = _name(directory[place + CENTRAL.size : end - extras])
        if mark != b"PK\1\2" or comments or disk or end > len(directory):
            raise LayoutError("the directory is malformed")
        size, stored, offset = _widened((size, stored, offset), directory[end - extras : end], name)
        if flags or method or stored != size:
            raise LayoutError(f"its member {name!r} is compressed or encrypted")
        yield Member(name, offset, size, crc)
        place = end
    if place != len(directory):
        raise LayoutError("the directory is too long")


def _begin(file: IO[bytes], entry: Member) -> int:
    """Where a member's bytes begin, its own header having been found to agree with the directory."""
    header = _at(file, entry.offset, LOCAL.size)
    mark, _, flags, method, _, crc, stored, size, names, extras = LOCAL.unpack(header)
    rest = _at(file, entry.offset + LOCAL.size, names + extras)
    if (mark, flags, method, crc, _name(rest[:names])) != (b"PK\3\4", 0, 0, entry.crc, entry.name):
        raise LayoutError(f"the header of {entry.name!r} is not what the directory says")
    extra, sizes = rest[names:], (entry.size, entry.size)
    said_twice = extra == struct.pack("<HHQQ", ZIP64, 16, *sizes) and (size, stored) == sizes  # by Python 3.10
    if not said_twice and _widened((size, stored), extra, entry.name) != sizes:
        raise LayoutError(f"the size of {entry.name!r} is not what the directory says")
    return entry.offset + len(header) + len(rest)


def _name(data: bytes) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise LayoutError(f"a member's name is not ASCII, {data[:40]!r}") from None


def _widened(numbers: tuple[int, ...], extra: bytes, name: str) -> tuple[int, ...]:
    """The numbers, with those that are too wide for four bytes taken from the extra field, which holds nothing else."""
    wide = sum(number == WIDE for number in numbers)
    if len(extra) != (4 + 8 * wide if wide else 0) or (wide and struct.unpack("<HH", extra[:4]) != (ZIP64, 8 * wide)):
        raise LayoutError(f"{name!r} has an extra field")
    found = iter(struct.unpack(f"<{wide}Q", extra[4:]))
    return tuple(next(found) if number == WIDE else number for number in numbers)
