"""The lines of standard input as they come, typed at a terminal or read from a pipe."""

from __future__ import annotations

import sys
from contextlib import ExitStack, suppress
from types import TracebackType

import click

from ...errors import OptionError
from .ctrl_c import CtrlC

PROMPT = "> "


class PromptReader:
    """Asks for one line after the other.

    At a terminal there is a prompt, lines can be edited and recalled, and Ctrl-C never ends the program: it drops the
    line being typed. At any other time it sets `interrupted`, until the next line is asked for.
    """

    def __init__(self) -> None:
        if sys.stdin is None:
            raise OptionError("standard input: it is closed, and --interactive reads from it; open it")
        self.typed = sys.stdin.isatty()
        self.edited = self.typed and sys.stdout.isatty()
        self.ctrl_c = CtrlC()
        self.cleanup = ExitStack()
        if self.edited:
            with suppress(ImportError):  # some systems lack readline; there the terminal does the editing
                import readline  # noqa: F401  # input() uses it once it is imported
            sys.stdin.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]

    def __enter__(self) -> PromptReader:
        if self.typed:
            self.cleanup.callback(click.echo, err=True)  # whatever comes next starts on a line of its own
            self.cleanup.enter_context(self.ctrl_c)
            click.echo(
                "Type a prime and press Enter; press Enter alone to continue the last text.\n"
                "Ctrl-C stops a text, Ctrl-D quits.",
                err=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cleanup.close()

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C was pressed since the last line."""
        return self.ctrl_c.pressed

    def ask(self) -> str | None:
        """The next line, without its end; None when there are no more."""
        while True:
            self.ctrl_c.forget()
            try:
                self.ctrl_c.raises = True
                line = self._read()
                self.ctrl_c.raises = False
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
