"""A lock on the place where a file is kept: a file at its side, since one on the file is lost when that is replaced.

The operating system drops the lock when the process ends, however it ends, so none is ever in the way of another run
for longer than that. It is a lock of the process: what it starts does not have it (POSIX record locks, fcntl(2)).
Windows has none.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from ..errors import CheckpointError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

TAKEN = {errno.EACCES, errno.EAGAIN}


class Lock:
    """The lock for the file `target`, which is called `name` in messages."""

    def __init__(self, name: str, target: Path) -> None:
        self.name = name
        self.path = target.with_name(f".{target.name}.lock")
        self._handle: int | None = None

    def hold(self) -> bool:
        """Take the lock; if it is held already, see that its file is still there. False where there are no locks.

        Raises CheckpointError if another process holds it, and OSError if its file cannot be made.
        """
        if fcntl is None or (self._handle is not None and self._is_at_path(self._handle)):
            return fcntl is not None
        self._close()  # the folder was removed, and the lock's file with it
        while self._handle is None:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
            try:
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                holder = os.pread(handle, 20, 0).decode("ascii", "replace")
                os.close(handle)
                if error.errno in TAKEN:
                    raise self._taken(holder) from None
                return False
            if self._is_at_path(handle):
                self._handle = handle
            else:  # whoever had it removed the file between our opening and our locking it
                os.close(handle)
        with suppress(OSError):  # what it says helps people only, and the disk may be full
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, f"{os.getpid()}".encode(), 0)
        return True

    def release(self) -> None:
        """Remove the lock's file and give up the lock, in this order, so that two never hold locks on two files."""
        if self._handle is not None and self._is_at_path(self._handle):
            with suppress(OSError):
                os.unlink(self.path)
        self._close()

    def _close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _is_at_path(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), os.stat(self.path, follow_symlinks=False))
        except OSError:
            return False

    def _taken(self, holder: str) -> CheckpointError:
        process = f"process {holder}" if holder.isdigit() else "another process"
        return CheckpointError(
            f"{self.name}: {process} is training there; wait for it, stop it, or name another file with -c"
        )
