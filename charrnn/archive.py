"""A checked .npz file: named arrays and one JSON member, with a checksum over the whole. Knows nothing of models.

The file is a zip archive of uncompressed `.npy` members and `metadata.json`, which `numpy.load` can read. Its zip
comment, the last 64 bytes, is the sha256 (in hexadecimal) of every byte before it, and is checked before anything
else, so that a flipped or missing byte anywhere is noticed. Nothing in the file is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from math import prod
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from .atomic import replacing
from .errors import CheckpointError
from .nn.params import Array

METADATA = "metadata.json"
COMMENT = 64  # bytes: a sha256 in hexadecimal
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # every member's date, so that equal content is equal bytes
HASH_PIECE = 1 << 20


def write_archive(path: Path, arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> None:
    """Write arrays and metadata to `path`, whole or not at all; the old file survives any failure.

    Raises CheckpointError.
    """
    try:
        with replacing(path) as file:
            _write_members(file, arrays, metadata)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be written ({error.strerror or error})") from None


def _write_members(file: IO[bytes], arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = bytes(COMMENT)
        text = json.dumps(metadata, allow_nan=False, separators=(",", ":"))
        archive.writestr(zipfile.ZipInfo(METADATA, LONG_AGO), text)
        for name, array in arrays.items():
            little_endian = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            with archive.open(
                zipfile.ZipInfo(f"{name}.npy", LONG_AGO), "w", force_zip64=array.nbytes > 1 << 30
            ) as member:
                np.lib.format.write_array(member, little_endian, version=(1, 0), allow_pickle=False)
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
    """A checked .npz file, open for reading. Raises CheckpointError for whatever does not fit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = open(path, "rb")  # noqa: SIM115 - closed in __exit__
        except FileNotFoundError:
            raise CheckpointError(
                f"{path}: no such checkpoint; make one with `charrnn train CORPUS -c {path}`"
            ) from None
        except OSError as error:
            raise CheckpointError(f"{path}: cannot be read ({error.strerror or error})") from None
        try:
            self._check_sum()
            self.members = self._list_members()
            self.metadata = self._read_metadata()
        except (OSError, ValueError, EOFError, RecursionError, NotImplementedError, zipfile.BadZipFile) as error:
            self._file.close()
            raise self.fault(f"its archive is malformed ({error})") from None
        except CheckpointError:
            self._file.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def fault(self, what: str) -> CheckpointError:
        return CheckpointError(f"{self.path}: not a checkpoint that can be used: {what}")

    def _check_sum(self) -> None:
        if self._file.read(4) != b"PK\x03\x04":
            raise self.fault("it is no .npz file")
        size = self._file.seek(0, os.SEEK_END)
        content = size - COMMENT
        if content < 0 or _sha256(self._file, content) != self._file.read(COMMENT):
            raise self.fault("its checksum does not fit, so it was damaged, cut short or changed; use a copy of it")

    def _list_members(self) -> dict[str, zipfile.ZipInfo]:
        self._zip = zipfile.ZipFile(self._file)
        members = {info.filename: info for info in self._zip.infolist()}
        if len(members) != len(self._zip.infolist()):
            raise self.fault("it holds two members of one name")
        for info in members.values():
            if info.filename != METADATA and not info.filename.endswith(".npy"):
                raise self.fault(f"its member {info.filename!r} is no array")
            if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size or info.flag_bits & 1:
                raise self.fault(f"its member {info.filename!r} is compressed or encrypted")
        return members

    def _read_metadata(self) -> dict[str, Any]:
        if METADATA not in self.members:
            raise self.fault(f"it holds no {METADATA}, so charrnn did not write it")
        metadata = json.loads(self._zip.read(METADATA))
        if not isinstance(metadata, dict):
            raise self.fault(f"its {METADATA} is no object")
        return metadata

    def names(self) -> set[str]:
        """The names of the arrays."""
        return {name.removesuffix(".npy") for name in self.members if name != METADATA}

    def read(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """One array, which must have this name, shape and dtype; that is checked before any memory is taken."""
        info = self.members.get(f"{name}.npy")
        if info is None:
            raise self.fault(f"the array {name} is missing")
        little_endian = np.dtype(dtype).newbyteorder("<")
        expected = _header(shape, little_endian)
        try:
            with self._zip.open(info) as member:
                start = member.read(10)
                header = member.read(int.from_bytes(start[8:], "little"))
                if start[:8] != b"\x93NUMPY\x01\x00" or header.strip() != expected:
                    found = header[:80].decode("latin-1").strip()
                    raise self.fault(f"the array {name} is {found!r}, not {expected.decode()!r}")
                nbytes = prod(shape) * little_endian.itemsize
                if info.file_size - member.tell() != nbytes:
                    raise self.fault(f"the array {name} has not the size that its header says")
                array = np.empty(shape, little_endian)
                data = memoryview(array.reshape(-1).view(np.uint8))  # type: ignore[arg-type]
                while len(data):
                    got = member.readinto(data)  # type: ignore[attr-defined]
                    data = data[got:]
                    if not got:
                        raise self.fault(f"the array {name} ends too early")
                return array.astype(dtype, copy=False)
        except (OSError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile) as error:
            raise self.fault(f"the array {name} is malformed ({error})") from None
