"""Checked .npz files: written whole or not at all, and read without trust."""

import errno
import io
import os
import re
import resource
import stat
import zipfile

import numpy as np
import pytest
from faults import at_call, fail

from charrnn.errors import CheckpointError
from charrnn.files import archive
from charrnn.files.archive import METADATA, Archive, write_archive

ARRAYS = {
    "weights": np.arange(6, dtype=np.float32).reshape(2, 3),
    "big.endian": np.arange(3, dtype=">f8"),
    "columns": np.asfortranarray(np.arange(6.0).reshape(3, 2)),
    "strided": np.arange(10.0)[::2],
    "empty": np.zeros((0, 4), np.float32),
    "single": np.array([np.pi]),
}
NEW = {"weights": np.zeros((200, 300), np.float32)}
DATA = {"text": "é世🙂\n\0", "list": [1, 2.5, None, True], "deeper": {"a": {}}}


@pytest.fixture
def path(tmp_path):
    write_archive(tmp_path / "some.npz", ARRAYS, DATA)
    return tmp_path / "some.npz"


def read(path, name="weights", like=None):
    like = ARRAYS[name] if like is None else like
    with Archive(path) as opened:
        return opened.read(name, like.shape, like.dtype)


def test_what_is_written_is_read(path):
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


def test_equal_content_is_equal_bytes(path, tmp_path):
    write_archive(tmp_path / "other.npz", ARRAYS, DATA)
    assert (tmp_path / "other.npz").read_bytes() == path.read_bytes()


def test_what_no_json_can_say_is_not_written(path):
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        write_archive(path, ARRAYS, {"value": float("nan")})
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["some.npz"]


class TestWriting:
    """The old file survives any failure, and nothing else is left."""

    def survives(self, path, before):
        return path.read_bytes() == before and os.listdir(path.parent) == [path.name]

    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
    def test_when_any_system_call_fails(self, path, tmp_path, code):
        """Each one in turn. The old content or the new, and the caller knows."""
        old, failed, said = path.read_bytes(), set(), set()
        for number in range(1, 1000):
            path.write_bytes(old)
            try:
                with at_call(number, fail(code)) as calls:
                    write_archive(path, NEW, DATA)
            except CheckpointError as error:
                said.add(str(error))
                replaced = "replace" in calls[:-1]
            else:
                replaced = True
            assert replaced or path.read_bytes() == old
            read(path, like=NEW["weights"] if replaced else None)
            if calls[-1:] != ["unlink"]:  # which is what would have removed it
                assert os.listdir(path.parent) == [path.name]
            if len(calls) < number:
                break
            failed.add(calls[number - 1])
        assert {"open", "write", "seek", "flush", "fsync", "chmod", "stat", "replace", "unlink"} <= failed
        no_way_back = "the file cannot be written in more than one place"  # what zipfile takes a failing seek for
        assert said == {f"{path}: cannot be written ({why})" for why in (os.strerror(code), no_way_back)}

    def test_when_the_disk_is_full(self, path, tmp_path):
        """The operating system refuses every byte beyond a limit, wherever in the file that is."""
        write_archive(path, NEW, DATA)
        size = path.stat().st_size
        write_archive(path, ARRAYS, DATA)
        before, (soft, hard) = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
        for limit in (0, 1, 30, 100, size // 2, size - 200, size - 1):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
            try:
                with pytest.raises(CheckpointError, match="File too large"):
                    write_archive(path, NEW, DATA)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            assert self.survives(path, before)

    @pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
    def test_when_it_is_interrupted(self, path, monkeypatch, error):
        before = path.read_bytes()

        def interrupted(*args, **kwargs):
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(archive.np.lib.format, "write_array", interrupted)
            with pytest.raises(error):
                write_archive(path, NEW, DATA)
        assert self.survives(path, before)

    def test_where_it_cannot_be(self, tmp_path):
        for wrong in (tmp_path / "nowhere" / "some.npz", tmp_path):
            with pytest.raises(CheckpointError, match="cannot be written"):
                write_archive(wrong, ARRAYS, DATA)
        assert os.listdir(tmp_path) == []

    @pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
    def test_a_new_file_is_as_open_as_any(self, tmp_path, umask):
        before = os.umask(umask)
        try:
            write_archive(tmp_path / "new.npz", ARRAYS, DATA)
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "new.npz").stat().st_mode) == 0o666 & ~umask

    @pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o400])
    def test_an_existing_file_keeps_its_mode(self, path, mode):
        path.chmod(mode)
        write_archive(path, NEW, DATA)
        assert stat.S_IMODE(path.stat().st_mode) == mode

    def test_a_link_stays_a_link(self, path, tmp_path):
        (tmp_path / "folder").mkdir()
        for link, target in (("link.npz", path), ("dangling.npz", tmp_path / "folder" / "made.npz")):
            (tmp_path / link).symlink_to(os.path.relpath(target, tmp_path))
            write_archive(tmp_path / link, NEW, DATA)
            assert (tmp_path / link).is_symlink()
            assert read(target, like=NEW["weights"]).any() == 0


class TestDamage:
    def test_any_flipped_byte(self, path, tmp_path):
        whole, damaged = path.read_bytes(), tmp_path / "damaged.npz"
        for place in range(len(whole)):
            data = bytearray(whole)
            data[place] ^= 1 << place % 8
            damaged.write_bytes(data)
            with pytest.raises(CheckpointError, match=r"checksum|no \.npz file"):
                Archive(damaged)

    def test_any_cut_and_any_addition(self, path, tmp_path):
        whole, damaged = path.read_bytes(), tmp_path / "damaged.npz"
        for length in range(len(whole)):
            damaged.write_bytes(whole[:length])
            with pytest.raises(CheckpointError, match=r"checksum|no \.npz file"):
                Archive(damaged)
        for data in (whole + b"\0", b"\0" + whole, whole + whole, whole[:10] + whole):
            damaged.write_bytes(data)
            with pytest.raises(CheckpointError, match=r"checksum|no \.npz file"):
                Archive(damaged)

    def test_any_flipped_byte_under_a_right_checksum(self, path, tmp_path, seal):
        """What holds the archive together is damaged, too: all is read as it was, or CheckpointError."""
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

    def test_what_is_no_checkpoint(self, tmp_path):
        np.savez(tmp_path / "plain.npz", a=np.zeros(3))
        (tmp_path / "text.npz").write_text("PK\x03\x04 is how it begins")
        (tmp_path / "empty.npz").write_bytes(b"")
        for name in ("plain.npz", "text.npz", "empty.npz"):
            with pytest.raises(CheckpointError, match="not a checkpoint that can be used"):
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
def test_a_forged_array(path, unpack, forge, name):
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
def test_forged_metadata(path, unpack, forge, name):
    members = unpack(path) | {METADATA: FORGED_METADATA[name]}
    with pytest.raises(CheckpointError) as error:
        Archive(forge(path, members.items()))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressed_members_are_refused(path, unpack, forge, compression):
    """A small file could unfold to any size."""
    with pytest.raises(CheckpointError, match="compressed"):
        Archive(forge(path, unpack(path).items(), compression))


@pytest.mark.parametrize(("place", "value"), [(10, 8), (10, 12), (10, 14), (10, 99), (8, 1), (8, 0x41)])
def test_stored_members_that_claim_to_be_otherwise(path, seal, place, value):
    """The method or the flags in the archive's directory say compressed, or encrypted."""
    data = bytearray(path.read_bytes())
    for record in re.finditer(rb"PK\x01\x02", bytes(data)):
        data[record.start() + place] = value
    path.write_bytes(seal(bytes(data)))
    with pytest.raises(CheckpointError, match="compressed or encrypted"):
        Archive(path)


def test_missing_and_doubled_members(path, unpack, forge):
    members = unpack(path)
    with pytest.warns(UserWarning, match="Duplicate name"):
        forge(path, [*members.items(), ("weights.npy", members["weights.npy"])])
    with pytest.raises(CheckpointError, match="two members of one name"):
        Archive(path)
    forge(path, [item for item in members.items() if item[0] != METADATA])
    with pytest.raises(CheckpointError, match="holds no metadata"):
        Archive(path)
    forge(path, [item for item in members.items() if item[0] != "weights.npy"])
    with pytest.raises(CheckpointError, match="array weights is missing"):
        read(path)


def test_what_is_expected_is_all_there_is(path, unpack, forge):
    """By name and size, before anything is read; what is no .npy file does not pass for the array of its name."""
    arrays = {"a": np.zeros((2, 3), np.float32), "b": np.zeros(4, np.float32)}
    kinds = {name: (array.shape, np.float32) for name, array in arrays.items()}
    write_archive(path, arrays, DATA)
    with Archive(path) as opened:
        opened.expect(kinds)
        for wrong in ((9, 9), (10**12,), (3, 10**5)):
            with pytest.raises(CheckpointError, match="not the size"):
                opened.expect(kinds | {"b": (wrong, np.float64)})
        with pytest.raises(CheckpointError, match="array c is missing"):
            opened.expect(kinds | {"c": ((1,), np.float32), **{f"d{i}": ((1,), np.float32) for i in range(9)}})
        with pytest.raises(CheckpointError, match="does not belong to its model"):
            opened.expect({"a": kinds["a"]})
    members = unpack(path)
    for name in ("b", "folder/", "../outside.npy", "c:b.npy", "/b.npy", "b.NPY"):
        forged = forge(path, [*members.items(), (name, members["b.npy"])])
        with Archive(forged) as opened, pytest.raises(CheckpointError, match="does not belong to its model"):
            opened.expect(kinds)
