"""Checked .npz files: what is written is read back, and damaged and forged files are refused."""

import io
import os
import re
import zipfile

import numpy as np
import pytest
from support.archives import ARRAYS, DATA, read

from charrnn.errors import CheckpointError
from charrnn.files.archive import METADATA, Archive, write_archive


def test_what_is_written_is_read_back(path):
    with Archive(path) as opened:
        assert opened.metadata == DATA
        assert opened.names() == set(ARRAYS)
        for name, array in ARRAYS.items():
            got = opened.read(name, array.shape, array.dtype)
            assert got.dtype == array.dtype
            np.testing.assert_array_equal(got, array)


def test_numpy_reads_it_without_pickle(path):
    with np.load(path, allow_pickle=False) as loaded:
        assert set(ARRAYS) < set(loaded.files)
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(loaded[name], array)


def test_equal_content_gives_equal_bytes(path, tmp_path):
    write_archive(tmp_path / "other.npz", ARRAYS, DATA)
    assert (tmp_path / "other.npz").read_bytes() == path.read_bytes()


def test_metadata_that_json_cannot_express_is_not_written(path):
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        write_archive(path, ARRAYS, {"value": float("nan")})
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["some.npz"]


class TestDamage:
    def test_any_flipped_byte(self, path, tmp_path):
        whole, damaged = path.read_bytes(), tmp_path / "damaged.npz"
        for place in range(len(whole)):
            data = bytearray(whole)
            data[place] ^= 1 << place % 8
            damaged.write_bytes(data)
            with pytest.raises(CheckpointError, match=r"checksum|not an \.npz file"):
                Archive(damaged)

    def test_any_cut_and_any_addition(self, path, tmp_path):
        whole, damaged = path.read_bytes(), tmp_path / "damaged.npz"
        for length in range(len(whole)):
            damaged.write_bytes(whole[:length])
            with pytest.raises(CheckpointError, match=r"checksum|not an \.npz file"):
                Archive(damaged)
        for data in (whole + b"\0", b"\0" + whole, whole + whole, whole[:10] + whole):
            damaged.write_bytes(data)
            with pytest.raises(CheckpointError, match=r"checksum|not an \.npz file"):
                Archive(damaged)

    def test_any_flipped_byte_with_a_correct_checksum(self, path, tmp_path, seal):
        """The structure of the archive is damaged too: either all is read unchanged, or CheckpointError is raised."""
        whole, forged, refused = path.read_bytes(), tmp_path / "forged.npz", 0
        for place in range(len(whole) - 64):
            data = bytearray(whole)
            data[place] ^= 1 << place % 8
            forged.write_bytes(seal(bytes(data)))
            try:
                with Archive(forged) as opened:
                    opened.read("weights", (2, 3), np.float32)
            except CheckpointError:
                refused += 1
        assert refused > 100

    def test_other_files(self, tmp_path):
        np.savez(tmp_path / "plain.npz", a=np.zeros(3))
        (tmp_path / "text.npz").write_text("PK\x03\x04 is how it begins")
        (tmp_path / "empty.npz").write_bytes(b"")
        for name in ("plain.npz", "text.npz", "empty.npz"):
            with pytest.raises(CheckpointError, match=r"not a valid checkpoint|not an \.npz file"):
                Archive(tmp_path / name)
        with pytest.raises(CheckpointError, match=r"no such checkpoint; make one with `charrnn train"):
            Archive(tmp_path / "nowhere.npz")
        with pytest.raises(CheckpointError, match="cannot be read"):
            Archive(tmp_path)


def npy(array, pickle=False, version=(1, 0)):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=version, allow_pickle=pickle)
    return file.getvalue()


def header(text):
    """An .npy member with any header."""
    padded = text.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + bytes(24)


WEIGHTS = ARRAYS["weights"]
FORGED_ARRAYS = {
    "another dtype": npy(WEIGHTS.astype(np.float64)),
    "another byte order": npy(WEIGHTS.astype(">f4")),
    "integers": npy(WEIGHTS.astype(np.int32)),
    "another shape": npy(WEIGHTS.T.copy()),
    "Fortran's order": npy(np.asfortranarray(WEIGHTS)),
    "objects": npy(np.array([["a", None, {}]] * 2, object), pickle=True),
    "structured": npy(np.zeros((2, 3), [("a", "<f4")])),
    "version 2": npy(WEIGHTS, version=(2, 0)),
    "too short": npy(WEIGHTS)[:-1],
    "too long": npy(WEIGHTS) + b"\0",
    "nothing": b"",
    "no magic": b"\0" * 200,
    "a header that is cut": npy(WEIGHTS)[:50],
    "a huge shape": header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 3)}"),
    "a negative shape": header("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3)}"),
    "a boolean shape": header("{'descr': '<f4', 'fortran_order': False, 'shape': (True, 3)}"),
    "a key that is missing": header("{'descr': '<f4', 'shape': (2, 3)}"),
    "an open bracket": header("{'descr': ("),
    "a call": header("__import__('os').abort()"),
    "deep brackets": header("(" * 5000 + ")" * 5000),
    "an empty descr": header("{'descr': (), 'fortran_order': False, 'shape': (2, 3)}"),
    "a descr that is no dtype": header("{'descr': '(,)f4', 'fortran_order': False, 'shape': (2, 3)}"),
    "an unhashable key": header("{[]: 1}"),
    "bytes that are no text": header("{'descr': '\udcff'}".encode("utf-8", "surrogatepass").decode("latin-1")),
    "Python 2's numbers": header("{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L)}"),
}


@pytest.mark.parametrize("name", FORGED_ARRAYS)
def test_forged_arrays_are_refused(path, unpack, forge, name):
    members = unpack(path) | {"weights.npy": FORGED_ARRAYS[name]}
    with pytest.raises(CheckpointError, match="array weights") as error:
        read(forge(path, members.items()))
    assert "\n" not in str(error.value)


FORGED_METADATA = {
    "nothing": b"",
    "no JSON": b"{'single': 'quotes'}",
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "cut": b'{"a": ',
    "no Unicode": b'{"a": "\xff"}',
    "deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep lists": b"[" * 100_000,
    "a long number": b'{"a": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("name", FORGED_METADATA)
def test_forged_metadata_is_refused(path, unpack, forge, name):
    members = unpack(path) | {METADATA: FORGED_METADATA[name]}
    with pytest.raises(CheckpointError) as error:
        Archive(forge(path, members.items()))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressed_members_are_refused(path, unpack, forge, compression):
    """A small file could unpack to any size."""
    with pytest.raises(CheckpointError, match="compressed"):
        Archive(forge(path, unpack(path).items(), compression))


@pytest.mark.parametrize(("place", "value"), [(10, 8), (10, 12), (10, 14), (10, 99), (8, 1), (8, 0x41)])
def test_stored_members_that_claim_to_be_compressed_or_encrypted(path, seal, place, value):
    """By the method or the flags in the archive's directory."""
    data = bytearray(path.read_bytes())
    for record in re.finditer(rb"PK\x01\x02", bytes(data)):
        data[record.start() + place] = value
    path.write_bytes(seal(bytes(data)))
    with pytest.raises(CheckpointError, match="compressed or encrypted"):
        Archive(path)


def test_missing_and_duplicate_members(path, unpack, forge):
    members = unpack(path)
    with pytest.warns(UserWarning, match="Duplicate name"):
        forge(path, [*members.items(), ("weights.npy", members["weights.npy"])])
    with pytest.raises(CheckpointError, match="two members are called"):
        Archive(path)
    forge(path, [item for item in members.items() if item[0] != METADATA])
    with pytest.raises(CheckpointError, match="has no metadata"):
        Archive(path)
    forge(path, [item for item in members.items() if item[0] != "weights.npy"])
    with pytest.raises(CheckpointError, match="array weights is missing"):
        read(path)


def test_expect_refuses_missing_extra_and_wrongly_sized_arrays(path, unpack, forge):
    """By name and size, before any array is read. A member without .npy in its name is not the array of that name."""
    arrays = {"a": np.zeros((2, 3), np.float32), "b": np.zeros(4, np.float32)}
    kinds = {name: (array.shape, np.float32) for name, array in arrays.items()}
    write_archive(path, arrays, DATA)
    with Archive(path) as opened:
        opened.expect(kinds)
        for wrong in ((9, 9), (10**12,), (3, 10**5)):
            with pytest.raises(CheckpointError, match="the size of the array b is not"):
                opened.expect(kinds | {"b": (wrong, np.float64)})
        with pytest.raises(CheckpointError, match="array c is missing"):
            opened.expect(kinds | {"c": ((1,), np.float32), **{f"d{i}": ((1,), np.float32) for i in range(9)}})
        with pytest.raises(CheckpointError, match="is not part of its model"):
            opened.expect({"a": kinds["a"]})
    members = unpack(path)
    for name in ("b", "folder/", "../outside.npy", "c:b.npy", "/b.npy", "b.NPY"):
        forged = forge(path, [*members.items(), (name, members["b.npy"])])
        with Archive(forged) as opened, pytest.raises(CheckpointError, match="is not part of its model"):
            opened.expect(kinds)
