"""Locks: one process at a time; a dead process never blocks another; no lock file stays behind."""

import errno
import os
import signal
import subprocess
import sys

import pytest
from support.faults import at_call, fail

from charrnn.errors import CheckpointError
from charrnn.files.lock import Lock

HOLDER = """
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
    """Another process, which holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, target], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "True\n"
        yield process
        process.kill()


def test_a_lock_is_acquired_and_released(target, tmp_path):
    lock = Lock("name", target)
    assert lock.acquire()
    assert lock.acquire()
    assert (tmp_path / ".run.npz.lock").read_text() == str(os.getpid())
    lock.release()
    assert os.listdir(tmp_path) == []
    lock.release()
    assert lock.acquire()
    lock.release()


def test_a_second_process_is_refused(target, tmp_path, other):
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
def test_a_dead_process_does_not_block(target, tmp_path, other, number):
    other.send_signal(number)
    other.wait()
    assert os.listdir(tmp_path) == [".run.npz.lock"]
    lock = Lock("name", target)
    assert lock.acquire()
    lock.release()
    assert os.listdir(tmp_path) == []


def test_a_child_process_does_not_hold_it(target):
    """So a killed run leaves nothing locked, even if one of its child processes outlives it."""
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


def test_a_lock_whose_file_was_removed_is_acquired_again(target, tmp_path):
    lock = Lock("name", target)
    lock.acquire()
    lock.path.unlink()
    assert lock.acquire()
    assert os.listdir(tmp_path) == [".run.npz.lock"]
    lock.release()


def test_a_lock_whose_file_was_removed_may_be_lost_to_another_process(target, tmp_path):
    lock = Lock("name", target)
    lock.acquire()
    lock.path.unlink()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, target], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "True\n"
        with pytest.raises(CheckpointError, match=f"process {other.pid}"):
            lock.acquire()
        lock.release()
        assert os.listdir(tmp_path) == [".run.npz.lock"]
        other.stdin.close()


def test_a_link_is_not_followed(target, tmp_path):
    """Otherwise anyone who can write in the folder could have us write into any file."""
    (tmp_path / "precious").write_text("precious")
    (tmp_path / ".run.npz.lock").symlink_to("precious")
    with pytest.raises(OSError, match="symbolic link"):
        Lock("name", target).acquire()
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_file_system_without_locks(target):
    """Such as some network file systems."""
    lock = Lock("name", target)
    with at_call(0, None) as calls:
        lock.acquire()
        lock.release()
    with at_call(calls.index("lockf") + 1, fail(errno.ENOLCK)):
        assert not lock.acquire()
    lock.release()
