"""Ctrl-C and its kin, asked about between two steps instead of breaking into one."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType


class Interrupt:
    """While this is in force the first signal to stop only sets `asked`; a second one leaves at once."""

    SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Interrupt:
        numbers = [getattr(signal, name) for name in self.SIGNALS if hasattr(signal, name)]
        heeded = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]  # not so under nohup
        self._before = {number: signal.signal(number, self._note) for number in heeded}
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
