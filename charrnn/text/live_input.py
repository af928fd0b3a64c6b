"""Bytes as they come: a file on a disk by the piece, a pipe or a terminal by what has been written to it so far."""

from __future__ import annotations

import io
import os
import select
import stat
from collections.abc import Iterator
from contextlib import suppress
from typing import IO


def available_bytes(file: IO[bytes], size: int) -> Iterator[bytes]:
    """The bytes of an open file in pieces of `size` at most, none empty; no wait for more where there are some."""
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
    """Can it be read without waiting? No, where that cannot be found out."""
    try:
        return bool(select.select([file], [], [], 0)[0])
    except (OSError, ValueError):
        return False


def _widen(number: int, size: int) -> None:
    """Let a pipe hold `size` bytes, so that its writer can go on while we compute; on Linux, if we may."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(number, fcntl.F_SETPIPE_SZ, size)
