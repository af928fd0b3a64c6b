"""How much of what was written is copied from a corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import OptionError
from ..text.reader import label, read_bytes, read_text
from ..text.vocab import code_points
from .gram_index import Points, Texts
from .overlap_search import Match, Search

Text = str | bytes

SHORT, LONG = 8, 32  # characters of the grams that are counted: about a word and a half, and a line or a half of one


@dataclass(frozen=True)
class CopiedSpan:
    """A stretch that stands word for word in a sample and in a corpus. Offsets are in characters (or bytes), from 0."""

    text: Text
    corpus: str  # the file
    corpus_offset: int
    corpus_line: int  # from 1
    sample: int  # which one, from 0
    sample_offset: int


@dataclass(frozen=True)
class Overlap:
    """The longest span that was copied, the first in the corpus if there are several, and how much is new.

    `new_8` and `new_32` are the shares of the 8-grams and the 32-grams of the samples, each place counted, that the
    corpus does not have; None where no sample is so long.
    """

    longest: CopiedSpan | None
    new_8: float | None
    new_32: float | None
    grams_8: int
    grams_32: int


def copied(samples: Text | Sequence[Text], corpus: Sequence[str], encoding: str = "utf-8") -> Overlap:
    """How much of some samples stands in the files of a corpus, each of which is a text of its own.

    The files are read as a training text is: in pieces, so their length does not matter, and decompressed by suffix;
    as bytes if the samples are bytes. The answer is exact; benchmarks/README.md has what it takes.
    Raises TextError for a file that cannot be read.
    """
    texts: list[Text] = [samples] if isinstance(samples, str | bytes) else list(samples)
    of_bytes = {isinstance(text, bytes) for text in texts}
    if len(of_bytes) > 1:
        raise OptionError("some samples are text and some are bytes; give samples of one kind")
    own = Texts([_points(text) for text in texts])
    search = Search(own, (SHORT, LONG))
    for number, name in enumerate(corpus):
        if number:
            search.begin()
        for part in _read(name, True in of_bytes, encoding):
            search.add(part)
    short, long = search.seen[SHORT], search.seen[LONG]
    return Overlap(
        longest=_span(search.longest, texts, own, corpus) if search.longest else None,
        new_8=short.new,
        new_32=long.new,
        grams_8=len(short.places),
        grams_32=len(long.places),
    )


def _points(text: Text) -> Points:
    return np.frombuffer(text, np.uint8) if isinstance(text, bytes) else code_points(text)


def _read(name: str, as_bytes: bool, encoding: str) -> Iterator[Points]:
    yield from map(_points, read_bytes(name) if as_bytes else read_text(name, encoding))


def _span(match: Match, texts: Sequence[Text], own: Texts, corpus: Sequence[str]) -> CopiedSpan:
    number = int(np.searchsorted(own.starts, match.place, "right")) - 1
    offset = match.place - int(own.starts[number])
    return CopiedSpan(
        texts[number][offset : offset + match.length],
        label(corpus[match.corpus]),
        match.corpus_offset,
        match.corpus_line,
        number,
        offset,
    )
