"""The training part and the held-out part of a corpus."""

from __future__ import annotations

from dataclasses import dataclass

from ..text.corpus import Corpus
from ..text.records import Records
from ..text.vocab import Ids
from .settings import Options


@dataclass(frozen=True, eq=False)
class Split:
    """The two parts of a corpus, made once for a run and passed on. `held_out` may be empty.

    Continuous text is cut: the held-out part is its end. Records are drawn by the seed (text/records.py); `records`
    then has their numbers and hashes.
    """

    training: Ids
    held_out: Ids
    records: Records | None = None


def split_corpus(corpus: Corpus, options: Options) -> Split:
    """Split a corpus by `options.val_fraction` and, for records, `options.seed`. Raises TextError."""
    if options.lines:
        records = corpus.records(options.val_fraction, options.seed)
        return Split(records.training, records.held_out, records)
    return Split(*corpus.split(options.val_fraction))
