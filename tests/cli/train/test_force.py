"""train --force: the old checkpoint stays until the new run has shown what it is worth, and is kept after that."""

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
    assert "charrnn.npz is this run from now on; what it was before is charrnn.npz.bak" in err
    assert files() == ["charrnn.npz", "charrnn.npz.bak"]
    with open("charrnn.npz.bak", "rb") as file:
        assert file.read() == old
    assert load("charrnn.npz").progress.step == 6


def test_it_stays_until_the_first_validation(charrnn, trained, old, at_step):
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
    """Both are there; what goes on is the new one, unless that is moved away."""
    charrnn(*FORCE, 6)
    os.rename("charrnn.npz", "whole.npz")
    os.rename("charrnn.npz.bak", "charrnn.npz")
    stop_at(3)
    err = charrnn(*FORCE, 6, status=130).err
    assert "stopped at step 3 of 6; saved in charrnn.npz.new" in err
    assert "charrnn.npz is what it was before" in err
    assert trained.read_bytes() == old
    assert load("charrnn.npz.new").progress.step == 3
    stop_at(None)
    resume = shlex.split(err.splitlines()[-1].partition("go on with: charrnn ")[2])
    assert "going on with charrnn.npz.new" in charrnn(*resume).err
    assert files() == ["charrnn.npz", "charrnn.npz.bak", "whole.npz"]
    assert content("charrnn.npz") == content("whole.npz")
    with open("charrnn.npz.bak", "rb") as file:
        assert file.read() == old


def test_the_old_one_can_be_gone_on_with_instead(charrnn, trained, stop_at):
    stop_at(3)
    charrnn(*FORCE, 6, status=130)
    stop_at(None)
    os.rename("charrnn.npz.new", "elsewhere.npz")
    charrnn("train", "--resume", "--steps", 2)
    assert load("charrnn.npz").progress.step == 62


def test_begun_once_more_before_the_first_validation(charrnn, trained, old, stop_at):
    """A habit of the hand: arrow up, return. Neither the old run nor the one that was begun is lost."""
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
def test_without_validation_the_first_save_after_the_start_counts(charrnn, trained, old, stop_at, step):
    stop_at(step)
    charrnn(*FORCE, 6, "--val-fraction", 0, status=130 if step else 0)
    assert files() == ["charrnn.npz", "charrnn.npz.bak"]
    assert load("charrnn.npz").progress.step == (step or 6)


def test_killed_when_all_was_done_but_to_take_the_place(charrnn, trained, old):
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
def test_a_run_that_cannot_begin_changes_nothing(charrnn, trained, old, words):
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
