"""A file that is replaced as a whole or not at all, whatever happens meanwhile. Knows nothing of what is in it."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

CANNOT_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS}  # what a file system says that has no way to flush a folder


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A new file to write to, which takes the place of `path` if all goes well; else the old one stays as it is.

    It lies beside `path` under a passing name, with the permissions of the old file or those that any new one gets, and
    is flushed to the disk before it is renamed; then the folder is. Where `path` is a link, what it leads to is
    replaced. A process that is killed meanwhile leaves the passing file behind, for `sweep`. Raises OSError.
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
    """Remove what was left by processes that were killed while they replaced `path`.

    Nobody may be replacing it meanwhile: a lock must see to that.
    """
    target = Path(os.path.realpath(path))
    passing = re.compile(re.escape(f".{target.name}.") + r"[0-9a-f]{8}\.tmp")
    with suppress(OSError):
        for name in os.listdir(target.parent):
            if passing.fullmatch(name):
                os.unlink(target.with_name(name))


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, where that can be done."""
    if os.name == "nt":  # Windows has no handle on a folder that could be flushed
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:  # one may write in a folder that one may not list
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in CANNOT_SYNC:
            raise
    finally:
        os.close(handle)
