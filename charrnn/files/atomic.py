"""Atomic replacement of a file: completely or not at all, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

CANNOT_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS}  # from file systems that cannot flush a folder


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A new file, which replaces `path` at the end of the block. If the block raises, `path` stays as it is.

    The new file is written in the same folder under a temporary name. It has the permissions of the old file, or those
    of any new file. It is flushed to the disk before it is renamed, and the folder after that. If `path` is a link, its
    target is replaced. A process that is killed meanwhile leaves the temporary file behind, for `sweep` to remove.
    Raises OSError.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "x+b") as file:
            if target.exists():
                os.chmod(temporary, target.stat().st_mode & 0o777)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        with suppress(OSError):
            os.unlink(temporary)
    sync_folder(target.parent)


def sweep(path: Path) -> None:
    """Remove the temporary files of processes that were killed while they replaced `path`.

    No process may be replacing it at the same time: the caller must hold a lock.
    """
    target = Path(os.path.realpath(path))
    temporary = re.compile(re.escape(f".{target.name}.") + r"[0-9a-f]{8}\.tmp")
    with suppress(OSError):
        for name in os.listdir(target.parent):
            if temporary.fullmatch(name):
                os.unlink(target.with_name(name))


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, if the system and the file system can do that."""
    if os.name == "nt":  # Windows cannot open a folder
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder can be writable but not readable
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in CANNOT_SYNC:
            raise
    finally:
        os.close(handle)
