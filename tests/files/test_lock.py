"""Locks: one process at a time, none that a dead process left, no file that stays behind."""

import errno
import os
import signal
import subprocess
import sys

import pytest
from support.faults import at_call, fail

from charrnn.errors import CheckpointError
from charrnn.files.lock import Lock

HOLD = """
import sys
from pathlib import Path
from charrnn.files.lock import Lock
lock = Lock("name", Path(sys.argv[1]))
print(lock.acquire(), flush=True)
sys.stdin.read()
lock.release()
"""


@pytest.fixture
def target(tmp_path):
    return tmp_path / "run.npz"


@pytest.fixture
def other(target):
    """Another process that holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, target], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "True\n"
        yield process
        process.kill()


def test_held_and_released(target, tmp_path):
    lock = Lock("name", target)
    assert lock.acquire()
    assert lock.acquire()
    assert (tmp_path / ".run.npz.lock").read_text() == str(os.getpid())
    lock.release()
    assert os.listdir(tmp_path) == []
    lock.release()
    assert lock.acquire()
    lock.release()


def test_only_one_process_has_it(target, tmp_path, other):
    lock = Lock("name", target)
    with pytest.raises(CheckpointError, match=rf"^name: in use by process {other.pid}; .* -c$"):
        lock.acquire()
    lock.release()
    assert os.listdir(tmp_path) == [".run.npz.lock"]
    other.stdin.close()
    other.wait()
    assert os.listdir(tmp_path) == []
    assert lock.acquire()
    lock.release()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_dead_process_is_not_in_the_way(target, tmp_path, other, number):
    other.send_signal(number)
    other.wait()
    assert os.listdir(tmp_path) == [".run.npz.lock"]
    lock = Lock("name", target)
    assert lock.acquire()
    lock.release()
    assert os.listdir(tmp_path) == []


def test_what_a_process_starts_does_not_have_it(target):
    """So a run that is killed leaves nothing locked, even if a process of its own outlives it."""
    script = f"""
import os, time
from pathlib import Path
from charrnn.files.lock import Lock
Lock("name", Path({str(target)!r})).acquire()
if os.fork() == 0:
    os.close(1)
    time.sleep(60)
print("forked", flush=True)
os.kill(os.getpid(), 9)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout.readline() == b"forked\n"
        process.wait()
        try:
            lock = Lock("name", target)
            assert lock.acquire()
            lock.release()
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def test_a_lock_whose_file_is_gone_is_taken_again(target, tmp_path):
    lock = Lock("name", target)
    lock.acquire()
    lock.path.unlink()
    assert lock.acquire()
    assert os.listdir(tmp_path) == [".run.npz.lock"]
    lock.release()


def test_or_not_if_another_was_faster(target, tmp_path):
    lock = Lock("name", target)
    lock.acquire()
    lock.path.unlink()
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, target], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "True\n"
        with pytest.raises(CheckpointError, match=f"process {other.pid}"):
            lock.acquire()
        lock.release()
        assert os.listdir(tmp_path) == [".run.npz.lock"]
        other.stdin.close()


def test_it_follows_no_link(target, tmp_path):
    """Whoever may write in the folder could have it lead anywhere."""
    (tmp_path / "precious").write_text("precious")
    (tmp_path / ".run.npz.lock").symlink_to("precious")
    with pytest.raises(OSError, match="symbolic link"):
        Lock("name", target).acquire()
    assert (tmp_path / "precious").read_text() == "precious"


def test_where_there_are_no_locks(target):
    """As on some network file systems."""
    lock = Lock("name", target)
    with at_call(0, None) as calls:
        lock.acquire()
        lock.release()
    with at_call(calls.index("lockf") + 1, fail(errno.ENOLCK)):
        assert not lock.acquire()
    lock.release()
