import ctypes
import os
import platform
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy  # noqa: F401  loads its BLAS library
import pytest

from charrnn.system import blas

HAS_OPENBLAS = sys.platform == "linux" and "openblas" in Path("/proc/self/maps").read_text()


class Library:
    """A loaded library that has these functions, each of which returns a core's name."""

    def __init__(self, **functions):
        for name, core in functions.items():
            setattr(self, name, partial(bytes, core))


@pytest.mark.skipif(not HAS_OPENBLAS, reason="NumPy has another BLAS library")
def test_the_core_is_what_the_loaded_library_reports():
    assert blas.openblas_core()


@pytest.mark.skipif(not HAS_OPENBLAS or platform.machine() != "x86_64", reason="no OpenBLAS on x86-64")
def test_the_core_follows_the_environment():
    code = "import numpy; from charrnn.system.blas import openblas_core; print(openblas_core())"
    environment = os.environ | {"OPENBLAS_CORETYPE": "Nehalem"}  # any x86-64 processor of today can run it
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout == "Nehalem\n"


@pytest.mark.parametrize("function", blas.FUNCTIONS)
def test_every_known_name_of_the_function_is_found(monkeypatch, function):
    monkeypatch.setattr(blas, "_loaded", lambda: ["libopenblas.so"])
    monkeypatch.setattr(ctypes, "CDLL", lambda path: Library(**{function: b"SkylakeX"}))
    assert blas.openblas_core() == "SkylakeX"


def test_an_unknown_library_has_no_core(monkeypatch):
    monkeypatch.setattr(blas, "_loaded", list)
    assert blas.openblas_core() is None
    monkeypatch.setattr(blas, "_loaded", lambda: ["/no/such/libopenblas.so"])
    assert blas.openblas_core() is None
    monkeypatch.setattr(ctypes, "CDLL", lambda path: Library())
    assert blas.openblas_core() is None


def test_libraries_are_found_in_the_memory_map(monkeypatch):
    maps = (
        "7f00-7f01 r-xp 00000000 08:01 12 /usr/lib/libopenblas.so.0\n"
        "7f02-7f03 r--p 00001000 08:01 12 /usr/lib/libopenblas.so.0\n"
        "7f04-7f05 r-xp 00000000 08:01 13 /my venv/numpy.libs/libscipy_openblas64_-32a4b2a6.so\n"
        "7f06-7f07 r-xp 00000000 08:01 14 /usr/lib/libc.so.6\n"
    )
    monkeypatch.setattr(Path, "read_text", lambda *args, **kwargs: maps)
    assert blas._loaded() == ["/my venv/numpy.libs/libscipy_openblas64_-32a4b2a6.so", "/usr/lib/libopenblas.so.0"]
