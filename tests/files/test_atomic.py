"""Atomic replacement of files; test_archive_writing.py tests what happens when a system call fails."""

import errno
import os

import pytest
from support.faults import at_call, fail

from charrnn.files import atomic
from charrnn.files.atomic import replacing, sweep


def replace(path, content):
    with replacing(path) as file:
        file.write(content)


def test_the_old_file_stays_until_all_is_written(tmp_path):
    path = tmp_path / "file"
    replace(path, b"old")
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


def test_two_writers_do_not_mix(tmp_path):
    path = tmp_path / "file"
    with replacing(path) as one, replacing(path) as other:
        one.write(b"one" * 1000)
        other.write(b"other" * 1000)
    assert path.read_bytes() == b"one" * 1000  # the outer one is the last to end
    assert os.listdir(tmp_path) == ["file"]


def test_sweep_removes_temporary_files_of_this_name_only(tmp_path):
    names = [".a.npz.0123abcd.tmp", ".a.npz.ffffffff.tmp"]
    others = [
        "a.npz",
        ".b.npz.0123abcd.tmp",
        ".a.npz.x.0123abcd.tmp",
        ".aXnpz.0123abcd.tmp",
        ".a.npz.tmp",
        ".a.npz.lock",
    ]
    for name in names + others:
        (tmp_path / name).touch()
    sweep(tmp_path / "a.npz")
    assert sorted(os.listdir(tmp_path)) == sorted(others)


def test_sweep_removes_the_files_that_replacing_writes(tmp_path):
    with replacing(tmp_path / "a [b] (c)+.npz") as file:
        (tmp_path / "copy").hardlink_to(file.name)
        left = os.path.basename(file.name)
    (tmp_path / "copy").rename(tmp_path / left)
    sweep(tmp_path / "a [b] (c)+.npz")
    assert os.listdir(tmp_path) == ["a [b] (c)+.npz"]


def test_sweep_ignores_what_it_cannot_remove(tmp_path):
    sweep(tmp_path / "nowhere" / "a.npz")
    (tmp_path / ".a.npz.0123abcd.tmp").mkdir()
    sweep(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("call", "code", "raised"),
    [
        ("open", errno.EACCES, False),
        ("open", errno.EIO, True),
        ("fsync", errno.EINVAL, False),
        ("fsync", errno.EIO, True),
    ],
)
def test_only_a_failing_disk_makes_flushing_a_folder_fail(tmp_path, call, code, raised):
    with at_call(0, None) as calls:
        atomic.sync_folder(tmp_path)
    try:
        with at_call(calls.index(call) + 1, fail(code)):
            atomic.sync_folder(tmp_path)
    except OSError:
        assert raised
    else:
        assert not raised
