"""A conversation: a beginning is typed, its continuation appears, again and again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import click
import numpy as np

from ..errors import OptionError
from ..text.vocab import Vocab, describe
from .output import harmless, plural, write

if TYPE_CHECKING:
    from ..text.vocab import Ids
    from .drawing import Drawing

PROMPT = "> "
REMEMBERED = 4096  # characters of the last text that are read again to go on with it
SHOWN = 5  # unknown characters that are named


def converse(drawing: Drawing, seed: int, echo: bool, end: str) -> None:
    """Answer each line of standard input with a text that begins with it, until there are no more.

    An empty line goes on with the last text. Text number i, counted from 0, is drawn with seed + i. At a terminal
    Ctrl-C stops a text, or clears the line that is being typed.
    """
    if sys.stdin is None:
        raise OptionError("standard input is closed; --interactive reads from it")
    typed = sys.stdin.isatty()
    if typed:
        click.echo(
            "Type a beginning and press Enter; Enter alone goes on with the last text. "
            "Ctrl-C stops a text, Ctrl-D leaves.",
            err=True,
        )
    ask = _asker(typed)
    vocab, last = drawing.model.vocab, np.zeros(0, np.intp)
    for number in count():
        try:
            line = ask()
            if line is None:
                break
            if line:
                last = _known(line, vocab)
                write(vocab.decode(last) if echo else "")
            # where a stop string ended the last text, that is what would come first
            going_on = replace(drawing, min_length=max(1, drawing.min_length))
            for (drawn,) in (drawing if line else going_on).steps(last[-REMEMBERED:], 1, seed + number):
                last = np.append(last, drawn)
                write(vocab.decode(drawn))
            write(end)
        except KeyboardInterrupt:
            if not typed:
                raise
            write("\n")
    if typed:
        click.echo(err=True)


def _known(line: str, vocab: Vocab) -> Ids:
    """The ids of a line, and a note on the characters that it loses."""
    ids, missing = vocab.encode(line, "skip")
    if missing:
        unknown = [describe(c) for c in dict.fromkeys(line) if c not in vocab.characters]
        more = ", ..." if len(unknown) > SHOWN else ""
        note = (
            f"left out {plural(missing, vocab.unit)} that the model does not know: {', '.join(unknown[:SHOWN])}{more}"
        )
        click.echo(harmless(note), err=True)
    return ids


def _asker(typed: bool) -> Callable[[], str | None]:
    """What brings the next line, without its end; None when there are no more."""
    if typed and sys.stdout.isatty():
        with suppress(ImportError):  # not everywhere; then a line is edited as the terminal does
            import readline  # noqa: F401  # input() uses it from here on
        sys.stdin.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
        return _ask
    encoding = sys.stdin.encoding if typed else "utf-8"

    def read() -> str | None:
        if typed:
            click.echo(PROMPT, nl=False, err=True)
        line = sys.stdin.buffer.readline()
        if not line:
            return None
        return line.removesuffix(b"\n").removesuffix(b"\r").decode(encoding, "surrogateescape")

    return read


def _ask() -> str | None:
    try:
        return input(PROMPT)
    except EOFError:
        return None
