"""train --force: the old checkpoint stays in place until the first validation, and is kept as a backup."""

import os
import shlex
import signal
import sys

import pytest
from support.checkpoint_content import content

from charrnn import load

SMALL = ("--hidden", "5", "--layers", "1", "--batch-size", "3", "--seq-length", "11", "--val-every", "4")
FORCE = ("train", "corpus.txt", *SMALL, "--force", "--steps")


def files():
    return sorted(set(os.listdir()) - {"corpus.txt"})


@pytest.fixture
def old(trained):
    return trained.read_bytes()


def test_the_old_file_is_kept_as_a_backup(charrnn, trained, old):
    err = charrnn(*FORCE, 6).err
    assert "charrnn.npz replaced; the previous version is kept as charrnn.npz.bak" in err
    assert files() == ["charrnn.npz", "charrnn.npz.bak"]
    with open("charrnn.npz.bak", "rb") as file:
        assert file.read() == old
    assert load("charrnn.npz").progress.step == 6


def test_the_old_file_stays_until_the_first_validation(charrnn, trained, old, at_step):
    seen = {}
    for step in (1, 3, 4, 5):

        def look(step=step):
            seen[step] = (trained.read_bytes() == old, files())

        at_step(step, look)
        charrnn(*FORCE, 6)
        trained.write_bytes(old)
        os.unlink("charrnn.npz.bak")
    before = (True, [".charrnn.npz.lock", "charrnn.npz", "charrnn.npz.new"])
    assert seen == {
        1: before,
        3: before,
        4: before,
        5: (False, [".charrnn.npz.lock", "charrnn.npz", "charrnn.npz.bak"]),
    }


def test_stopped_before_the_first_validation(charrnn, trained, old, stop_at):
    """Both files are there; --resume continues the new run."""
    charrnn(*FORCE, 6)
    os.rename("charrnn.npz", "whole.npz")
    os.rename("charrnn.npz.bak", "charrnn.npz")
    stop_at(3)
    err = charrnn(*FORCE, 6, status=130).err
    assert "stopped at step 3 of 6; saved in charrnn.npz.new" in err
    assert "charrnn.npz is unchanged" in err
    assert trained.read_bytes() == old
    assert load("charrnn.npz.new").progress.step == 3
    stop_at(None)
    resume = shlex.split(err.splitlines()[-1].partition("resume with: charrnn ")[2])
    assert "resuming charrnn.npz.new" in charrnn(*resume).err
    assert files() == ["charrnn.npz", "charrnn.npz.bak", "whole.npz"]
    assert content("charrnn.npz") == content("whole.npz")
    with open("charrnn.npz.bak", "rb") as file:
        assert file.read() == old


def test_the_old_run_can_be_resumed_if_the_new_file_is_moved_away(charrnn, trained, stop_at):
    stop_at(3)
    charrnn(*FORCE, 6, status=130)
    stop_at(None)
    os.rename("charrnn.npz.new", "elsewhere.npz")
    charrnn("train", "--resume", "--steps", 2)
    assert load("charrnn.npz").progress.step == 62


def test_force_again_before_the_first_validation(charrnn, trained, old, stop_at):
    """Neither the old run nor the first new one is lost if the command is repeated by mistake."""
    stop_at(3)
    charrnn(*FORCE, 6, status=130)
    begun = content("charrnn.npz.new")
    charrnn(*FORCE, 6, "--seed", 2, status=130)
    assert trained.read_bytes() == old
    assert content("charrnn.npz.new.bak") == begun
    assert load("charrnn.npz.new").options.seed == 2


def test_a_new_run_without_force_is_refused_while_another_waits(charrnn, trained, stop_at):
    stop_at(3)
    charrnn(*FORCE, 6, status=130)
    trained.unlink()
    err = charrnn("train", "corpus.txt", *SMALL, "--steps", 1, status=1).err
    assert "charrnn.npz.new: exists already" in err


@pytest.mark.parametrize("step", [None, 1])
def test_without_validation_the_old_file_is_replaced_at_the_first_step(charrnn, trained, old, stop_at, step):
    stop_at(step)
    charrnn(*FORCE, 6, "--val-fraction", 0, status=130 if step else 0)
    assert files() == ["charrnn.npz", "charrnn.npz.bak"]
    assert load("charrnn.npz").progress.step == (step or 6)


def test_killed_just_before_the_old_file_was_replaced(charrnn, trained, old):
    charrnn(*FORCE, 6)
    os.rename("charrnn.npz", "charrnn.npz.new")
    trained.write_bytes(old)
    assert "is finished: 6 steps" in charrnn("train", "--resume").err
    assert files() == ["charrnn.npz", "charrnn.npz.bak"]
    assert load("charrnn.npz").progress.step == 6


def test_with_nothing_to_replace(charrnn, folder):
    charrnn(*FORCE, 2)
    assert files() == ["charrnn.npz"]


@pytest.mark.parametrize("words", [["missing.txt"], ["corpus.txt", "--hidden", "1000000"]])
def test_a_run_that_cannot_start_changes_nothing(charrnn, trained, old, words):
    for name in ("charrnn.npz.new", "charrnn.npz.bak"):
        with open(name, "w") as file:
            file.write(name)
    charrnn("train", *words, "--force", "--steps", 1, status=1)
    assert files() == ["charrnn.npz", "charrnn.npz.bak", "charrnn.npz.new"]
    assert trained.read_bytes() == old


@pytest.mark.parametrize("ending", [".bak", ".new"])
def test_no_text_and_no_log_is_overwritten(charrnn, trained, folder, ending):
    name = f"charrnn.npz{ending}"
    (folder / "corpus.txt").rename(name)
    before = (folder / name).read_bytes()
    charrnn("train", name, *SMALL, "--force", "--steps", 5, status=1)
    charrnn("train", name, *SMALL, "-c", "other.npz", "--log", f"other.npz{ending}", "--steps", 5, status=1)
    assert (folder / name).read_bytes() == before


def test_killed_before_the_first_validation(shell, trained, old):
    code = (
        "import os, sys; from charrnn.__main__ import main; from charrnn.training.log import JsonLog\n"
        "JsonLog.add = lambda self, record: record.step == 3 and os.kill(os.getpid(), 9)\n"
        f"sys.argv[1:] = {[*FORCE, '6']}; main()"
    )
    assert shell(args=[sys.executable, "-c", code]).returncode == -signal.SIGKILL
    assert trained.read_bytes() == old
    assert files() == [".charrnn.npz.lock", "charrnn.npz", "charrnn.npz.new"]
    assert shell("train", "--resume").returncode == 0
    assert files() == ["charrnn.npz", "charrnn.npz.bak"]
    assert load("charrnn.npz").progress.step == 6
