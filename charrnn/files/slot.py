"""Where a run is kept: a file, a lock at its side, and, for a while, the older file that it is to replace.

A run that replaces an older file is saved beside it, as FILE.new, until it has shown what it is worth. Then the old
file becomes FILE.bak and the new one takes its name, in one step where the file system has links: a process that is
killed at any moment leaves a checkpoint under that name, and a run to go on with.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from ..errors import CheckpointError
from .atomic import sweep, sync_folder
from .lock import Lock

NEW, OLD = PASSING = (".new", ".bak")


class Slot:
    """The place that a user calls `name`. As a context manager it is this process's alone. Raises CheckpointError."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.target = Path(os.path.realpath(name))
        self.lock = Lock(name, self.target)
        self.locked = False
        self.replacing = False

    def __enter__(self) -> Slot:
        self.hold()
        if self.locked:
            sweep(self.target)
            sweep(self._beside(NEW))
            sweep(self._beside(OLD))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.lock.release()

    def hold(self) -> None:
        """See that the place is still ours; its folder may have been removed and made again."""
        try:
            self.locked = self.lock.hold()
        except OSError as error:
            raise self._fault(error) from None

    def begin(self) -> None:
        """A new run begins here. What is in the place stays until `settle`; a run that had yet to take it is put by."""
        self.replacing = self.target.exists()
        try:
            if self.replacing and self._beside(OLD).is_dir():
                raise IsADirectoryError(None, f"{self.backup} is a directory, and the old file is to have that name")
            if self._beside(NEW).exists():
                os.replace(self._beside(NEW), self._beside(NEW + OLD))
        except OSError as error:
            raise self._fault(error) from None

    def go_on(self) -> None:
        """The run in this place goes on: the one that has yet to take it, if there is one."""
        self.replacing = self._beside(NEW).exists()

    @property
    def file(self) -> str:
        """What to save in and to load from."""
        return self._named(NEW if self.replacing else "")

    @property
    def backup(self) -> str:
        """What the old file is called once it is replaced."""
        return self._named(OLD)

    def settle(self) -> None:
        """The new run takes the place, if it has yet to; what was there is the backup then, instead of an older one."""
        if not self.replacing:
            return
        new, old = self._beside(NEW), self._beside(OLD)
        try:
            with suppress(FileNotFoundError):  # nothing to keep, since someone removed it
                os.chmod(new, self.target.stat().st_mode & 0o777)
                self._back_up(old)
            os.replace(new, self.target)
            self.replacing = False
            sync_folder(self.target.parent)
        except OSError as error:
            raise self._fault(error, "replaced") from None

    def make_folder(self) -> None:
        """Make the folder once more if it was removed."""
        with suppress(OSError):  # saving will say so
            if not self.target.parent.is_dir():
                os.makedirs(self.target.parent, exist_ok=True)

    def _back_up(self, old: Path) -> None:
        if not self.target.is_file() and self.target.exists():
            raise IsADirectoryError(None, "it is no file any more")
        second_name = self._beside(OLD).with_name(f".{old.name}.{0:08x}.tmp")
        try:
            os.link(self.target, second_name)
            os.replace(second_name, old)
        except OSError:  # no links here
            os.replace(self.target, old)
        finally:
            with suppress(OSError):  # it is still there if both were the same file
                os.unlink(second_name)

    def _beside(self, ending: str) -> Path:
        return self.target.with_name(self.target.name + ending)

    def _named(self, ending: str) -> str:
        """As the user would call it; in full where that would lead elsewhere, or nowhere."""
        with suppress(OSError):  # there is no working folder any more
            if os.path.realpath(self.name + ending) == str(self._beside(ending)):
                return self.name + ending
        return str(self._beside(ending))

    def _fault(self, error: OSError, what: str = "written") -> CheckpointError:
        return CheckpointError(f"{self.name}: cannot be {what} ({error.strerror or error})")
