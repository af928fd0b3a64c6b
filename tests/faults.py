"""Trouble at a system call of one's choice: the n-th that Python code makes, whatever it is.

The calls are found as they happen, by the interpreter's profiler, so that one which is new is covered by itself. What
a file does inside C (a buffer that is written when it is full) shows as the call that leads to it.
"""

import io
import os
import signal
import sys
from contextlib import contextmanager

MODULES = {"posix", "nt", "_io", "io", "fcntl"}


def is_system_call(function):
    owner = getattr(function, "__self__", None)
    return isinstance(owner, io.IOBase) or getattr(owner, "__name__", None) in MODULES


@contextmanager
def at_call(number, act):
    """Do `act` in place of the system call with this number, counted from 1; what it raises, the call does.

    Gives a list that the names of the calls are added to.
    """
    calls = []

    def watch(frame, event, function):
        if event == "c_call" and is_system_call(function):
            calls.append(function.__name__)
            if len(calls) == number:
                act()

    sys.setprofile(watch)
    try:
        yield calls
    finally:
        sys.setprofile(None)


def fail(code):
    """What raises that error of the operating system."""

    def act():
        raise OSError(code, os.strerror(code))

    return act


def die():
    os.kill(os.getpid(), signal.SIGKILL)
