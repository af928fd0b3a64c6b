"""A checked .npz file: named arrays and one JSON document, with a checksum over all bytes.

The file is a zip archive of uncompressed `.npy` members and `metadata.json`, which `numpy.load` can read. Its zip
comment, the last 64 bytes, is the SHA-256 (in hexadecimal) of all bytes before it, so any flipped or missing byte is
noticed. Nothing in the file is ever executed. docs/checkpoint-format.md is the format in full.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import zipfile
from collections.abc import Mapping
from math import prod
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from ..errors import CheckpointError
from .atomic import replacing
from .metadata import MAX_BYTES, dump, parse
from .zip_layout import MAX_MEMBERS, LayoutError, Member, read_members

METADATA = "metadata.json"
COMMENT_SIZE = 64  # bytes: a SHA-256 in hexadecimal
DATE = (1980, 1, 1, 0, 0, 0)  # of every member, so that equal content gives equal bytes
HASH_PIECE = 1 << 20  # bytes
MAX_QUICK = 1 << 27  # bytes: the checksum of a file up to this size takes less than a second
MAX_HEADER = 10 + 0xFFFF  # bytes, of an array
MAX_REASON = 300  # characters in a message, since some of them come from the file

Array = npt.NDArray[Any]


def write_archive(path: Path, arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> None:
    """Write arrays and metadata to `path`, completely or not at all: if it fails, the old file is unchanged.

    Raises CheckpointError if it fails, and ValueError for metadata that JSON cannot express.
    """
    if len(arrays) >= MAX_MEMBERS:
        raise CheckpointError(f"{path}: cannot be written ({len(arrays):,} are more arrays than can be loaded again)")
    try:
        with replacing(path) as file:
            _write_members(file, arrays, metadata)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be written ({error.strerror or error})") from None


def _write_members(file: IO[bytes], arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = bytes(COMMENT_SIZE)
        archive.writestr(zipfile.ZipInfo(METADATA, DATE), dump(metadata))
        for name, array in arrays.items():
            little_endian = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            with archive.open(zipfile.ZipInfo(f"{name}.npy", DATE), "w", force_zip64=array.nbytes > 1 << 30) as member:
                np.lib.format.write_array(member, little_endian, version=(1, 0), allow_pickle=False)
        if any(info.flag_bits for info in archive.infolist()):  # sizes after the content, since it could not seek back
            raise OSError(errno.ESPIPE, "it is not possible to seek in the file")
    size = file.seek(0, os.SEEK_END)
    digest = _sha256(file, size - COMMENT_SIZE)
    file.seek(size - COMMENT_SIZE)
    file.write(digest)


def _sha256(file: IO[bytes], length: int) -> bytes:
    file.seek(0)
    digest = hashlib.sha256()
    while length > 0 and (piece := file.read(min(HASH_PIECE, length))):
        digest.update(piece)
        length -= len(piece)
    return digest.hexdigest().encode()


def _header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    """The header that an .npy file must have, without its padding. Headers are compared and never parsed."""
    return repr({"descr": dtype.str, "fortran_order": False, "shape": shape}).encode().replace(b")}", b"), }")


class Archive:
    """A checked .npz file, open for reading. Every method raises CheckpointError if the file is not as it must be.

    The layout is checked first, then the checksum; only then is the metadata read. A forged file may be huge, so the
    checksum of a file over MAX_QUICK bytes is checked later, by `expect`, when the sizes are known to be right.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = self._open()
        try:
            self._size = self._file.seek(0, os.SEEK_END)
            self._members = self._list_members()
            if self._size <= MAX_QUICK:
                self._verify_checksum()
            self.metadata = self._read_metadata()
        except (OSError, ValueError, RecursionError) as error:
            self._file.close()
            raise self.fault(f"its archive is malformed ({error})") from None
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def fault(self, reason: str) -> CheckpointError:
        """An error of one line, of limited length, that says why the file is refused."""
        reason = reason if len(reason) <= MAX_REASON else f"{reason[:MAX_REASON]} ..."
        return CheckpointError(f"{self.path}: not a valid checkpoint: {reason}")

    def _open(self) -> IO[bytes]:
        try:
            kind = os.stat(self.path).st_mode
            if not stat.S_ISREG(kind):  # opening a pipe would wait until some process writes into it
                what = "a directory" if stat.S_ISDIR(kind) else "a device or a pipe"
                raise CheckpointError(f"{self.path}: cannot be read (it is {what}); name a checkpoint file")
            return open(self.path, "rb")
        except FileNotFoundError:
            raise CheckpointError(
                f"{self.path}: no such checkpoint; make one with `charrnn train CORPUS -c {self.path}`"
            ) from None
        except OSError as error:
            raise CheckpointError(f"{self.path}: cannot be read ({error.strerror or error})") from None
        except ValueError as error:  # a NUL, or a character that the file system cannot encode
            raise CheckpointError(f"{str(self.path)!r}: not a file name ({error})") from None

    def _list_members(self) -> dict[str, Member]:
        if self._file.seek(0) or self._file.read(4) != b"PK\x03\x04":
            raise CheckpointError(f"{self.path}: not an .npz file; name a checkpoint that charrnn train wrote")
        try:
            return read_members(self._file, self._size, COMMENT_SIZE)
        except LayoutError:
            if self._size <= MAX_QUICK:
                self._verify_checksum()  # a damaged file gets another message than a forged one
            raise

    def _verify_checksum(self) -> None:
        content = self._size - COMMENT_SIZE
        if content < 0 or _sha256(self._file, content) != self._file.read(COMMENT_SIZE):
            raise self.fault(
                "its checksum is wrong, so it was damaged or cut short, or charrnn did not write it; use a backup"
            )

    def _read_metadata(self) -> dict[str, Any]:
        member = self._members.get(METADATA)
        if member is None:
            raise self.fault(f"it has no {METADATA}; name a checkpoint that charrnn train wrote")
        self._file.seek(member.offset)
        data = self._file.read(min(member.size, MAX_BYTES + 1))
        if len(data) == member.size and crc32(data) != member.crc:
            raise self.fault(f"the CRC-32 of its {METADATA} is wrong")
        return parse(data)

    def names(self) -> set[str]:
        """The names of the arrays."""
        return {name.removesuffix(".npy") for name in self._members if name != METADATA}

    def expect(self, arrays: Mapping[str, tuple[tuple[int, ...], npt.DTypeLike]]) -> None:
        """Check that the archive has exactly these arrays, with room for their shapes and dtypes. Reads no array."""
        for name in arrays:
            if f"{name}.npy" not in self._members:
                raise self.fault(f"the array {name} is missing")
        expected = {METADATA, *(f"{name}.npy" for name in arrays)}
        for member in self._members:
            if member not in expected:
                raise self.fault(f"its member {member!r} is not part of its model")
        for name, (shape, dtype) in arrays.items():
            header = self._members[f"{name}.npy"].size - prod(shape) * np.dtype(dtype).itemsize
            if not 0 < header <= MAX_HEADER:
                raise self.fault(f"the size of the array {name} is not that of {shape} {dtype}")
        if self._size > MAX_QUICK:
            self._verify_checksum()

    def read(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """One array. Its name, shape and dtype are checked before any memory is allocated."""
        member = self._members.get(f"{name}.npy")
        if member is None:
            raise self.fault(f"the array {name} is missing")
        little_endian = np.dtype(dtype).newbyteorder("<")
        expected = _header(shape, little_endian)
        self._file.seek(member.offset)
        start = self._file.read(min(10, member.size))
        header = self._file.read(min(int.from_bytes(start[8:], "little"), member.size - len(start)))
        if start[:8] != b"\x93NUMPY\x01\x00" or header.strip() != expected:
            found = header[:80].decode("latin-1").strip()
            raise self.fault(f"the array {name} is {found!r}, not {expected.decode()!r}")
        nbytes = prod(shape) * little_endian.itemsize
        if member.size - len(start) - len(header) != nbytes:
            raise self.fault(f"the size of the array {name} differs from its header")
        array = np.empty(shape, little_endian)
        data = memoryview(array.reshape(-1).view(np.uint8))  # type: ignore[arg-type]
        if self._file.readinto(data) != nbytes or crc32(data, crc32(start + header)) != member.crc:  # type: ignore[attr-defined]
            raise self.fault(f"the array {name} ends too early or its CRC-32 is wrong")
        return array.astype(dtype, copy=False)
