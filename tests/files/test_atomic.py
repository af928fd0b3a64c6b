"""Files that are replaced whole or not at all; see test_archive.py for what holds whatever call fails."""

import errno
import os

import pytest
from support.faults import at_call, fail

from charrnn.files import atomic
from charrnn.files.atomic import replacing, sweep


def replace(path, content):
    with replacing(path) as file:
        file.write(content)


def test_the_old_file_is_there_until_all_is_written(tmp_path):
    path = tmp_path / "file"
    replace(path, b"old")
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


def test_two_at_once_do_not_mix(tmp_path):
    path = tmp_path / "file"
    with replacing(path) as one, replacing(path) as other:
        one.write(b"one" * 1000)
        other.write(b"other" * 1000)
    assert path.read_bytes() == b"one" * 1000  # the outer one is the last to end
    assert os.listdir(tmp_path) == ["file"]


def test_what_killed_processes_left_is_swept_and_nothing_else(tmp_path):
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


def test_what_it_writes_to_is_what_it_sweeps(tmp_path):
    with replacing(tmp_path / "a [b] (c)+.npz") as file:
        (tmp_path / "copy").hardlink_to(file.name)
        left = os.path.basename(file.name)
    (tmp_path / "copy").rename(tmp_path / left)
    sweep(tmp_path / "a [b] (c)+.npz")
    assert os.listdir(tmp_path) == ["a [b] (c)+.npz"]


def test_sweeping_where_one_may_not(tmp_path):
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
def test_a_folder_that_cannot_be_flushed_is_no_reason_to_fail_but_a_failing_disk_is(tmp_path, call, code, raised):
    with at_call(0, None) as calls:
        atomic.sync_folder(tmp_path)
    try:
        with at_call(calls.index(call) + 1, fail(code)):
            atomic.sync_folder(tmp_path)
    except OSError:
        assert raised
    else:
        assert not raised
