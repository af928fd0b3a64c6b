"""An interactive session: the user types a prime and sees it continued, again and again."""

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
    from ...sampling.text import SamplingRequest
    from ...text.vocab import Ids

CONTEXT = 4096  # characters of the last text that are read again to continue it
SHOWN = 5  # unknown characters that are named


def converse(request: SamplingRequest, echo: bool, separator: str) -> None:
    """Continue each line of standard input with a text, until the input ends.

    An empty line continues the last text. Text number i, counted from 0, is drawn with the request's seed + i. At a
    terminal Ctrl-C stops a text, or drops the line being typed.
    """
    write("")  # raises now if standard output is closed
    vocab, params = request.model.vocab, request.params
    last: list[int] = []
    seeds = count(params.seed)
    with PromptReader() as prompt:
        while (line := prompt.ask()) is not None:
            min_length = params.min_length
            if line:
                prime = _known(line, vocab)
                last = prime.tolist()
                write(vocab.decode(prime) if echo else "")
            else:
                min_length = max(1, min_length)  # continue past the stop string that ended the last text
            del last[:-CONTEXT]
            answer = replace(request, params=replace(params, seed=next(seeds), min_length=min_length))
            for (ids,) in answer.steps(np.array(last, np.intp)):
                last += ids.tolist()
                write(vocab.decode(ids))
                if prompt.interrupted:
                    break
            write(separator)


def _known(line: str, vocab: Vocab) -> Ids:
    """The ids of a line without its unknown characters; a note on standard error names those."""
    ids, missing = vocab.encode(line, "skip")
    if missing:
        unknown = [describe(c) for c in dict.fromkeys(line) if c not in vocab.characters]
        names = ", ".join(unknown[:SHOWN]) + (", ..." if len(unknown) > SHOWN else "")
        click.echo(
            strip_control(f"left out {plural(missing, vocab.unit)} that the model does not know: {names}"), err=True
        )
    return ids
