"""The same work done by several at once: by copies of this process where there is `fork`, else by threads.

Copies, since NumPy's small operations hold the interpreter lock and threads would wait for each other. A copy shares
with this process only what `shared_zeros` made before it was forked; questions and answers go through a pipe. It heeds
no signal to stop and ends when the pipe does, so that it never outlives this process by more than one question.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from math import prod
from mmap import mmap
from multiprocessing.connection import Connection, Pipe
from typing import Any

import numpy as np
import numpy.typing as npt

from ..nn.params import Array

Work = Callable[[int, Any], Any]  # from a member's number and a question to its answer
FORKS = sys.platform == "linux"  # elsewhere the BLAS library may not survive a fork
STOPPING = ("SIGINT", "SIGTERM", "SIGHUP")


def start_workers(size: int, work: Work) -> Callable[[Any], list[Any]]:
    """A function that puts a question to `size` members, number 0 being the caller, and returns all answers in order.

    Members keep what they build from one question to the next; arrays are common to all only if `shared_zeros` made
    them. An exception of any member is raised.
    """
    if size == 1:
        return lambda question: [work(0, question)]
    return _Copies(size, work) if FORKS else _threads(size, work)


def shared_zeros(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """An array of zeros in memory that copies of this process share with it. Nothing is written to any disk."""
    nbytes = prod(shape) * np.dtype(dtype).itemsize
    return np.frombuffer(mmap(-1, max(1, nbytes)), dtype, prod(shape)).reshape(shape)


def _threads(size: int, work: Work) -> Callable[[Any], list[Any]]:
    pool = ThreadPoolExecutor(size - 1)

    def ask(question: Any) -> list[Any]:
        others = [pool.submit(work, member, question) for member in range(1, size)]
        return [work(0, question), *(other.result() for other in others)]

    return ask


class _Copies:
    """Members 1 and up are forked from this process. What is to be done by one that is not there is done here.

    After an exception all are let go, since nobody has read what the others answered.
    """

    def __init__(self, size: int, work: Work) -> None:
        self.work, self.size = work, size
        self.pipes: dict[int, Connection] = {}
        self.pids: list[int] = []
        for member in range(1, size):
            with suppress(OSError):  # no more processes, or files, are allowed
                self._fork(member)

    def _fork(self, member: int) -> None:
        ours, theirs = Pipe()
        with theirs:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of threads: a copy needs none of their locks
                pid = os.fork()
            if pid == 0:
                _serve(theirs, member, self.work)
        self.pipes[member] = ours
        self.pids.append(pid)

    def __call__(self, question: Any) -> list[Any]:
        try:
            for member in list(self.pipes):
                with self._watching(member):
                    _put(self.pipes[member], question)
            asked = set(self.pipes)
            answers = {0: self.work(0, question)}
            for member in asked:
                with self._watching(member):
                    answers[member] = _get(self.pipes[member])
            for answer in answers.values():
                if isinstance(answer, Exception):
                    raise answer
            return [answers[m] if m in answers else self.work(m, question) for m in range(self.size)]
        except BaseException:
            self._let_go()
            raise

    @contextmanager
    def _watching(self, member: int) -> Iterator[None]:
        try:
            yield
        except (EOFError, OSError):  # it is no more
            self.pipes.pop(member).close()

    def _let_go(self) -> None:
        while self.pipes:
            self.pipes.popitem()[1].close()

    def __del__(self) -> None:
        self._let_go()
        for pid in self.pids:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _put(pipe: Connection, what: Any) -> None:
    """Send an object; as bytes, since Connection.send leaves a buffer over which Python 3.12.1 crashes if it fails."""
    pipe.send_bytes(pickle.dumps(what))


def _get(pipe: Connection) -> Any:
    return pickle.loads(pipe.recv_bytes())


def _serve(pipe: Connection, member: int, work: Work) -> None:
    """Answer until the other end is closed; never returns, and flushes nothing that the original has yet to write."""
    try:
        for name in STOPPING:
            signal.signal(getattr(signal, name), signal.SIG_IGN)
        for handle in map(int, os.listdir("/proc/self/fd")):
            if handle != pipe.fileno():  # streams, other copies' pipes (which are streams where there were none), logs
                with suppress(OSError):
                    os.close(handle)
        while True:
            question = _get(pipe)
            try:
                answer = work(member, question)
            except Exception as error:
                answer = error
            _put(pipe, answer)
    except (EOFError, OSError):
        pass
    finally:
        os._exit(0)
