"""A conversation: a beginning is typed, its continuation appears, again and again."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import click
import numpy as np

from ...text.vocab import Vocab, describe
from ..output import plural, strip_control, write
from .prompt import PromptReader

if TYPE_CHECKING:
    from ...text.vocab import Ids
    from .options import SamplingRequest

REMEMBERED = 4096  # characters of the last text that are read again to go on with it
SHOWN = 5  # unknown characters that are named


def converse(drawing: SamplingRequest, seed: int, echo: bool, end: str) -> None:
    """Answer each line of standard input with a text that begins with it, until there are no more.

    An empty line goes on with the last text. Text number i, counted from 0, is drawn with seed + i. At a terminal
    Ctrl-C stops a text, or drops the line that is being typed.
    """
    write("")  # raises where nobody would read the answers
    vocab = drawing.model.vocab
    going_on = replace(drawing, min_length=max(1, drawing.min_length))  # past what ended the last text
    last: list[int] = []
    seeds = count(seed)
    with PromptReader() as lines:
        while (line := lines.ask()) is not None:
            if line:
                beginning = _known(line, vocab)
                last = beginning.tolist()
                write(vocab.decode(beginning) if echo else "")
            del last[:-REMEMBERED]
            for (drawn,) in (drawing if line else going_on).steps(np.array(last, np.intp), 1, next(seeds)):
                last += drawn.tolist()
                write(vocab.decode(drawn))
                if lines.stopped:
                    break
            write(end)


def _known(line: str, vocab: Vocab) -> Ids:
    """The ids of a line, and a note on the characters that it loses."""
    ids, missing = vocab.encode(line, "skip")
    if missing:
        unknown = [describe(c) for c in dict.fromkeys(line) if c not in vocab.characters]
        names = ", ".join(unknown[:SHOWN]) + (", ..." if len(unknown) > SHOWN else "")
        click.echo(
            strip_control(f"left out {plural(missing, vocab.unit)} that the model does not know: {names}"), err=True
        )
    return ids
