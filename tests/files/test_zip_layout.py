"""Every zip layout but the plainest is refused, even with a correct checksum."""

import io
import itertools
import re
import struct
import zipfile

import numpy as np
import pytest

from charrnn.errors import CheckpointError
from charrnn.files.archive import Archive, write_archive
from charrnn.files.zip_layout import LayoutError, read_members

ARRAYS = {"a": np.arange(6, dtype=np.float32), "b": np.ones((2, 3), np.float32)}
END = 22 + 64  # bytes from the end record on


@pytest.fixture
def whole(tmp_path):
    write_archive(tmp_path / "some.npz", ARRAYS, {"text": "PK"})
    return (tmp_path / "some.npz").read_bytes()


def read_all(path):
    with Archive(path) as opened:
        return [opened.read(name, array.shape, array.dtype) for name, array in ARRAYS.items()]


@pytest.fixture
def refused(tmp_path, seal):
    def refused(content, match="archive is malformed"):
        path = tmp_path / "forged.npz"
        path.write_bytes(seal(bytes(content)))
        with pytest.raises(CheckpointError, match=match) as error:
            read_all(path)
        assert "\n" not in str(error.value)

    return refused


def records(content, mark):
    return [found.start() for found in re.finditer(re.escape(mark), bytes(content))]


def changed(content, place, values):
    return content[:place] + values + content[place + len(values) :]


def with_directory(content, directory, start=None):
    """The archive with another directory and an end record that fits it."""
    old = struct.unpack("<L", content[-END + 16 : -END + 20])[0]
    start = old if start is None else start
    end = changed(content[-END:], 12, struct.pack("<LL", len(directory), start))
    return content[:old] + directory + end


def test_an_unchanged_archive_is_read(tmp_path, whole, seal):
    (tmp_path / "same.npz").write_bytes(seal(whole))
    for array, same in zip(read_all(tmp_path / "same.npz"), ARRAYS.values(), strict=True):
        np.testing.assert_array_equal(array, same)


def test_members_are_found_where_zipfile_finds_them(whole):
    found = read_members(io.BytesIO(whole), len(whole), 64)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert list(found) == archive.namelist()
        for info in archive.infolist():
            member = found[info.filename]
            assert whole[member.offset : member.offset + member.size] == archive.read(info)
            assert member.crc == info.CRC


def test_bytes_before_between_and_after_the_parts(whole, refused):
    first, second, _ = records(whole, b"PK\3\4")
    for place in (second, records(whole, b"PK\1\2")[0], len(whole) - END):
        refused(whole[:place] + b"\0" + whole[place:])
    refused(b"\0" + whole, "not an .npz file")
    refused(b"PK\3\4" + whole)
    refused(whole[:-64] + b"\0" + whole[-64:])
    refused(whole[first:second] + whole)


def test_every_field_of_the_end_record(whole, refused):
    """Disks, counts, size, offset, and the length of the comment: one more or fewer, and far too many."""
    place = len(whole) - END
    for offset, size in ((4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)):
        (value,) = struct.unpack("<H" if size == 2 else "<L", whole[place + offset : place + offset + size])
        most = (1 << 8 * size) - 1
        for other in {(value + 1) & most, (value - 1) & most, most, most - 1, 0} - {value}:
            refused(changed(whole, place + offset, other.to_bytes(size, "little")))


def test_every_relevant_field_of_the_headers(whole):
    """Flags, method, CRC, both sizes, lengths of name and extra field; in the directory also comment, disk, offset."""
    for mark, fields in (
        (b"PK\3\4", ((6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2))),
        (b"PK\1\2", ((8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (34, 2), (42, 4))),
    ):
        for place, (offset, size) in itertools.product(records(whole, mark), fields):
            for bit in range(8 * size):
                data = bytearray(whole)
                data[place + offset + bit // 8] ^= 1 << bit % 8
                with pytest.raises(LayoutError):
                    read_members(io.BytesIO(data), len(data), 64)


def test_overlapping_members(whole, refused):
    """Two entries of one member, under two names or with one inside the other."""
    directory = whole[struct.unpack("<L", whole[-END + 16 : -END + 20])[0] : -END]
    a, b = directory.split(b"PK\1\2")[2:]
    twice = directory.replace(b"PK\1\2" + b, b"PK\1\2" + a.replace(b"a.npy", b"b.npy"))
    refused(with_directory(whole, twice))
    refused(with_directory(whole, directory.replace(a, a[:38] + b[38:42] + a[42:])))


def test_a_directory_in_another_place(whole, refused):
    start = struct.unpack("<L", whole[-END + 16 : -END + 20])[0]
    directory = whole[start:-END]
    refused(with_directory(whole, directory, start - 1))
    refused(with_directory(whole, directory, 0))
    refused(with_directory(whole, directory + b"\0"))
    refused(with_directory(whole, directory[:-1]))
    refused(with_directory(whole, b""))
    reversed_order = b"".join(b"PK\1\2" + entry for entry in reversed(directory.split(b"PK\1\2")[1:]))
    refused(with_directory(whole, reversed_order))


def test_an_end_record_within_the_comment(whole, refused):
    """`zipfile` would take this one, since it is the last."""
    empty = b"PK\5\6" + bytes(18)
    refused(whole[:-64] + empty + whole[-64:])


@pytest.mark.parametrize("name", ["..\\a.npy", "a\0.npy", "\xe9.npy"])
def test_names_that_are_refused(tmp_path, seal, name, refused):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = bytes(64)
        archive.writestr("metadata.json", "{}")
        archive.writestr(zipfile.ZipInfo("placeholder"), b"")
    content = file.getvalue().replace(b"placeholder", name.encode().ljust(11, b"_"))
    refused(content, "malformed|missing")


class TestZip64:
    """Numbers in zip64 fields, in small archives that are written as if four bytes were not enough."""

    def build(self, monkeypatch, limit):
        with monkeypatch.context() as patch:
            patch.setattr(zipfile, "ZIP64_LIMIT", limit)
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w") as archive:
                archive.comment = bytes(64)
                for name in ("a", "b"):
                    with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                        member.write(name.encode() * 100)
        return file.getvalue()

    @pytest.mark.parametrize("limit", [10, 150, 1 << 31])
    def test_is_read(self, monkeypatch, limit):
        content = self.build(monkeypatch, limit)
        found = read_members(io.BytesIO(content), len(content), 64)
        assert [content[m.offset : m.offset + m.size] for m in found.values()] == [b"a" * 100, b"b" * 100]

    def test_any_flipped_bit_of_its_records(self, monkeypatch):
        """It is refused, or is in a field that does not matter: versions, dates, attributes."""
        content = self.build(monkeypatch, 10)
        whole, accepted = read_members(io.BytesIO(content), len(content), 64), 0
        for place in range(len(content) - 64):
            for bit in range(8):
                data = bytearray(content)
                data[place] ^= 1 << bit
                try:
                    found = read_members(io.BytesIO(bytes(data)), len(data), 64)
                except LayoutError:
                    continue
                accepted += 1
                kept = [(m.offset, m.size) for m in found.values()]
                assert kept == [(m.offset, m.size) for m in whole.values()]
        assert accepted < len(content) * 8 / 2
