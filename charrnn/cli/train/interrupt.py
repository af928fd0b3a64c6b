"""Ctrl-C and other signals to stop, handled between two steps instead of within one."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import FrameType, TracebackType

from ...system.signals import stop_signals
from ..output import terminal

HINT = b"\nstopping after this step and saving; press Ctrl-C again to quit without saving\n"


class Interrupt:
    """A context in which the first signal to stop only sets `asked`; the second raises KeyboardInterrupt."""

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Interrupt:
        self._before = {number: signal.signal(number, self._note) for number in stop_signals()}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        if terminal():
            with suppress(OSError):  # not through sys.stderr: the signal may have interrupted a write to it
                os.write(2, HINT)
