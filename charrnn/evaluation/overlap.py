"""How much of a text is copied verbatim from a corpus: the longest passage, and the share of m-grams that are new."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from reprlib import Repr
from typing import Any

import numpy as np

from ..errors import OptionError
from ..text.reader import display_name, read_bytes, read_text
from ..text.vocab import code_points
from .gram_index import JoinedTexts, Points
from .overlap_search import Match, OverlapSearch

Text = str | bytes

SHORT, LONG = 8, 32  # characters of the grams that are counted: about a word and a half, and half a line

_SHORTENED = Repr()
_SHORTENED.maxstring = _SHORTENED.maxother = 60


@dataclass(frozen=True, repr=False)
class CopiedSpan:
    """A passage that is in a sample and, verbatim, in a corpus. Offsets are in characters (or bytes), from 0."""

    text: Text
    corpus: str  # the file
    corpus_offset: int
    corpus_line: int  # from 1
    sample: int  # which one, from 0
    sample_offset: int

    def __repr__(self) -> str:
        """CopiedSpan('the dog', corpus='corpus.txt', corpus_offset=51, corpus_line=3, sample=0, sample_offset=7)."""
        names = ("corpus", "corpus_offset", "corpus_line", "sample", "sample_offset")
        places = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"CopiedSpan({_SHORTENED.repr(self.text)}, {places})"


@dataclass(frozen=True)
class Overlap:
    """What samples have in common with a corpus.

    `new_8` and `new_32` are the shares of the 8-grams and 32-grams of the samples, each place counted, that the corpus
    does not have; None where no sample is so long. Overlaps are compared and hashed by their values.

        >>> charrnn.copied("the cat sat there", "corpus.txt").longest.text
        'the cat sat '
    """

    longest: CopiedSpan | None  # the longest passage copied verbatim; of equals the first in the corpus
    new_8: float | None
    new_32: float | None
    grams_8: int  # how many 8-grams the samples have
    grams_32: int


def copied(
    samples: Text | Sequence[Text], corpus: str | PathLike[str] | Sequence[str | PathLike[str]], encoding: str = "utf-8"
) -> Overlap:
    """How much of some samples is copied verbatim from the files of a corpus.

    `samples` is one text or several. `corpus` is the name of one file or of several, each a text of its own; they are
    read as a training text is: in pieces, so their length does not matter, and decompressed by suffix. They are decoded
    with `encoding` or, if the samples are bytes, read as bytes. The answer is exact; benchmarks/README.md has its cost.

    Raises TextError for a file that cannot be read, and OptionError for an argument that cannot be used.

        >>> overlap = charrnn.copied("the cat sat there", "corpus.txt")
        >>> print(overlap.longest, overlap.new_8)
    """
    texts, names = _checked_samples(samples), _checked_names(corpus)
    if not isinstance(encoding, str):
        raise OptionError(f"encoding: {encoding!r} is not the name of an encoding; give one such as 'utf-8'")
    as_bytes = any(isinstance(text, bytes) for text in texts)
    joined = JoinedTexts([_points(text) for text in texts])
    search = OverlapSearch(joined, (SHORT, LONG))
    for number, name in enumerate(names):
        if number:
            search.begin_text()
        for part in _read(name, as_bytes, encoding):
            search.add(part)
    short, long = search.coverage[SHORT], search.coverage[LONG]
    return Overlap(
        longest=_span(search.longest, texts, joined, names) if search.longest else None,
        new_8=short.new,
        new_32=long.new,
        grams_8=len(short.places),
        grams_32=len(long.places),
    )


def _checked_samples(samples: Any) -> list[Text]:
    """The samples as a list: all of them str, or all bytes."""
    texts = [samples] if isinstance(samples, str | bytes) else _listed(samples, "samples", "texts")
    if not all(isinstance(text, str | bytes) for text in texts):
        raise OptionError("samples: not all of them are texts; give a str, or a list of them (or of bytes)")
    if len({isinstance(text, bytes) for text in texts}) > 1:
        raise OptionError("samples: some are str and some are bytes; give samples of one kind")
    return texts


def _checked_names(corpus: Any) -> list[str]:
    """The names of the files as a list."""
    names = [corpus] if isinstance(corpus, str | PathLike) else _listed(corpus, "corpus", "file names")
    paths = [fspath(name) for name in names if isinstance(name, str | PathLike)]
    strings = [path for path in paths if isinstance(path, str)]
    if len(strings) < len(names):
        raise OptionError("corpus: not all of it are names of files; give a file name, or a list of them")
    return strings


def _listed(values: Any, name: str, what: str) -> list[Any]:
    if isinstance(values, bytes) or not hasattr(values, "__iter__"):
        raise OptionError(f"{name}: {_SHORTENED.repr(values)} is neither one nor a list of {what}")
    return list(values)


def _points(text: Text) -> Points:
    return np.frombuffer(text, np.uint8) if isinstance(text, bytes) else code_points(text)


def _read(name: str, as_bytes: bool, encoding: str) -> Iterator[Points]:
    yield from map(_points, read_bytes(name) if as_bytes else read_text(name, encoding))


def _span(match: Match, texts: Sequence[Text], joined: JoinedTexts, names: Sequence[str]) -> CopiedSpan:
    """The match in terms of the samples and the files."""
    number = int(np.searchsorted(joined.starts, match.place, "right")) - 1
    offset = match.place - int(joined.starts[number])
    return CopiedSpan(
        texts[number][offset : offset + match.length],
        display_name(names[match.corpus]),
        match.corpus_offset,
        match.corpus_line,
        number,
        offset,
    )
