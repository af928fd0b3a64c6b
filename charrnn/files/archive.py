"""A checked .npz file: named arrays and one JSON member, with a checksum over the whole. Knows nothing of models.

The file is a zip archive of uncompressed `.npy` members and `metadata.json`, which `numpy.load` can read. Its zip
comment, the last 64 bytes, is the sha256 (in hexadecimal) of every byte before it, so that a flipped or missing byte
anywhere is noticed. Nothing in the file is ever executed. docs/checkpoint-format.md is the format in full.
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
from .metadata import MOST_BYTES, dump, parse
from .zip_layout import MOST_MEMBERS, LayoutError, Member, members

METADATA = "metadata.json"
COMMENT = 64  # bytes: a sha256 in hexadecimal
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # every member's date, so that equal content is equal bytes
HASH_PIECE = 1 << 20
QUICK = 1 << 27  # bytes: of a file up to this size the checksum is known within a second
MOST_HEADER = 10 + 0xFFFF  # bytes of an array's header
SHOWN = 300  # characters of what is wrong: the file chooses some of them

Array = npt.NDArray[Any]


def write_archive(path: Path, arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> None:
    """Write arrays and metadata to `path`, whole or not at all; the old file survives any failure.

    Raises CheckpointError.
    """
    if len(arrays) >= MOST_MEMBERS:
        raise CheckpointError(f"{path}: cannot be written ({len(arrays):,} arrays are too many to be read again)")
    try:
        with replacing(path) as file:
            _write_members(file, arrays, metadata)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be written ({error.strerror or error})") from None


def _write_members(file: IO[bytes], arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = bytes(COMMENT)
        archive.writestr(zipfile.ZipInfo(METADATA, LONG_AGO), dump(metadata))
        for name, array in arrays.items():
            little_endian = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            with archive.open(
                zipfile.ZipInfo(f"{name}.npy", LONG_AGO), "w", force_zip64=array.nbytes > 1 << 30
            ) as member:
                np.lib.format.write_array(member, little_endian, version=(1, 0), allow_pickle=False)
        if any(info.flag_bits for info in archive.infolist()):  # sizes behind the members, where it could not go back
            raise OSError(errno.ESPIPE, "the file cannot be written in more than one place")
    size = file.seek(0, os.SEEK_END)
    digest = _sha256(file, size - COMMENT)
    file.seek(size - COMMENT)
    file.write(digest)


def _sha256(file: IO[bytes], length: int) -> bytes:
    file.seek(0)
    digest = hashlib.sha256()
    while length > 0 and (piece := file.read(min(HASH_PIECE, length))):
        digest.update(piece)
        length -= len(piece)
    return digest.hexdigest().encode()


def _header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    """The header of a .npy file with this content, as NumPy writes it but for the padding. Nothing is ever parsed."""
    return repr({"descr": dtype.str, "fortran_order": False, "shape": shape}).encode().replace(b")}", b"), }")


class Archive:
    """A checked .npz file, open for reading. Raises CheckpointError for whatever does not fit.

    First its layout is checked, then its checksum; `metadata` and `read` come after that. A forged file may be large
    for nothing, so the checksum of one over QUICK bytes waits until `expect` has seen that the sizes are those of the
    model.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = self._open()
        try:
            self._size = self._file.seek(0, os.SEEK_END)
            self._members = self._list_members()
            if self._size <= QUICK:
                self._check_sum()
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

    def fault(self, what: str) -> CheckpointError:
        what = what if len(what) <= SHOWN else f"{what[:SHOWN]} ..."
        return CheckpointError(f"{self.path}: not a checkpoint that can be used: {what}")

    def _open(self) -> IO[bytes]:
        try:
            kind = os.stat(self.path).st_mode
            if not stat.S_ISREG(kind):  # to open a pipe is to wait for whoever writes into it
                what = "a directory" if stat.S_ISDIR(kind) else "a device or a pipe"
                raise CheckpointError(f"{self.path}: cannot be read (it is {what}, not a file)")
            return open(self.path, "rb")
        except FileNotFoundError:
            raise CheckpointError(
                f"{self.path}: no such checkpoint; make one with `charrnn train CORPUS -c {self.path}`"
            ) from None
        except OSError as error:
            raise CheckpointError(f"{self.path}: cannot be read ({error.strerror or error})") from None
        except ValueError as error:  # a NUL, or a character that the file system has no bytes for
            raise CheckpointError(f"{str(self.path)!r}: is not the name of a file ({error})") from None

    def _list_members(self) -> dict[str, Member]:
        if self._file.seek(0) or self._file.read(4) != b"PK\x03\x04":
            raise self.fault("it is no .npz file")
        try:
            return members(self._file, self._size, COMMENT)
        except LayoutError:
            if self._size <= QUICK:
                self._check_sum()  # what was damaged is told from what was never right
            raise

    def _check_sum(self) -> None:
        content = self._size - COMMENT
        if content < 0 or _sha256(self._file, content) != self._file.read(COMMENT):
            raise self.fault("its checksum does not fit: it was damaged or cut short, or is not of charrnn; use a copy")

    def _read_metadata(self) -> dict[str, Any]:
        member = self._members.get(METADATA)
        if member is None:
            raise self.fault(f"it holds no {METADATA}, so charrnn did not write it")
        self._file.seek(member.offset)
        data = self._file.read(min(member.size, MOST_BYTES + 1))
        if len(data) == member.size and crc32(data) != member.crc:
            raise self.fault(f"its {METADATA} has another CRC-32 than it says")
        return parse(data)

    def names(self) -> set[str]:
        """The names of the arrays."""
        return {name.removesuffix(".npy") for name in self._members if name != METADATA}

    def expect(self, arrays: Mapping[str, tuple[tuple[int, ...], npt.DTypeLike]]) -> None:
        """Check that the archive has room for these arrays, by shape and dtype, and no others, before one is read."""
        for name in arrays:
            if f"{name}.npy" not in self._members:
                raise self.fault(f"the array {name} is missing")
        known = {METADATA, *(f"{name}.npy" for name in arrays)}
        for member in self._members:
            if member not in known:
                raise self.fault(f"its member {member!r} does not belong to its model")
        for name, (shape, dtype) in arrays.items():
            header = self._members[f"{name}.npy"].size - prod(shape) * np.dtype(dtype).itemsize
            if not 0 < header <= MOST_HEADER:
                raise self.fault(f"the array {name} has not the size of {shape} {dtype}")
        if self._size > QUICK:
            self._check_sum()

    def read(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """One array, which must have this name, shape and dtype; that is checked before any memory is taken."""
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
            raise self.fault(f"the array {name} has not the size that its header says")
        array = np.empty(shape, little_endian)
        data = memoryview(array.reshape(-1).view(np.uint8))  # type: ignore[arg-type]
        if self._file.readinto(data) != nbytes or crc32(data, crc32(start + header)) != member.crc:  # type: ignore[attr-defined]
            raise self.fault(f"the array {name} ends too early or has another CRC-32 than it says")
        return array.astype(dtype, copy=False)
