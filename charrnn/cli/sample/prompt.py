"""Lines of standard input as they come: typed at a terminal, or from a pipe."""

from __future__ import annotations

import atexit
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType, TracebackType

import click

from ...errors import OptionError

if sys.platform != "win32":
    import termios

PROMPT = "> "
TICK = 0.05  # seconds between two looks at whether Ctrl-C was pressed


class PromptReader:
    """At a terminal there is a prompt, lines can be edited and brought back, and Ctrl-C never ends the program.

    It drops the line that is being typed; at any other time it sets `stopped`, until the next line is asked for.
    """

    def __init__(self) -> None:
        if sys.stdin is None:
            raise OptionError("standard input is closed; --interactive reads from it")
        self.typed = sys.stdin.isatty()
        self.typing = self.stopped = False
        self.afterwards = ExitStack()
        self.edited = self.typed and sys.stdout.isatty()
        if self.edited:
            with suppress(ImportError):  # not everywhere; then a line is edited as the terminal does
                import readline  # noqa: F401  # input() uses it from here on
            sys.stdin.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]

    def __enter__(self) -> PromptReader:
        if self.typed:
            self.afterwards.callback(click.echo, err=True)  # what comes next stands on a line of its own
            self.afterwards.callback(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, self._note))
            self.afterwards.enter_context(listening(self._look))
            click.echo(
                "Type a beginning and press Enter; Enter alone goes on with the last text.\n"
                "Ctrl-C stops a text, Ctrl-D leaves.",
                err=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.afterwards.close()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.stopped = True
        if sys.platform == "win32":  # there are no ticks
            self._look(number, frame)

    def _look(self, number: int, frame: FrameType | None) -> None:
        """Break into `_read`, once, if Ctrl-C was pressed.

        A signal that comes while input() works on a key is noted, but input() goes on to wait for the next key: only
        another signal makes it look, so there is one at every tick.
        """
        if self.stopped and self.typing:
            self.typing = False
            raise KeyboardInterrupt

    def ask(self) -> str | None:
        """The next line, without its end; None when there are no more."""
        while True:
            if self.stopped and sys.platform != "win32":
                with suppress(termios.error):
                    termios.tcflush(sys.stdin, termios.TCIFLUSH)  # what was typed before Ctrl-C
            self.stopped = False
            try:
                self.typing = True
                line = self._read()
                self.typing = False
                return line
            except KeyboardInterrupt:
                if not self.typed:
                    raise
                click.echo(err=True)

    def _read(self) -> str | None:
        if self.edited:
            try:
                return input(PROMPT)
            except EOFError:
                return None
        if self.typed:
            click.echo(PROMPT, nl=False, err=True)
        line = sys.stdin.buffer.readline()
        encoding = sys.stdin.encoding if self.typed else "utf-8"
        text = line.removesuffix(b"\n").removesuffix(b"\r").decode(encoding, "surrogateescape")
        return text if line else None


@contextmanager
def listening(look: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Call `look` at every tick, and let Ctrl-C take nothing away of what was typed before it and not yet read.

    Else the terminal may take away a key that input() has seen coming, and input() waits for it, deaf to Ctrl-C.
    """
    if sys.platform == "win32":
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    termios.tcsetattr(sys.stdin, termios.TCSANOW, [*before[:3], before[3] | termios.NOFLSH, *before[4:]])
    signal.signal(signal.SIGALRM, look)
    signal.siginterrupt(signal.SIGALRM, False)  # what is being written goes on
    atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)  # if another signal breaks into the end of this
    signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        with suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(sys.stdin, termios.TCSANOW, before)
