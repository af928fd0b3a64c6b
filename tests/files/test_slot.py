"""Slots: an older file is never lost, whatever happens while it is replaced."""

import errno
import os
from pathlib import Path

import pytest
from support.faults import at_call, fail

from charrnn.errors import CheckpointError
from charrnn.files.slot import Slot


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files():
    return {name: Path(name).read_text() for name in sorted(os.listdir()) if not name.endswith(".lock")}


def write(**contents):
    for name, content in contents.items():
        with open(name.replace("_", "."), "w") as file:
            file.write(content)


def test_a_new_file(folder):
    with Slot("run") as slot:
        slot.start()
        assert (slot.file, slot.replacing) == ("run", False)
        assert os.listdir() == [".run.lock"]
    assert os.listdir() == []


def test_an_old_file_stays_until_the_commit(folder):
    write(run="old", run_bak="older")
    with Slot("run") as slot:
        slot.start()
        assert slot.file == "run.new"
        write(run_new="new")
        assert files() == {"run": "old", "run.bak": "older", "run.new": "new"}
        slot.commit()
        assert files() == {"run": "new", "run.bak": "old"}
        assert slot.file == "run"
        slot.commit()
        assert files() == {"run": "new", "run.bak": "old"}


def test_resume_prefers_the_uncommitted_run(folder):
    write(run="old", run_new="new")
    with Slot("run") as slot:
        slot.resume()
        assert slot.file == "run.new"
        slot.commit()
    assert files() == {"run": "new", "run.bak": "old"}
    with Slot("run") as slot:
        slot.resume()
        assert slot.file == "run"


def test_start_keeps_an_uncommitted_run(folder):
    write(run="old", run_new="new")
    with Slot("run") as slot:
        slot.start()
        assert files() == {"run": "old", "run.new.bak": "new"}
        write(run_new="newest")
        slot.commit()
    assert files() == {"run": "newest", "run.bak": "old", "run.new.bak": "new"}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EPERM])
def test_commit_while_any_system_call_fails(folder, code):
    """Each call in turn. Both files are always there, and the next attempt succeeds."""
    for number in range(1, 1000):
        write(run="old", run_new="new", run_bak="older")
        with Slot("run") as slot:
            slot.resume()
            try:
                with at_call(number, fail(code)) as calls:
                    slot.commit()
            except CheckpointError as error:
                assert "run: cannot be replaced" in str(error)  # noqa: PT017 - it may also succeed
                assert {"old", "new"} <= set(files().values())
            assert os.path.exists("run")
            slot.commit()
            if calls[-1:] != ["unlink"]:
                assert files() == {"run": "new", "run.bak": "old"}
        if len(calls) < number:
            assert number > 5
            break
        os.unlink("run.bak")


def test_commit_killed_at_any_moment(folder):
    """A child process dies at each system call in turn. Both files are there, and the next run completes the commit."""
    with Slot("run") as slot:
        slot.replacing = True
        write(run="old", run_new="new")
        with at_call(0, None) as calls:
            slot.commit()
    for number in range(1, len(calls) + 2):
        write(run="old", run_new="new", run_bak="older")
        child = os.fork()
        if not child:
            try:
                slot = Slot("run").__enter__()
                slot.resume()
                with at_call(number, lambda: os._exit(0)):
                    slot.commit()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert {"old", "new"} <= set(files().values())
        assert os.path.exists("run")
        with Slot("run") as slot:
            slot.resume()
            slot.commit()
        assert files() == {"run": "new", "run.bak": "old"}, calls[:number]


def test_the_new_file_is_as_private_as_the_old(folder):
    write(run="old")
    os.chmod("run", 0o600)
    with Slot("run") as slot:
        slot.start()
        write(run_new="new")
        slot.commit()
    assert os.stat("run").st_mode & 0o777 == 0o600


def test_an_old_file_that_was_removed(folder):
    write(run="old")
    with Slot("run") as slot:
        slot.start()
        write(run_new="new")
        os.unlink("run")
        slot.commit()
    assert files() == {"run": "new"}


def test_through_a_link(folder):
    os.mkdir("far")
    write(**{"far/run": "old"})
    os.symlink("far/run", "link")
    with Slot("link") as slot:
        slot.start()
        assert slot.file == str(folder / "far" / "run.new")
        with open(slot.file, "w") as file:
            file.write("new")
        assert os.path.exists("far/.run.lock")
        slot.commit()
        assert slot.file == "link"
    assert os.path.islink("link")
    assert sorted(os.listdir("far")) == ["run", "run.bak"]
    assert Path("link").read_text() == "new"


def test_a_directory_with_the_name_of_the_backup(folder):
    write(run="old")
    os.mkdir("run.bak")
    with Slot("run") as slot, pytest.raises(CheckpointError, match=r"run\.bak is a directory"):
        slot.start()


def test_a_folder_that_was_removed(folder, monkeypatch):
    """Even the working folder: then the file is named by its full path."""
    os.mkdir("gone")
    monkeypatch.chdir("gone")
    with Slot("run") as slot:
        slot.start()
        os.unlink(".run.lock")
        os.rmdir("../gone")
        with pytest.raises(CheckpointError, match="run: cannot be written"):
            slot.acquire()
        slot.make_folder()
        slot.acquire()
        assert slot.file == str(folder / "gone" / "run")
        assert os.listdir(folder / "gone") == [".run.lock"]
    assert os.listdir(folder / "gone") == []


def test_temporary_files_of_dead_processes_are_removed(folder):
    for name in (".run.00000000.tmp", ".run.new.0123abcd.tmp", ".run.bak.00000000.tmp", ".other.0123abcd.tmp"):
        Path(name).touch()
    with Slot("run"):
        assert sorted(os.listdir()) == [".other.0123abcd.tmp", ".run.lock"]


def test_a_directory_is_never_moved(folder):
    """Here someone made a directory of the name of the old file meanwhile."""
    write(run="old")
    with Slot("run") as slot:
        slot.start()
        write(run_new="new")
        os.unlink("run")
        os.mkdir("run")
        with pytest.raises(CheckpointError, match="run: cannot be replaced"):
            slot.commit()
        assert slot.replacing
    assert sorted(os.listdir()) == ["run", "run.new"]
    assert os.path.isdir("run")
