"""Members of a team: copies of this process, and what becomes of them."""

import gc
import os
import signal
import subprocess
import sys
import time
from textwrap import dedent

import numpy as np
import pytest

from charrnn.parallel import workers
from charrnn.parallel.workers import shared_zeros, start_workers

BOTH = pytest.mark.parametrize(
    "forks", [pytest.param(True, marks=pytest.mark.skipif(not workers.FORKS, reason="no fork")), False]
)


@BOTH
def test_every_member_answers_in_order_and_keeps_what_it_counts(monkeypatch, forks):
    monkeypatch.setattr(workers, "FORKS", forks)
    count = [0] * 3

    def work(member, question):
        count[member] += 1
        return member, question, count[member], os.getpid() == parent

    parent = os.getpid()
    ask = start_workers(3, work)
    for number in (1, 2):
        here = [True, not forks, not forks]
        assert ask("x") == [(member, "x", number, here[member]) for member in range(3)]


@BOTH
def test_shared_arrays_are_common(monkeypatch, forks):
    monkeypatch.setattr(workers, "FORKS", forks)
    shared = shared_zeros((3, 4), np.float32)

    def work(member, question):
        shared[member] += question[member]

    question = np.arange(12).reshape(3, 4)
    ask = start_workers(3, work)
    ask(question)
    ask(question)
    np.testing.assert_array_equal(shared, 2 * question)


@BOTH
def test_an_error_of_any_member_is_raised(monkeypatch, forks):
    monkeypatch.setattr(workers, "FORKS", forks)

    def work(member, question):
        if member == question:
            raise MemoryError(f"member {member}")
        return member * question

    for member in range(3):
        ask = start_workers(3, work)
        with pytest.raises(MemoryError, match=f"member {member}"):
            ask(member)
        assert ask(3) == [0, 3, 6]  # and not what the others had answered before


@pytest.mark.skipif(not workers.FORKS, reason="no fork")
@pytest.mark.parametrize("when", ["before", "while"])
def test_the_work_of_a_member_that_died_is_done_here(when):
    parent = os.getpid()

    def work(member, question):
        if question == "die" and member == 1 and os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return member, os.getpid()

    ask = start_workers(3, work)
    (_, victim), (_, other) = ask("pids")[1:]
    if when == "before":
        os.kill(victim, signal.SIGKILL)
        while running(victim):
            time.sleep(0.001)
    assert ask("die") == [(0, parent), (1, parent), (2, other)]
    assert ask("again") == [(0, parent), (1, parent), (2, other)]
    gc.collect()  # Python 3.12.1 and 3.13.0 do not survive that if the pipe leaves an exported buffer behind


@pytest.mark.skipif(not workers.FORKS, reason="no fork")
def test_where_no_process_may_be_made_all_is_done_here(monkeypatch):
    def refuse():
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(os, "fork", refuse)
    assert start_workers(3, lambda member, question: (member, question, os.getpid()))("x") == [
        (m, "x", os.getpid()) for m in range(3)
    ]


@pytest.mark.skipif(not workers.FORKS, reason="no fork")
def test_copies_end_with_what_asked_them():
    ask = start_workers(2, lambda member, question: os.getpid())
    _, copy = ask(None)
    del ask
    with pytest.raises(ProcessLookupError):
        os.kill(copy, 0)


@pytest.mark.skipif(not workers.FORKS, reason="no fork")
def test_copies_heed_no_signal_and_do_not_outlive_a_killed_process(tmp_path):
    """Nor do they hold on to what it had open: a lock of a dead process would stay in the way."""
    script = dedent("""
        import fcntl, os, sys, time
        from charrnn.parallel.workers import start_workers
        lock = open(sys.argv[1], "w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        ask = start_workers(3, lambda member, question: os.getpid())
        print(*ask(None), flush=True)
        time.sleep(60)
    """)
    lock = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", script, lock], stdout=subprocess.PIPE, text=True) as process:
        original, *copies = map(int, process.stdout.readline().split())
        for copy in copies:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(copy, number)
            assert len(os.listdir(f"/proc/{copy}/fd")) == 1
        time.sleep(0.1)
        assert all(running(copy) for copy in copies)
        os.kill(original, signal.SIGKILL)
        process.wait()
    deadline = time.monotonic() + 10
    while any(map(running, copies)):
        assert time.monotonic() < deadline, "a copy outlives the process it was made by"
        time.sleep(0.01)


def running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
