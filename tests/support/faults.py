"""Faults at a chosen system call: the n-th that Python code makes, whichever it is.

The interpreter's profiler counts the calls as they happen, so a new call in the code is covered without a change here.
What a file object does inside C (it writes its buffer when that is full) counts as the call that causes it.
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
    """Call `act` before the system call with this number, counted from 1. If it raises, so does the system call.

    The value of the context is a list, to which the names of the calls are added.
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
    """A function that raises this error of the operating system."""

    def act():
        raise OSError(code, os.strerror(code))

    return act


def die():
    os.kill(os.getpid(), signal.SIGKILL)
