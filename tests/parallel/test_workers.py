"""Workers: forked processes or threads, their results, and their end."""

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
def test_results_come_in_order_of_rank_and_workers_keep_their_variables(monkeypatch, forks):
    monkeypatch.setattr(workers, "FORKS", forks)
    count = [0] * 3

    def work(rank, task):
        count[rank] += 1
        return rank, task, count[rank], os.getpid() == parent

    parent = os.getpid()
    run = start_workers(3, work)
    for number in (1, 2):
        here = [True, not forks, not forks]
        assert run("x") == [(rank, "x", number, here[rank]) for rank in range(3)]


@BOTH
def test_all_workers_write_to_shared_arrays(monkeypatch, forks):
    monkeypatch.setattr(workers, "FORKS", forks)
    shared = shared_zeros((3, 4), np.float32)

    def work(rank, task):
        shared[rank] += task[rank]

    task = np.arange(12).reshape(3, 4)
    run = start_workers(3, work)
    run(task)
    run(task)
    np.testing.assert_array_equal(shared, 2 * task)


@BOTH
def test_an_error_of_any_worker_is_raised(monkeypatch, forks):
    monkeypatch.setattr(workers, "FORKS", forks)

    def work(rank, task):
        if rank == task:
            raise MemoryError(f"rank {rank}")
        return rank * task

    for rank in range(3):
        run = start_workers(3, work)
        with pytest.raises(MemoryError, match=f"rank {rank}"):
            run(rank)
        assert run(3) == [0, 3, 6]  # not results left over from the failed task


@pytest.mark.skipif(not workers.FORKS, reason="no fork")
@pytest.mark.parametrize("when", ["before", "while"])
def test_the_caller_does_the_work_of_a_worker_that_died(when):
    parent = os.getpid()

    def work(rank, task):
        if task == "die" and rank == 1 and os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return rank, os.getpid()

    run = start_workers(3, work)
    (_, victim), (_, other) = run("pids")[1:]
    if when == "before":
        os.kill(victim, signal.SIGKILL)
        while running(victim):
            time.sleep(0.001)
    assert run("die") == [(0, parent), (1, parent), (2, other)]
    assert run("again") == [(0, parent), (1, parent), (2, other)]
    gc.collect()  # Python 3.12.1 and 3.13.0 do not survive that if the pipe leaves an exported buffer behind


@pytest.mark.skipif(not workers.FORKS, reason="no fork")
def test_the_caller_does_all_work_if_no_process_can_be_forked(monkeypatch):
    def refuse():
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(os, "fork", refuse)
    assert start_workers(3, lambda rank, task: (rank, task, os.getpid()))("x") == [
        (m, "x", os.getpid()) for m in range(3)
    ]


@pytest.mark.skipif(not workers.FORKS, reason="no fork")
@pytest.mark.parametrize("forget", [False, True])
def test_workers_end_when_closed_or_forgotten(forget):
    run = start_workers(2, lambda rank, task: os.getpid())
    _, pid = run(None)
    if forget:
        del run
    else:
        run.close()
        run.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.skipif(not workers.FORKS, reason="no fork")
def test_closing_waits_for_no_other_child():
    """A process forked later keeps a copy of the pipe open, so the worker does not see it close."""
    run = start_workers(2, lambda rank, task: os.getpid())
    _, pid = run(None)
    other = os.fork()
    if other == 0:
        time.sleep(60)
        os._exit(0)
    try:
        run.close()
        assert running(other)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    finally:
        os.kill(other, signal.SIGKILL)
        os.waitpid(other, 0)


@BOTH
def test_closed_workers_are_gone_even_in_the_middle_of_a_task(monkeypatch, forks):
    monkeypatch.setattr(workers, "FORKS", forks)

    def work(rank, task):
        if rank == 0:
            raise ValueError("rank 0")
        time.sleep(task)

    run = start_workers(2, work)
    with pytest.raises(ValueError, match="rank 0"):
        run(60 if forks else 0.01)
    run.close()


@pytest.mark.skipif(not workers.FORKS, reason="no fork")
def test_workers_ignore_signals_and_do_not_outlive_a_killed_owner(tmp_path):
    """They keep none of its files open either: a lock of a dead process would block the next one."""
    script = dedent("""
        import fcntl, os, sys, time
        from charrnn.parallel.workers import start_workers
        lock = open(sys.argv[1], "w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = start_workers(3, lambda rank, task: os.getpid())
        print(*run(None), flush=True)
        time.sleep(60)
    """)
    lock = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", script, lock], stdout=subprocess.PIPE, text=True) as process:
        owner, *pids = map(int, process.stdout.readline().split())
        for pid in pids:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(pid, number)
            assert len(os.listdir(f"/proc/{pid}/fd")) == 1
        time.sleep(0.1)
        assert all(running(pid) for pid in pids)
        os.kill(owner, signal.SIGKILL)
        process.wait()
    deadline = time.monotonic() + 10
    while any(map(running, pids)):
        assert time.monotonic() < deadline, "a worker outlives its owner"
        time.sleep(0.01)


def running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
