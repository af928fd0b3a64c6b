"""A lock on a path. It is on a lock file beside the path, since replacing the file would end a lock on the file itself.

The operating system releases the lock when the process ends, however it ends, so a dead process never blocks another.
The lock belongs to the process; its child processes do not inherit it (POSIX record locks, fcntl(2)). There are no
locks on Windows.
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
    """The lock for the file `target`, which messages call `name`."""

    def __init__(self, name: str, target: Path) -> None:
        self.name = name
        self.path = target.with_name(f".{target.name}.lock")
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Take the lock, or make sure that it is still held. False if the system or the file system has no locks.

        Raises CheckpointError if another process holds the lock, and OSError if the lock file cannot be created.
        """
        if fcntl is None or (self._handle is not None and self._is_at_path(self._handle)):
            return fcntl is not None
        self._close()  # the lock file was removed, for example with its folder
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
            else:  # its last holder removed the file after we opened it
                os.close(handle)
        with suppress(OSError):  # the process number is only for messages, and the disk may be full
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, f"{os.getpid()}".encode(), 0)
        return True

    def release(self) -> None:
        """Remove the lock file, then release the lock. In this order two processes never hold locks on two files."""
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
        return CheckpointError(f"{self.name}: in use by {process}; wait for it, stop it, or name another file with -c")
