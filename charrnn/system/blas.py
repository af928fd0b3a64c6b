"""Which kernels the BLAS library that NumPy loaded has chosen for this processor."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from pathlib import Path

LIBRARY = re.compile(r"/.*lib(?:scipy_)?openblas[^/\n]*")  # a folder may have a space in its name
FUNCTIONS = (
    "scipy_openblas_get_corename64_",  # as in NumPy's wheels since 1.26, then those before
    "scipy_openblas_get_corename",
    "openblas_get_corename64_",
    "openblas_get_corename",
)


def openblas_core() -> str | None:
    """The name of OpenBLAS's kernels, such as "Haswell" or "SkylakeX"; None for another library or an unknown one.

    Import NumPy before. The name follows the environment variable OPENBLAS_CORETYPE, as the kernels do. Never raises.
    """
    return next(_cores(), None)


def _cores() -> Iterator[str]:
    for path in _loaded():
        try:
            library = ctypes.CDLL(path)  # loaded already: this only finds it
        except OSError:
            continue
        for name in FUNCTIONS:
            function = getattr(library, name, None)
            if function is not None:
                function.restype = ctypes.c_char_p
                yield function().decode("ascii", "replace")


def _loaded() -> list[str]:
    """The paths of the OpenBLAS libraries in this process; none where there is no /proc."""
    try:
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return sorted(set(LIBRARY.findall(maps)))
