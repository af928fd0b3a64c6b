"""Reading bytes as soon as they are available: regular files in large pieces, pipes and terminals without waiting."""

from __future__ import annotations

import io
import os
import select
import stat
from collections.abc import Iterator
from contextlib import suppress
from typing import IO


def available_bytes(file: IO[bytes], size: int) -> Iterator[bytes]:
    """The bytes of an open file in non-empty pieces of at most `size`.

    From a pipe or a terminal a piece is whatever has been written so far: it never waits for more once it has some.
    """
    if not isinstance(file, io.BufferedReader) or stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        while piece := file.read(size):
            yield piece
        return
    _widen(file.fileno(), size)
    while piece := file.read1(size):
        parts, room = [piece], size - len(piece)
        while room and _ready(file) and (piece := file.read1(room)):
            parts.append(piece)
            room -= len(piece)
        yield b"".join(parts)


def _ready(file: IO[bytes]) -> bool:
    """Whether a read would return at once. False if the system cannot tell."""
    try:
        return bool(select.select([file], [], [], 0)[0])
    except (OSError, ValueError):
        return False


def _widen(number: int, size: int) -> None:
    """Enlarge the buffer of a pipe to `size` bytes, so that its writer can go on while we compute. Linux only."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(number, fcntl.F_SETPIPE_SZ, size)
