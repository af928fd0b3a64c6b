"""Checked .npz files are written completely or not at all. After any failure the old file is there and no other."""

import errno
import os
import resource
import stat

import numpy as np
import pytest
from support.archives import ARRAYS, DATA, read
from support.faults import at_call, fail

from charrnn.errors import CheckpointError
from charrnn.files import archive
from charrnn.files.archive import write_archive

NEW = {"weights": np.zeros((200, 300), np.float32)}


def survives(path, before):
    return path.read_bytes() == before and os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_when_any_system_call_fails(path, tmp_path, code):
    """Each call in turn. The file has the old content or the new, and the caller is told which."""
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
        if calls[-1:] != ["unlink"]:  # the call that would have removed the temporary file
            assert os.listdir(path.parent) == [path.name]
        if len(calls) < number:
            break
        failed.add(calls[number - 1])
    assert {"open", "write", "seek", "flush", "fsync", "chmod", "stat", "replace", "unlink"} <= failed
    no_seek = "it is not possible to seek in the file"  # zipfile takes a failing seek for a stream
    assert said == {f"{path}: cannot be written ({why})" for why in (os.strerror(code), no_seek)}


def test_when_the_disk_is_full(path, tmp_path):
    """The operating system refuses every byte beyond a limit, at several places in the file."""
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
        assert survives(path, before)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_when_it_is_interrupted(path, monkeypatch, error):
    before = path.read_bytes()

    def interrupted(*args, **kwargs):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(archive.np.lib.format, "write_array", interrupted)
        with pytest.raises(error):
            write_archive(path, NEW, DATA)
    assert survives(path, before)


def test_a_path_that_cannot_be_written(tmp_path):
    for wrong in (tmp_path / "nowhere" / "some.npz", tmp_path):
        with pytest.raises(CheckpointError, match="cannot be written"):
            write_archive(wrong, ARRAYS, DATA)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_archive(tmp_path / "new.npz", ARRAYS, DATA)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.npz").stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o400])
def test_an_existing_file_keeps_its_mode(path, mode):
    path.chmod(mode)
    write_archive(path, NEW, DATA)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_link_stays_a_link(path, tmp_path):
    (tmp_path / "folder").mkdir()
    for link, target in (("link.npz", path), ("dangling.npz", tmp_path / "folder" / "made.npz")):
        (tmp_path / link).symlink_to(os.path.relpath(target, tmp_path))
        write_archive(tmp_path / link, NEW, DATA)
        assert (tmp_path / link).is_symlink()
        assert read(target, like=NEW["weights"]).any() == 0
