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
MEMORY_ONLY = {"fspath"}


def is_system_call(function):
    owner, name = getattr(function, "__self__", None), function.__name__
    module = type(owner).__module__ if isinstance(owner, io.IOBase) else getattr(owner, "__name__", None)
    return module in MODULES and not name.startswith("_") and name not in MEMORY_ONLY


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
