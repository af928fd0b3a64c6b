"""Where a run is kept: a file, its lock and, until the run is committed, the older file that it replaces.

    start, resume     which file the run is saved in: FILE, or FILE.new if it replaces an older FILE
    commit            FILE becomes FILE.bak, and FILE.new becomes FILE

The caller commits when the new run has proved useful. On file systems with hard links FILE exists at every moment of
the commit, so a process that is killed at any time leaves a checkpoint of that name and a run that can be resumed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from ..errors import CheckpointError
from .atomic import sweep, sync_folder
from .lock import Lock

NEW, OLD = SUFFIXES = (".new", ".bak")


class Slot:
    """The checkpoint that the user calls `name`. As a context manager it locks it. All methods raise CheckpointError.

    `replacing` is true while an older file is still to be replaced by this run.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.target = Path(os.path.realpath(name))
        self.lock = Lock(name, self.target)
        self.locked = False
        self.replacing = False

    def __enter__(self) -> Slot:
        self.acquire()
        if self.locked:
            sweep(self.target)
            sweep(self._beside(NEW))
            sweep(self._beside(OLD))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.lock.release()

    def acquire(self) -> None:
        """Take the lock, or make sure that it is still held: its folder may have been removed and created again."""
        try:
            self.locked = self.lock.acquire()
        except OSError as error:
            raise self._fault(error) from None

    def start(self) -> None:
        """Start a new run. An existing file stays until `commit`. An uncommitted run is kept as FILE.new.bak."""
        self.replacing = self.target.exists()
        try:
            if self.replacing and self._beside(OLD).is_dir():
                raise IsADirectoryError(None, f"{self.backup} is a directory; the old file needs this name")
            if self._beside(NEW).exists():
                os.replace(self._beside(NEW), self._beside(NEW + OLD))
        except OSError as error:
            raise self._fault(error) from None

    def resume(self) -> None:
        """Continue the run of this slot: the uncommitted one, if there is one."""
        self.replacing = self._beside(NEW).exists()

    @property
    def file(self) -> str:
        """The name of the file to save to and to load from."""
        return self._name(NEW if self.replacing else "")

    @property
    def backup(self) -> str:
        """The name of the old file after it was replaced."""
        return self._name(OLD)

    def commit(self) -> None:
        """Replace the old file, if there is one, by this run. It becomes the backup, in place of an older backup."""
        if not self.replacing:
            return
        new, old = self._beside(NEW), self._beside(OLD)
        try:
            with suppress(FileNotFoundError):  # someone removed the old file, so there is nothing to keep
                os.chmod(new, self.target.stat().st_mode & 0o777)
                self._back_up(old)
            os.replace(new, self.target)
            self.replacing = False
            sync_folder(self.target.parent)
        except OSError as error:
            raise self._fault(error, "replaced") from None

    def make_folder(self) -> None:
        """Create the folder of the file again if it was removed."""
        with suppress(OSError):  # saving will report it
            if not self.target.parent.is_dir():
                os.makedirs(self.target.parent, exist_ok=True)

    def _back_up(self, old: Path) -> None:
        if not self.target.is_file() and self.target.exists():
            raise IsADirectoryError(None, "it is not a file any more")
        second_name = self._beside(OLD).with_name(f".{old.name}.{0:08x}.tmp")
        try:
            os.link(self.target, second_name)
            os.replace(second_name, old)
        except OSError:  # a file system without hard links
            os.replace(self.target, old)
        finally:
            with suppress(OSError):  # it still exists if it and the backup were the same file
                os.unlink(second_name)

    def _beside(self, suffix: str) -> Path:
        return self.target.with_name(self.target.name + suffix)

    def _name(self, suffix: str) -> str:
        """The name that the user would use; the full path if that name would lead to another file or none."""
        with suppress(OSError):  # the working folder was removed
            if os.path.realpath(self.name + suffix) == str(self._beside(suffix)):
                return self.name + suffix
        return str(self._beside(suffix))

    def _fault(self, error: OSError, what: str = "written") -> CheckpointError:
        return CheckpointError(f"{self.name}: cannot be {what} ({error.strerror or error})")
