"""Strict reading of a zip archive of stored members: only the plainest layout is accepted.

    member | member | ... | directory | (zip64 end record, locator) | end record | comment

`zipfile` and other programs tolerate much more, and they do not all read the same from such files. These are the
checks, in the order of the code below:

    what is checked           against what                        which attack that stops
 1  place of the end record   the sizes of file and comment       another end record, appended or in the comment
 2  disks and counts in it    one disk, equal counts              an archive in several parts
 3  end of the directory      start of the (zip64) end record     another directory for programs that search for one
 4  size of the directory     MAX_DIRECTORY, MAX_MEMBERS          a directory that fills the memory
 5  extra fields, comments    none but zip64's, where needed      hidden bytes; sizes that can be read in two ways
 6  flags and method          0: stored, not encrypted            a small file that unpacks to any size
 7  names                     ASCII, each only once               two contents under one name
 8  start of a member         end of the member before it         overlapping members; bytes hidden before members
 9  header before a member    its entry in the directory          two contents: by the header and by the directory
10  end of the last member    start of the directory              bytes hidden between them

Source: PKWARE, "APPNOTE.TXT - .ZIP file format specification", sections 4.3 to 4.5.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

HEADER = struct.Struct("<4sHHHLLLLHH")  # before each member
ENTRY = struct.Struct("<4sHHHHLLLLHHHHHLL")  # of a member in the directory
END = struct.Struct("<4sHHHHLLH")
END64 = struct.Struct("<4sQHHLLQQQQ")
LOCATOR = struct.Struct("<4sLQL")
IN_ZIP64 = 0xFFFFFFFF  # stands for a number that is in a zip64 field
ZIP64 = 1  # the kind of that extra field

MAX_MEMBERS = 0xFFFF
MAX_DIRECTORY = 1 << 23  # bytes: room for that many members of over a hundred bytes each


class LayoutError(ValueError):
    """The archive does not have the layout described above."""


@dataclass(frozen=True)
class Member:
    """A member: where its content is in the file, how long that is, and its CRC-32."""

    name: str
    offset: int
    size: int
    crc: int


def read_members(file: IO[bytes], size: int, comment_size: int) -> dict[str, Member]:
    """The members of an archive of `size` bytes with a comment of `comment_size`, by name, in their order.

    Reads the end, the directory and the members' headers, and uses no more memory than MAX_DIRECTORY and what the
    members' names take. Raises LayoutError if one of the checks fails.
    """
    count, start, length = _read_end(file, size, comment_size)
    if length > MAX_DIRECTORY or count > MAX_MEMBERS:  # 4
        raise LayoutError(f"a directory of {count} members and {length} bytes is too large")
    members: dict[str, Member] = {}
    position = 0
    for entry in _entries(_read(file, start, length), count):
        if entry.name in members:  # 7
            raise LayoutError(f"two members are called {entry.name!r}")
        if entry.offset != position:  # 8
            raise LayoutError(f"{entry.name!r} does not begin where the member before it ends")
        content = _check_header(file, entry)
        members[entry.name] = Member(entry.name, content, entry.size, entry.crc)
        position = content + entry.size
    if position != start:  # 10
        raise LayoutError("the directory does not begin where the last member ends")
    return members


def _read_end(file: IO[bytes], size: int, comment_size: int) -> tuple[int, int, int]:
    """The number of members, and the offset and length of the directory. Checks 1 to 3."""
    place = size - comment_size - END.size
    mark, *disks, here, count, length, start, comment = END.unpack(_read(file, place, END.size))
    if mark != b"PK\5\6" or any(disks) or here != count or comment != comment_size:
        raise LayoutError("no end record where it should be")
    if start + length != place:  # then the zip64 records must be between the two
        place64 = place - LOCATOR.size - END64.size
        mark, _, _, _, *disks, here, count, length, start = END64.unpack(_read(file, place64, END64.size))
        if mark != b"PK\6\6" or any(disks) or here != count or start + length != place64:
            raise LayoutError("no zip64 end record where it should be")
        if LOCATOR.unpack(_read(file, place - LOCATOR.size, LOCATOR.size)) != (b"PK\6\7", 0, place64, 1):
            raise LayoutError("no zip64 locator where it should be")
    return count, start, length


def _entries(directory: bytes, count: int) -> Iterator[Member]:
    """Each member as the directory describes it, `offset` being that of its header. Checks 5 to 7."""
    place = 0
    for _ in range(count):
        if place + ENTRY.size > len(directory):
            raise LayoutError("the directory is too short")
        mark, _, _, flags, method, _, crc, stored, size, name_length, extra_length, comment, disk, _, _, offset = (
            ENTRY.unpack_from(directory, place)
        )
        end = place + ENTRY.size + name_length + extra_length
        name = _ascii(directory[place + ENTRY.size : end - extra_length])
        if mark != b"PK\1\2" or comment or disk or end > len(directory):
            raise LayoutError("the directory is malformed")
        size, stored, offset = _with_zip64((size, stored, offset), directory[end - extra_length : end], name)
        if flags or method or stored != size:
            raise LayoutError(f"its member {name!r} is compressed or encrypted")
        yield Member(name, offset, size, crc)
        place = end
    if place != len(directory):
        raise LayoutError("the directory is too long")


def _check_header(file: IO[bytes], entry: Member) -> int:
    """The offset of a member's content, after its header was found to agree with the directory. Check 9."""
    header = _read(file, entry.offset, HEADER.size)
    mark, _, flags, method, _, crc, stored, size, name_length, extra_length = HEADER.unpack(header)
    rest = _read(file, entry.offset + HEADER.size, name_length + extra_length)
    if (mark, flags, method, crc, _ascii(rest[:name_length])) != (b"PK\3\4", 0, 0, entry.crc, entry.name):
        raise LayoutError(f"the header of {entry.name!r} differs from the directory")
    extra, sizes = rest[name_length:], (entry.size, entry.size)
    # Python 3.10 writes sizes in both places where it was told to be ready for zip64.
    in_both = extra == struct.pack("<HHQQ", ZIP64, 16, *sizes) and (size, stored) == sizes
    if not in_both and _with_zip64((size, stored), extra, entry.name) != sizes:
        raise LayoutError(f"the size of {entry.name!r} differs from the directory")
    return entry.offset + len(header) + len(rest)


def _read(file: IO[bytes], offset: int, length: int) -> bytes:
    if offset < 0:
        raise LayoutError("the file is too short")
    file.seek(offset)
    data = file.read(length)
    if len(data) != length:
        raise LayoutError("the file ends too early")
    return data


def _ascii(name: bytes) -> str:
    try:
        return name.decode("ascii")
    except UnicodeDecodeError:
        raise LayoutError(f"the name of a member is not ASCII, {name[:40]!r}") from None


def _with_zip64(numbers: tuple[int, ...], extra: bytes, name: str) -> tuple[int, ...]:
    """The numbers; those that do not fit into four bytes are taken from the extra field, which holds only them."""
    large = sum(number == IN_ZIP64 for number in numbers)
    if len(extra) != (4 + 8 * large if large else 0) or (
        large and struct.unpack("<HH", extra[:4]) != (ZIP64, 8 * large)
    ):
        raise LayoutError(f"{name!r} has an extra field")
    found = iter(struct.unpack(f"<{large}Q", extra[4:]))
    return tuple(next(found) if number == IN_ZIP64 else number for number in numbers)
