"""Saving while a run is trained: what fails is tried again, what was saved stays whole, the status tells the truth."""

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
from charrnn.cli.train import autosave as keeper
from charrnn.errors import CheckpointError

SMALL = ("--hidden", "5", "--layers", "1", "--batch-size", "3", "--seq-length", "11", "--val-every", "4")
TRAIN = ("train", "corpus.txt", *SMALL, "--steps")


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """Every step with --save-every 0, however long that takes; and no waiting at the end."""
    monkeypatch.setattr(keeper, "SHARE", float("inf"))
    monkeypatch.setattr(keeper, "PAUSES", (0, 0))


@pytest.fixture
def failing(monkeypatch):
    """Have saves fail while `fails(step)`. The steps at which a save was tried."""
    tried, save = [], keeper.save

    def failing(fails):
        def save_or_fail(path, run):
            tried.append(run.progress.step)
            if fails(run.progress.step):
                raise CheckpointError(f"{path}: cannot be written (No space left on device)")
            save(path, run)

        monkeypatch.setattr(keeper, "save", save_or_fail)
        return tried

    return failing


class Limit:
    """No file may grow beyond so many bytes: as on a full disk, or under a quota."""

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
    assert err.count("No space left on device); training goes on and tries again in 0 s") == 3
    assert err.splitlines()[-1] == "saved in charrnn.npz again"
    assert load("charrnn.npz").progress.step == 6


def test_no_save_is_no_reason_to_be_slow(charrnn, failing):
    """What failed is tried again when it is due, not after every step."""
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
        "it was saved at step 3, and the 4 steps since then are lost"
    )
    assert "made by" not in err
    assert "stopped at" not in err
    assert load("charrnn.npz").progress.step == 3


def test_an_old_file_that_cannot_be_replaced(charrnn, trained, at_step):
    """All there is to know is in the new one, and the status says that it is not where it should be."""
    before = trained.read_bytes()
    at_step(3, lambda: os.mkdir("charrnn.npz.bak"))
    err = charrnn(*TRAIN, 7, "--force", status=1).err
    assert err.splitlines()[-1].startswith("charrnn: charrnn.npz: cannot be replaced (")
    assert err.splitlines()[-1].endswith("); all 7 steps are in charrnn.npz.new")
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
    """With room for two checkpoints, and then for one."""
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
def test_the_place_turns_into_something_else(charrnn, folder, at_step, trouble):
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
    assert "the 5 steps since then are lost" in err
    assert load("gone/run.npz").progress.step == 2


def test_a_folder_that_is_removed_is_made_again_for_the_last_save(charrnn, folder, at_step):
    (folder / "runs").mkdir()
    at_step(3, lambda: shutil.rmtree("runs"))
    err = charrnn(*TRAIN, 7, "--save-every", 0, "-c", "runs/run.npz").err
    assert err.count("runs/run.npz: cannot be written (No such file or directory); training goes on") == 5
    assert load("runs/run.npz").finished
    assert os.listdir("runs") == ["run.npz"]


def test_even_the_one_we_are_in(charrnn, folder, at_step, monkeypatch):
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
def test_whatever_call_of_a_save_fails_training_goes_on(charrnn, folder, monkeypatch):
    """Each system call in turn, of the save in which a run takes the place of an older one; the end is the same."""
    save, seen = keeper.Autosave.save, []

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
        monkeypatch.setattr(keeper.Autosave, "save", save_with_fault)
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
