"""How often a run is saved: not so often that it slows training, and by one process only."""

import os

import pytest

from charrnn import load
from charrnn.cli.train import autosave

SMALL = ("--hidden", "5", "--layers", "1", "--batch-size", "3", "--seq-length", "11", "--val-every", "4")
TRAIN = ("train", "corpus.txt", *SMALL, "--steps")


@pytest.fixture(autouse=True)
def save_however_slow(monkeypatch):
    """Do not save less often on a slow machine, except where a test sets SHARE."""
    monkeypatch.setattr(autosave, "SHARE", float("inf"))


class Clock:
    """A clock that only saves advance."""

    def __init__(self, monkeypatch, cost):
        self.now, self.cost, save = 0.0, cost, autosave.save

        def slow(path, run):
            self.now += self.cost
            save(path, run)

        monkeypatch.setattr(autosave, "save", slow)
        monkeypatch.setattr(autosave, "perf_counter", lambda: self.now)
        monkeypatch.setattr(autosave, "SHARE", 0.01)


def test_slow_saves_become_rarer(charrnn, monkeypatch, at_step):
    clock = Clock(monkeypatch, cost=2.0)
    saved, save = [], autosave.save
    monkeypatch.setattr(autosave, "save", lambda path, run: (saved.append(run.progress.step), save(path, run)))

    def pass_time(step):
        def act():
            clock.now += 50
            at_step(step + 1, pass_time(step + 1))

        return act

    at_step(1, pass_time(1))
    err = charrnn(*TRAIN, 12, "--save-every", 30, "--quiet").err
    assert saved == [0, 5, 10, 12]  # 250 s apart: the first step after 200 s
    assert err == "saving took 2 s: the run is now saved every 3.3 min instead of every 30 s\n"


def test_quick_saves_keep_the_interval(charrnn, monkeypatch):
    Clock(monkeypatch, cost=0.29)
    assert "saving took" not in charrnn(*TRAIN, 3, "--save-every", 30).err


def test_the_number_of_steps_is_saved_as_soon_as_it_is_known(charrnn, monkeypatch):
    saved, save = [], autosave.save
    monkeypatch.setattr(autosave, "save", lambda path, run: (saved.append(run.schedule.total), save(path, run)))
    charrnn("train", "corpus.txt", *SMALL, "--minutes", 0.01)
    assert saved[0] is None
    assert len(saved) == 3
    assert saved[1] == saved[2] == load("charrnn.npz").progress.step


def test_two_runs_on_the_same_checkpoint(charrnn, shell, folder, at_step):
    """The second run is refused, new or resumed; commands that only read are not."""
    results = []

    def try_others():
        lines = ("train corpus.txt --force", "train --resume", "sample --length 3", "info")
        results.extend(shell(*line.split()) for line in lines)

    at_step(2, try_others)
    charrnn(*TRAIN, 3)
    for result in results[:2]:
        assert (result.returncode, result.stdout) == (1, b"")
        assert result.stderr.startswith(f"charrnn: charrnn.npz: in use by process {os.getpid()}; ".encode())
        assert result.stderr.count(b"\n") == 1
    assert [result.returncode for result in results[2:]] == [0, 0]
    assert load("charrnn.npz").finished


def test_two_runs_on_two_names_of_the_same_checkpoint(charrnn, shell, folder, at_step):
    os.symlink("charrnn.npz", "link.npz")
    results = []
    at_step(2, lambda: results.append(shell("train", "corpus.txt", "-c", "link.npz", "--force")))
    charrnn(*TRAIN, 3)
    assert results[0].returncode == 1
    assert b"in use by" in results[0].stderr


def test_a_warning_where_locks_do_not_work(charrnn, monkeypatch):
    monkeypatch.setattr("charrnn.files.lock.Lock.acquire", lambda self: False)
    assert "cannot be locked" in charrnn(*TRAIN, 2, "--quiet").err
