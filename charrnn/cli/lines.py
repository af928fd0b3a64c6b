"""Lines of standard input as they come: typed at a terminal, or from a pipe."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from time import monotonic
from types import FrameType, TracebackType

import click

from ..errors import OptionError

PROMPT = "> "
BURST = 0.3  # seconds; input() may swallow a Ctrl-C, so a later one must be heard even if none has come of the first


class Lines:
    """At a terminal there is a prompt, lines can be edited and brought back, and Ctrl-C never ends the program.

    It drops the line that is being typed; at any other time it sets `stopped`, until the next line is asked for.
    """

    def __init__(self) -> None:
        if sys.stdin is None:
            raise OptionError("standard input is closed; --interactive reads from it")
        self.typed = sys.stdin.isatty()
        self.typing = self.stopped = False
        self.dropped = 0.0  # when the last line was, by Ctrl-C
        self.edited = self.typed and sys.stdout.isatty()
        if self.edited:
            with suppress(ImportError):  # not everywhere; then a line is edited as the terminal does
                import readline  # noqa: F401  # input() uses it from here on
            sys.stdin.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]

    def __enter__(self) -> Lines:
        if self.typed:
            self.before = signal.signal(signal.SIGINT, self._note)
            click.echo(
                "Type a beginning and press Enter; Enter alone goes on with the last text.\n"
                "Ctrl-C stops a text, Ctrl-D leaves.",
                err=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.typed:
            signal.signal(signal.SIGINT, self.before)
            click.echo(err=True)  # what comes next stands on a line of its own

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.stopped = True
        now = monotonic()
        if self.typing and now - self.dropped > BURST:  # else it would break into what the one before it began
            self.dropped = now
            raise KeyboardInterrupt

    def ask(self) -> str | None:
        """The next line, without its end; None when there are no more."""
        while True:
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
