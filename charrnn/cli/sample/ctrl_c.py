"""Ctrl-C at a prompt: noted at any time, and an exception only while a line is being typed.

Two things would make input() miss a Ctrl-C. A signal that arrives while readline works on a key is noted by Python, but
input() then waits for the next key; only another signal makes Python look at it. So a timer sends SIGALRM at every tick
(POSIX has the timer, Windows neither has it nor needs it). And at Ctrl-C the terminal discards the keys typed before
it: if input() has already seen that a key is there, it waits for that key and ignores signals. So NOFLSH is set, which
keeps the keys, and `forget` discards them.
"""

from __future__ import annotations

import atexit
import signal
import sys
from contextlib import ExitStack, suppress
from types import FrameType, TracebackType
from typing import Any

if sys.platform != "win32":
    import termios

TICK = 0.05  # seconds


class CtrlC:
    """Handles Ctrl-C while the context is entered.

    `pressed`: whether Ctrl-C was pressed since `forget` was called last.
    `raises`: set this while a line is being typed. Then Ctrl-C raises KeyboardInterrupt, once, and resets it.
    """

    def __init__(self) -> None:
        self.pressed = self.raises = False
        self.cleanup = ExitStack()

    def __enter__(self) -> CtrlC:
        self.cleanup.callback(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, self._on_press))
        if sys.platform != "win32":
            self._start_ticks()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cleanup.close()

    def forget(self) -> None:
        """Reset `pressed`; if it was set, discard the keys that were typed before Ctrl-C."""
        if self.pressed and sys.platform != "win32":
            with suppress(termios.error):
                termios.tcflush(sys.stdin, termios.TCIFLUSH)
        self.pressed = False

    def _on_press(self, number: int, frame: FrameType | None) -> None:
        self.pressed = True
        if sys.platform == "win32":
            self._on_tick(number, frame)

    def _on_tick(self, number: int, frame: FrameType | None) -> None:
        if self.pressed and self.raises:
            self.raises = False
            raise KeyboardInterrupt

    if sys.platform != "win32":

        def _start_ticks(self) -> None:
            before = termios.tcgetattr(sys.stdin)
            termios.tcsetattr(sys.stdin, termios.TCSANOW, [*before[:3], before[3] | termios.NOFLSH, *before[4:]])
            signal.signal(signal.SIGALRM, self._on_tick)
            signal.siginterrupt(signal.SIGALRM, False)  # a tick does not interrupt writing
            atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)  # in case a signal interrupts the cleanup
            signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
            self.cleanup.callback(self._stop_ticks, before)

        def _stop_ticks(self, before: list[Any]) -> None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            with suppress(termios.error):  # the terminal has been closed
                termios.tcsetattr(sys.stdin, termios.TCSANOW, before)
