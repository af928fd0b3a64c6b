"""Saving during training: failed saves are retried, earlier saves stay intact, and the exit status reports failure."""

import errno
import os
import resource
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from support.checkpoint_content import content
from support.faults import at_call, fail

from charrnn import load
from charrnn.cli.train import autosave
from charrnn.errors import CheckpointError

SMALL = ("--hidden", "5", "--layers", "1", "--batch-size", "3", "--seq-length", "11", "--val-every", "4")
TRAIN = ("train", "corpus.txt", *SMALL, "--steps")


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """With --save-every 0, save at every step, however slow the machine; do not wait between attempts at the end."""
    monkeypatch.setattr(autosave, "SHARE", float("inf"))
    monkeypatch.setattr(autosave, "PAUSES", (0, 0))


@pytest.fixture
def failing(monkeypatch):
    """Make saves fail while `fails(step)`; returns the list of steps at which a save was tried."""
    tried, save = [], autosave.save

    def failing(fails):
        def save_or_fail(path, run):
            tried.append(run.progress.step)
            if fails(run.progress.step):
                raise CheckpointError(f"{path}: cannot be written (No space left on device)")
            save(path, run)

        monkeypatch.setattr(autosave, "save", save_or_fail)
        return tried

    return failing


class Limit:
    """A context in which no file may grow beyond `size` bytes, as on a full disk."""

    def __init__(self, size):
        self.size = size

    def __enter__(self):
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, self.before[1]))

    def __exit__(self, *_):
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)


def test_a_save_that_fails_is_tried_again(charrnn, failing):
    tried = failing(lambda step: 0 < step < 4)
    err = charrnn(*TRAIN, 6, "--save-every", 0, "--quiet").err
    assert tried == [0, 1, 2, 3, 4, 5, 6, 6]
    assert err.count("No space left on device); training continues and saves again in 0 s") == 3
    assert err.splitlines()[-1] == "charrnn.npz: saved again"
    assert load("charrnn.npz").progress.step == 6


def test_a_failed_save_does_not_slow_training_down(charrnn, failing):
    """It is tried again when the next save is due, not after every step."""
    tried = failing(lambda step: 0 < step < 6)
    charrnn(*TRAIN, 6)
    assert tried == [0, 6]


def test_the_last_save_is_tried_several_times(charrnn, failing):
    remaining = [2]

    def fails(step):
        remaining[0] -= step == 5
        return step == 5 and remaining[0] >= 0

    failing(fails)
    err = charrnn(*TRAIN, 5).err
    assert err.count("trying again in 0 s") == 2
    assert "saved in charrnn.npz, made by" in err
    assert load("charrnn.npz").progress.step == 5


@pytest.mark.parametrize("stopped", [False, True])
def test_a_last_save_that_fails_for_good(charrnn, failing, stop_at, stopped):
    failing(lambda step: step > 3)
    if stopped:
        stop_at(7)
    err = charrnn(*TRAIN, 7, "--save-every", 0, status=1).err
    assert err.splitlines()[-1] == (
        "charrnn: charrnn.npz: cannot be written (No space left on device); "
        "the last save was at step 3; 4 steps since then are lost"
    )
    assert "made by" not in err
    assert "stopped at" not in err
    assert load("charrnn.npz").progress.step == 3


def test_an_old_checkpoint_that_cannot_be_replaced(charrnn, trained, at_step):
    """The new file holds the whole run, and the exit status reports that it is not in its place."""
    before = trained.read_bytes()
    at_step(3, lambda: os.mkdir("charrnn.npz.bak"))
    err = charrnn(*TRAIN, 7, "--force", status=1).err
    assert err.splitlines()[-1].startswith("charrnn: charrnn.npz: cannot be replaced (")
    assert err.splitlines()[-1].endswith("); 7 steps saved in charrnn.npz.new")
    assert trained.read_bytes() == before
    os.rmdir("charrnn.npz.bak")
    at_step(0, None)
    charrnn("train", "--resume")
    assert load("charrnn.npz").progress.step == 7


def test_a_disk_that_fills_up(charrnn, folder, at_step):
    """The operating system refuses every byte beyond a limit (SIGXFSZ, EFBIG)."""
    charrnn(*TRAIN, 9)
    os.rename("charrnn.npz", "whole.npz")
    limit = Limit(1000)
    at_step(3, limit.__enter__)
    try:
        err = charrnn(*TRAIN, 9, "--save-every", 0, status=1).err
    finally:
        limit.__exit__()
        at_step(0, None)
    assert "File too large" in err
    assert load("charrnn.npz").progress.step == 2
    assert sorted(os.listdir()) == ["charrnn.npz", "corpus.txt", "whole.npz"]
    charrnn("train", "--resume")
    assert content("charrnn.npz") == content("whole.npz")


def test_a_disk_that_is_full_from_the_start(charrnn, trained):
    before = trained.read_bytes()
    with Limit(1000):
        err = charrnn("train", "--resume", "--steps", 3, status=1).err
    assert err.splitlines()[-1] == "charrnn: charrnn.npz: cannot be written (File too large)"
    assert trained.read_bytes() == before


def test_a_small_file_system(folder, charrnn, at_step):
    """It has room for two checkpoints at first, and then for one."""
    (folder / "small").mkdir()

    def fill():
        with suppress(OSError):
            shutil.copyfile("/dev/zero", "small/full")

    mount = ["mount", "-t", "tmpfs", "-o", "size=80k", "charrnn-test", "small"]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        at_step(3, fill)
        err = charrnn(*TRAIN, 9, "--save-every", 0, "-c", "small/run.npz", status=1).err
        assert "small/run.npz: cannot be written (No space left on device)" in err
        assert load("small/run.npz").progress.step == 2
        assert sorted(os.listdir("small")) == ["full", "run.npz"]
        os.unlink("small/full")
        at_step(0, None)
        charrnn("train", "--resume", "-c", "small/run.npz")
        assert load("small/run.npz").finished
    finally:
        subprocess.run(["umount", "small"], check=True)


@pytest.mark.parametrize("trouble", ["directory", "file in the way"])
def test_the_path_becomes_something_else(charrnn, folder, at_step, trouble):
    (folder / "runs").mkdir()

    def spoil():
        shutil.move("runs", "gone")
        if trouble == "directory":
            os.makedirs("runs/run.npz")
        else:
            Path("runs").touch()

    at_step(3, spoil)
    err = charrnn(*TRAIN, 7, "--save-every", 0, "-c", "runs/run.npz", status=1).err
    assert "runs/run.npz: cannot be written" in err
    assert "5 steps since then are lost" in err
    assert load("gone/run.npz").progress.step == 2


def test_a_removed_folder_is_made_again_for_the_last_save(charrnn, folder, at_step):
    (folder / "runs").mkdir()
    at_step(3, lambda: shutil.rmtree("runs"))
    err = charrnn(*TRAIN, 7, "--save-every", 0, "-c", "runs/run.npz").err
    assert err.count("runs/run.npz: cannot be written (No such file or directory); training continues") == 5
    assert load("runs/run.npz").finished
    assert os.listdir("runs") == ["run.npz"]


def test_a_removed_working_folder_is_made_again_for_the_last_save(charrnn, folder, at_step, monkeypatch):
    (folder / "runs").mkdir()
    monkeypatch.chdir("runs")
    at_step(3, lambda: shutil.rmtree(folder / "runs"))
    charrnn("train", "../corpus.txt", *TRAIN[2:], 7, "--save-every", 0)
    assert load(folder / "runs" / "charrnn.npz").finished


def test_a_folder_that_becomes_read_only(charrnn, folder, at_step):
    (folder / "runs").mkdir(mode=0o500)
    if os.access("runs", os.W_OK):
        pytest.skip("root may write anywhere")
    os.chmod("runs", 0o700)
    at_step(3, lambda: os.chmod("runs", 0o500))
    err = charrnn(*TRAIN, 7, "--save-every", 0, "-c", "runs/run.npz", status=1).err
    assert "Permission denied" in err
    assert load("runs/run.npz").progress.step == 2
    os.chmod("runs", 0o700)


@pytest.mark.slow
def test_training_continues_whichever_system_call_of_a_save_fails(charrnn, folder, monkeypatch):
    """Each system call fails once, in the save by which a run replaces an older one; the result is the same."""
    save, seen = autosave.Autosave.save, []

    def save_with_fault(self):
        if self.run.progress.step != 4 or seen:
            return save(self)
        with at_call(number, fail(errno.EROFS)) as calls:
            seen.append(calls)
            return save(self)

    for number in range(200):
        seen.clear()
        for name in ("charrnn.npz", "charrnn.npz.bak"):
            Path(name).write_text("older")
        monkeypatch.setattr(autosave.Autosave, "save", save_with_fault)
        err = charrnn(*TRAIN, 6, "--force", "--save-every", 0).err
        if not number:  # nothing failed
            shutil.copy("charrnn.npz", "whole.npz")
        assert content("charrnn.npz") == content("whole.npz")
        assert Path("charrnn.npz.bak").read_text() == "older"
        left = {name for name in os.listdir() if name.endswith((".new", ".lock", ".tmp"))}
        assert not left or seen[0][-1] == "unlink"
        assert "Traceback" not in err
        if len(seen[0]) < number:
            break
        for name in left:
            os.unlink(name)
    assert number > 50
