"""The same function run by several workers at once: forked processes on Linux, threads elsewhere.

NumPy holds the interpreter lock during small operations, so threads would wait for each other; processes do not. A
forked worker shares memory with this process only where `shared_zeros` allocated it before the fork. Tasks and results
travel through a pipe. A worker ignores signals that ask it to stop, and ends when its pipe is closed. So it outlives
this process by the task in hand at most.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import warnings
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from math import prod
from mmap import mmap
from multiprocessing.connection import Connection, Pipe
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..nn.params import Array

Work = Callable[[int, Any], Any]  # (rank, task) -> result
FORKS = sys.platform == "linux"  # elsewhere the BLAS library may not survive a fork
STOP_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Workers(Protocol):
    """Several workers that do the same task at once; rank 0 is the calling thread."""

    def __call__(self, task: Any) -> list[Any]:
        """Run the task on every worker and return their results in order of rank. Raises what any of them raised."""

    def close(self) -> None:
        """End the workers and wait until they have ended. Closing twice does no harm."""


def start_workers(size: int, work: Work) -> Workers:
    """Start `size` workers, each of which answers a task with `work(rank, task)`.

    Workers keep their own variables between tasks. They have only those arrays in common that `shared_zeros` made.
    """
    if size == 1:
        return _ThisThread(work)
    return _Forked(size, work) if FORKS else _Threads(size, work)


def shared_zeros(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """An array of zeros in memory shared with processes forked later. No file is involved."""
    nbytes = prod(shape) * np.dtype(dtype).itemsize
    return np.frombuffer(mmap(-1, max(1, nbytes)), dtype, prod(shape)).reshape(shape)


class _ThisThread:
    """One worker: the caller."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def __call__(self, task: Any) -> list[Any]:
        return [self._work(0, task)]

    def close(self) -> None:
        pass


class _Threads:
    """Ranks 1 and up are threads of this process."""

    def __init__(self, size: int, work: Work) -> None:
        self._size, self._work = size, work
        self._pool = ThreadPoolExecutor(size - 1)

    def __call__(self, task: Any) -> list[Any]:
        others = [self._pool.submit(self._work, rank, task) for rank in range(1, self._size)]
        return [self._work(0, task), *(other.result() for other in others)]

    def close(self) -> None:
        self._pool.shutdown()


class _Forked:
    """Ranks 1 and up are forked from this process. The caller does the work of any that could not start or has died.

    After an exception all of them are disconnected, because results may be left unread in their pipes; from then on the
    caller does all the work.
    """

    def __init__(self, size: int, work: Work) -> None:
        self._work, self._size = work, size
        self._pipes: dict[int, Connection] = {}
        pids: list[int] = []
        self._end = weakref.finalize(self, _end, self._pipes, pids)  # in case the owner forgets to close
        for rank in range(1, size):
            with suppress(OSError):  # the system allows no more processes or files
                self._fork(rank, pids)

    def _fork(self, rank: int, pids: list[int]) -> None:
        ours, theirs = Pipe()
        with theirs:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # other threads' locks: a worker needs none of them
                pid = os.fork()
            if pid == 0:
                _serve(theirs, rank, self._work)
        self._pipes[rank] = ours
        pids.append(pid)

    def __call__(self, task: Any) -> list[Any]:
        try:
            for rank in list(self._pipes):
                with self._drop_if_dead(rank):
                    _put(self._pipes[rank], task)
            asked = set(self._pipes)
            results = {0: self._work(0, task)}
            for rank in asked:
                with self._drop_if_dead(rank):
                    results[rank] = _get(self._pipes[rank])
            for result in results.values():
                if isinstance(result, Exception):
                    raise result
            return [results[rank] if rank in results else self._work(rank, task) for rank in range(self._size)]
        except BaseException:
            _disconnect(self._pipes)
            raise

    def close(self) -> None:
        self._end()

    @contextmanager
    def _drop_if_dead(self, rank: int) -> Iterator[None]:
        try:
            yield
        except (EOFError, OSError):  # the worker's end is closed
            self._pipes.pop(rank).close()


def _end(pipes: dict[int, Connection], pids: list[int]) -> None:
    """Disconnect the workers, kill those still running, and wait for exactly these processes.

    A closed pipe is not enough: if another process was forked meanwhile, it holds a copy of our end.
    """
    _disconnect(pipes)
    for pid in pids:
        with suppress(ChildProcessError):  # somebody else has waited for it, or this is itself a forked process
            if os.waitpid(pid, os.WNOHANG) == (0, 0):  # still running, so the number is still that of our child
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _disconnect(pipes: dict[int, Connection]) -> None:
    while pipes:
        pipes.popitem()[1].close()


def _put(pipe: Connection, obj: Any) -> None:
    """Send an object as bytes, because a buffer that Connection.send leaves on failure crashes Python 3.12.1."""
    pipe.send_bytes(pickle.dumps(obj))


def _get(pipe: Connection) -> Any:
    return pickle.loads(pipe.recv_bytes())


def _serve(pipe: Connection, rank: int, work: Work) -> None:
    """Do tasks until the other end of the pipe is closed. Never returns, and flushes no buffer of the owner."""
    try:
        for name in STOP_SIGNALS:
            signal.signal(getattr(signal, name), signal.SIG_IGN)
        for handle in map(int, os.listdir("/proc/self/fd")):
            if handle != pipe.fileno():  # locks, logs, standard streams, other workers' pipes
                with suppress(OSError):
                    os.close(handle)
        while True:
            task = _get(pipe)
            try:
                result = work(rank, task)
            except Exception as error:
                result = error
            _put(pipe, result)
    except (EOFError, OSError):
        pass
    finally:
        os._exit(0)
