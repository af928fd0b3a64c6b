"""The training text of a run, read again from the files that the run recorded."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import CheckpointError, TextError
from ..text.corpus import Corpus, read_corpus
from ..text.reader import STDIN, check_regular_files
from ..text.vocab import Ids
from .run import Run
from .split import Split, split_corpus

NAME_A_TEXT = "it is the training text of this model: put it back, or name a TEXT"


def reread_corpus(run: Run, names: Sequence[str] = (), remedy: str = NAME_A_TEXT) -> Corpus:
    """The text that a run was trained on, from the files `names`, or else from those it recorded.

    Recorded files are read only if they are regular files, and no further than the text was long. Raises
    CheckpointError or TextError, ending with the remedy, if the text is not there or not the same.
    """
    recorded = run.corpus
    if not names and STDIN in recorded.names:
        raise CheckpointError("training text: it came from standard input and cannot be read again; name a TEXT")
    try:
        check_regular_files([] if names else recorded.names)
        corpus = read_corpus(
            names or recorded.names,
            encoding=recorded.encoding or "utf-8",
            as_bytes=recorded.encoding is None,
            vocab=run.vocab,
            lines=run.options.lines,
            most=recorded.characters,
        )
    except TextError as error:
        raise TextError(f"{error}; {remedy}") from None
    run.check(corpus)
    return corpus


def reread_held_out(run: Run) -> Ids:
    """The part of the training text that the run did not train on. Raises as `reread_corpus`, or if there is none."""
    return require_held_out(split_corpus(reread_corpus(run), run.options))


def require_held_out(split: Split) -> Ids:
    """The held-out part. Raises TextError if it is empty."""
    if not len(split.held_out):
        raise TextError("held-out part: this model was trained without one; name a TEXT")
    return split.held_out
